"""The service's processes: `up`, `serve`, `worker`, `dispatcher`, `migrate`; and its `keys`."""

from __future__ import annotations

import queue
import signal
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pilotfish.cli.context import Context, emit, guarded

if TYPE_CHECKING:
    from store.keys import Key

keys = typer.Typer(no_args_is_help=True, help="Bearer keys of the service.")


def register(app: typer.Typer) -> None:
    for command in (up, serve, worker, dispatcher, migrate):
        app.command(command.__name__)(command)
    app.add_typer(keys, name="keys")


def up(
    context: typer.Context,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    threads: Annotated[int | None, typer.Option(help="Questions at once in each.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the HTTP interface.")] = None,
) -> None:
    """Start the whole service on this machine; Ctrl-C ends it in order."""
    options: Context = context.obj
    with guarded(options):
        settings = options.settings(**{
            "service.workers": workers, "service.threads": threads, "service.port": port,
        })  # fmt: skip
        options.attach()
        from workers.up import Supervisor, children

        stop = _stopped_by_signals()
        given = {"WORKSPACE": settings.workspace.resolve(), "SERVICE__PORT": settings.service.port}
        supervisor = Supervisor(children(settings, given), stop)
        address = f"http://{settings.service.host}:{settings.service.port}"
        options.err().print(f"pilotfish is starting at {address} (Ctrl-C ends it)", markup=False)
        supervisor.run()


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.")] = None,
    inline: Annotated[bool, typer.Option(help="Answer in this process, without Redis.")] = False,
    socket: Annotated[str | None, typer.Option(help="Unix socket to listen on instead.")] = None,
) -> None:
    """Serve the HTTP interface and the page."""
    options: Context = context.obj
    with guarded(options):
        settings = options.settings(**{"service.host": host, "service.port": port})
        options.attach()
        from workers.serve import run

        run(settings, inline=inline, socket=socket, as_json=options.json)


def worker(
    context: typer.Context,
    queue: Annotated[
        Literal["answers", "documents", "both"], typer.Option(help="Which queue to work off.")
    ] = "both",
    threads: Annotated[int | None, typer.Option(help="Items at once.")] = None,
) -> None:
    """Take items from the queue and do them, until told to end."""
    options: Context = context.obj
    with guarded(options):
        settings = options.settings()
        options.attach()
        from workers.bell import Kind
        from workers.tasks import run_worker

        kinds: dict[str, list[Kind]] = {"answers": ["answer"], "documents": ["index"]}
        wanted = kinds.get(queue, ["answer", "index"])
        raise SystemExit(run_worker(settings, wanted, threads or settings.service.threads))


def dispatcher(context: typer.Context) -> None:
    """Ring for what the database says is unfinished; one works, others stand by."""
    options: Context = context.obj
    with guarded(options):
        settings = options.settings()
        options.attach()
        from workers.dispatch import Dispatcher
        from workers.process import Process
        from workers.queue import RedisBell

        process, stop = Process(settings), _stopped_by_signals()
        Dispatcher(process.database, RedisBell(settings), process.owner, stop).run()


def migrate(context: typer.Context) -> None:
    """Bring the database's schema up to date, and end; every command does it too, when needed."""
    options: Context = context.obj
    with guarded(options):
        database = options.database(create=True)
        options.err().print(f"the schema is {database.version()}", markup=False)
        database.close()


def _stopped_by_signals() -> threading.Event:
    """Set by SIGTERM and SIGINT; the second SIGINT interrupts at once.

    A thread sets it: a second signal may interrupt the first one's handler, and an event that is
    being set may not be set again within that. A SimpleQueue may.
    """
    stop = threading.Event()
    heard: queue.SimpleQueue[int] = queue.SimpleQueue()

    def told(number: int, _: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        heard.put(number)

    def listen() -> None:
        heard.get()
        stop.set()

    threading.Thread(target=listen, name="signals", daemon=True).start()
    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)
    return stop


@keys.command("create")
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    tenant: Annotated[str, typer.Option(help="Whose it is; sees its own collections only.")] = "",
    admin: Annotated[bool, typer.Option(help="May read metrics and everybody's usage.")] = False,
    per_minute: Annotated[int | None, typer.Option(help="Requests per minute.")] = None,
    concurrency: Annotated[int | None, typer.Option(help="Requests at once.")] = None,
    budget_usd: Annotated[float | None, typer.Option(help="May spend so much.")] = None,
) -> None:
    """Make a key; its secret is shown this once."""
    options: Context = context.obj
    with guarded(options):
        database = options.database(create=True)
        from store import budgets
        from store import keys as stored

        with database.write() as connection:
            key, secret = stored.create(
                connection, tenant, name, admin=admin,
                requests_per_minute=per_minute, concurrency=concurrency,
            )  # fmt: skip
            if budget_usd is not None:
                budgets.limit(connection, f"key:{key.id}", budget_usd)
        if options.json:
            emit({"version": 1, **asdict(key), "secret": secret})
            return
        options.err().print(f"{key.id}: the secret is shown this once", markup=False)
        typer.echo(secret)


@keys.command("list")
def listing(context: typer.Context) -> None:
    """List keys, without their secrets."""
    options: Context = context.obj
    with guarded(options):
        database = options.database()
        from store import keys as stored

        with database.read() as connection:
            rows = stored.listing(connection)
        for key in rows:
            emit(asdict(key)) if options.json else typer.echo(_line(key))


@keys.command("expire")
def expire(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(help="The key's id.")],
    after: Annotated[float, typer.Option(help="Hours for which it still works.")] = 0.0,
) -> None:
    """End a key now, or after some hours (rotation: create the new one first)."""
    options: Context = context.obj
    with guarded(options):
        database = options.database()
        from store import keys as stored

        with database.write() as connection:
            stored.expire(connection, key_id, after * 3600)


def _line(key: Key) -> str:
    ends = "" if key.expires is None else f"  expires {key.expires:.0f}"
    admin = "  admin" if key.admin else ""
    return f"{key.id}  tenant {key.tenant or '(local)'}  {key.name}{admin}{ends}"

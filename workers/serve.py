"""Runs the HTTP interface in this process: its socket, its stop, and inline its workers too.

Inline, answers are made by threads of this process, without Redis: for one machine and for
the embedded client. Not here: routes (api.py), supervision (up.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket as sockets
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from pilotfish.errors import SettingsError
from pilotfish.settings import Settings
from store import items, ringing
from workers.api import create_app
from workers.bell import Bell, Kind
from workers.connections import patient
from workers.dispatch import Dispatcher
from workers.inline import InlineBell
from workers.metrics import exposition
from workers.process import Process
from workers.queue import RedisBell
from workers.tasks import make_pulse, works
from workers.upkeep import Upkeep
from workers.webhooks import Deliverer

STOP_SECONDS = 30  # answers that are on their way may take so long
BACKLOG = 2048


class Server(uvicorn.Server):
    """Lets waiting requests go when told to stop, and ends without killing the process."""

    def __init__(self, config: uvicorn.Config, closing: threading.Event) -> None:
        super().__init__(config)
        self._closing = closing

    def handle_exit(self, sig: int, frame: Any) -> None:
        self._closing.set()
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def run(
    settings: Settings, *, inline: bool = False, socket: str | None = None, as_json: bool = False
) -> None:
    """Serve until SIGTERM or SIGINT. The address is one line on stderr, JSON if `as_json`."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(listen(settings, socket))
        process = Process(settings)
        stack.callback(process.close)
        bell: Bell = stack.enter_context(_inline(process) if inline else _queue(settings))
        app = create_app(process, bell)
        process.telemetry.watch(lambda: exposition(process.database, app.state.seen))
        deliverer = Deliverer(process.database, process.owner)
        upkeep = Upkeep(deliverer, settings.service.keep_days, process.workspace.root)
        thread = upkeep.start()
        stack.callback(thread.join, 5)
        stack.callback(upkeep.stop.set)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, proxy_headers=False,
            lifespan="on", timeout_graceful_shutdown=STOP_SECONDS, ws="none",
            http=patient(settings.service.header_seconds),
        )  # fmt: skip
        announce(listening, as_json or settings.service.log_format == "json")
        Server(config, app.state.jobs.waiting.closing).run([listening])


@contextlib.contextmanager
def listen(settings: Settings, path: str | None) -> Iterator[sockets.socket]:
    """The listening socket; a unix one can be opened by this user only, and goes at the end."""
    made = _unix(Path(path)) if path else _tcp(settings.service.host, settings.service.port)
    try:
        yield made
    finally:
        made.close()
        if path:
            Path(path).unlink(missing_ok=True)


def _tcp(host: str, port: int) -> sockets.socket:
    try:
        (family, kind, protocol, _, address), *_ = sockets.getaddrinfo(
            host, port, type=sockets.SOCK_STREAM, flags=sockets.AI_PASSIVE
        )
        # asyncio switches Nagle's delay (40 ms an answer) off only where the protocol is named.
        made = sockets.socket(family, kind, protocol)
        try:
            made.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(BACKLOG)
        except BaseException:
            made.close()
            raise
    except OSError as error:
        reason = error.strerror or error
        mend = "choose another with --port or --host"
        raise SettingsError(f"cannot listen on {host}:{port}: {reason}: {mend}") from None
    return made


def _unix(path: Path) -> sockets.socket:
    """Bound with a mask of its own: there must be no moment at which others may connect."""
    made = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
    old = os.umask(0o177)
    try:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()  # left by a killed process
        made.bind(str(path))
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        mend = "choose another with --socket"
        raise SettingsError(f"cannot listen on {path}: {error.strerror or error}: {mend}") from None
    finally:
        os.umask(old)
    return made


def announce(listening: sockets.socket, as_json: bool) -> None:
    """Where we listen, for people or for the program that started us."""
    if listening.family == sockets.AF_UNIX:
        where = {"socket": str(listening.getsockname())}
        text = f"unix:{where['socket']}"
    else:
        host, port = listening.getsockname()[:2]
        text = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        where = {"url": text, "port": port}
    line = json.dumps({"listening": where, "pid": os.getpid()}) if as_json else f"listening: {text}"
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


@contextlib.contextmanager
def _queue(settings: Settings) -> Iterator[Bell]:
    bell = RedisBell(settings)
    try:
        yield bell
    finally:
        bell.close()


@contextlib.contextmanager
def _inline(process: Process) -> Iterator[Bell]:
    """Workers, their pulse and a dispatcher as threads; at the end what they hold is finished."""
    pulse = make_pulse(process)
    doing: dict[Kind, Callable[[int], None]] = {}

    def work(kind: Kind, item_id: int) -> None:
        doing[kind](item_id)

    bell = InlineBell(work, process.settings.service.threads)
    doing.update(works(process, bell, pulse))
    dispatcher = Dispatcher(process.database, bell, process.owner)
    threads = [
        threading.Thread(target=dispatcher.run, name="dispatcher", daemon=True),
        threading.Thread(target=process.warm, name="warm", daemon=True),
    ]
    with process.database.write(lock=None, durable=False) as connection:
        ringing.unring(connection)  # what waited in the memory of an earlier process
    pulse.start()
    for thread in threads:
        thread.start()
    try:
        yield bell
    finally:
        dispatcher.stop.set()
        for thread in threads:
            thread.join(10)
        bell.close()
        pulse.stop.set()
        with process.database.write() as connection:
            items.let_go(connection, process.owner)

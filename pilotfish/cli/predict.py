"""`tune classifier`, `tune demos`, `predict`, and `helpers`: all that was fitted here."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pilotfish.cli.context import Context, emit, emit_object, guarded
from pilotfish.cli.judging import read_rows
from pilotfish.cli.output import writable
from pilotfish.cli.progress import Meter
from pilotfish.cli.tune import group
from pilotfish.files import write_text

if TYPE_CHECKING:
    from store.tuned import Listed


def register(app: typer.Typer) -> None:
    group(app).command("classifier")(classifier)
    group(app).command("demos")(demos)
    app.command("predict")(predict)
    app.command("helpers")(helpers)


def classifier(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is called from now on.")],
    texts: Annotated[
        Path, typer.Argument(help='JSON lines of {"text", "label"}, or {"fields": {}, "label"}.')
    ],
) -> None:
    """Train a small classifier of texts, or of rows of a table; it says how sure it is, and why."""
    options: Context = context.obj
    with guarded(options):
        options.attach()
        from pipeline.classifiers import checked, read_labelled, train

        checked(name)
        read_labelled(texts)  # before a workspace is made
        told = train(options.library(create=True), name, texts)
        from models.classifier.fit import told as in_words

        if options.json:
            emit_object(told)
        options.err().print(
            f"{name}: {len(told['labels'])} labels from {told['texts']} texts; {in_words(told)}",
            markup=False,
        )


def demos(
    context: typer.Context,
    data: Annotated[Path, typer.Argument(help='JSON lines of {"task"?, "input", "output"}.')],
    name: Annotated[str, typer.Option("--name", help="What the pool is called.")] = "default",
    scorer: Annotated[
        str, typer.Option("--scorer", help="Who says what helped: reader, local:NAME, llm:NAME.")
    ] = "reader",
    calls: Annotated[int, typer.Option("--calls", min=0, help="LLM calls of llm:NAME.")] = 0,
) -> None:
    """Learn which solved examples help, and leave out those of tasks where they do not."""
    options: Context = context.obj
    with guarded(options):
        options.attach()
        from pipeline.classifiers import checked
        from pipeline.demo_scorers import scorer as scorer_of
        from pipeline.demonstrations import read_demos, tune

        checked(name)
        given = read_demos(data)
        library = options.library(create=True)
        encoder = library.encoder
        by = scorer_of(library.parts, library.purse(), scorer, calls)
        told = tune(library.parts, name, given, (encoder.name, encoder.fingerprint), by)
        if options.json:
            emit_object(told)
        err = options.err()
        err.print(f"{name}: {told['demonstrations']} demonstrations", markup=False)
        for task, gate in told["gates"].items():
            said = "left out: they did not help" if gate == "none" else f"picked by {gate}"
            err.print(f"  {task or 'all'}: {said}", markup=False)


def predict(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A classifier of tune classifier.")],
    texts: Annotated[
        Path, typer.Argument(help='JSON lines of {"id", "text"}, or {"id", "fields": {}}.')
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Predictions to write, or -.")],
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not tell by words what the meaning told.")
    ] = False,
) -> None:
    """Label texts: for each its label, how likely that is right, and because of what."""
    options: Context = context.obj
    with guarded(options):
        rows = read_rows(texts, ("text",), ("fields",))
        writable(texts, output)
        library = options.library()
        from pipeline.classifiers import held, predicted

        lines = []
        with Meter(options, "texts", len(rows)) as meter:
            for row in predicted(held(library, name), rows, quick=quick):
                lines.append(json.dumps(row, ensure_ascii=False) + "\n")
                meter.tick()
        write_text(output, "".join(lines))


def helpers(context: typer.Context) -> None:
    """What was fitted to the collections of this workspace, and what it was measured at."""
    options: Context = context.obj
    with guarded(options):
        database = options.database()
        from store import tuned

        with database.read() as connection:
            found = tuned.every(connection)
        for one in found:
            emit(_fields(one)) if options.json else _print(options, one)
        if not found:
            options.err().print("nothing was fitted here yet: see pilotfish tune --help")


def _fields(one: Listed) -> dict[str, Any]:
    return {
        "collection": one.collection,
        "name": one.name,
        "labels": one.labels,
        "fitted": _day(one.created),
        "bytes": one.size,
        "measured": dict(one.measured),
    }


def _print(options: Context, one: Listed) -> None:
    out = options.out()
    head = f"{one.name}  ({one.collection}, {one.labels} labels, {_day(one.created)})"
    out.print(head, markup=False, style="bold")
    for name, value in one.measured.items():
        shown = (
            ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        )
        out.print(f"    {name}: {shown}", markup=False)


def _day(created: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(created))

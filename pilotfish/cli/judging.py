"""`verify` and `read`: the small judges over a file of pairs; no workspace is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotfish.cli.context import Context, guarded
from pilotfish.cli.output import writable
from pilotfish.cli.progress import Meter
from pilotfish.errors import InputError
from pilotfish.files import read_text, write_text

if TYPE_CHECKING:
    from pipeline.judges import Judges

Output = Annotated[Path, typer.Option("-o", "--output", help="Results as JSON lines, or -.")]
Row = dict[str, object]
_AT_ONCE = 64


def register(app: typer.Typer) -> None:
    app.command("verify")(verify)
    app.command("read")(read)


def verify(
    context: typer.Context,
    pairs: Annotated[
        Path, typer.Argument(help="JSON lines of {id, claim, evidence}, or {id, claim, table}.")
    ],
    output: Output,
) -> None:
    """For each claim: is it supported, contradicted, or neither by its evidence?

    With "table" for evidence it is held against the collection's table of that id.
    """
    options: Context = context.obj
    with guarded(options):
        rows = read_rows(pairs, ("claim", "evidence"), ("claim", "table"))
        if any("table" in row for row in rows):
            _against_tables(options, pairs, output, rows)
        else:
            _each(options, pairs, output, rows, "claims")


def read(
    context: typer.Context,
    pairs: Annotated[Path, typer.Argument(help="JSON lines of {id, question, context}.")],
    output: Output,
) -> None:
    """For each question: the stretch of its context that answers, and how sure that is."""
    options: Context = context.obj
    with guarded(options):
        rows = read_rows(pairs, ("question", "context"))
        _each(options, pairs, output, rows, "questions")


def _against_tables(options: Context, source: Path, output: Path, rows: list[Row]) -> None:
    """Claims about tables of the collection."""
    mixed = [str(row["id"]) for row in rows if "table" not in row]
    if mixed:
        told = ", ".join(mixed[:20])
        raise InputError(f"{source}: {told}: evidence among claims about tables: use two files")
    writable(source, output)
    library = options.library()
    from pipeline.table_claims import held_against

    with Meter(options, "claims", len(rows)) as meter:
        lines = []
        for row in rows:
            found = held_against(library, str(row["claim"]), str(row["table"]))
            lines.append(json.dumps({"id": row["id"], **found}, ensure_ascii=False) + "\n")
            meter.tick()
    write_text(output, "".join(lines))


def _each(options: Context, source: Path, output: Path, rows: list[Row], what: str) -> None:
    writable(source, output)
    options.attach()
    from pipeline.judges import judges

    made = judges(options.settings())
    lines: list[str] = []
    with Meter(options, what, len(rows)) as meter:
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            lines += (json.dumps(line, ensure_ascii=False) for line in _judged(made, some))
            for _ in some:
                meter.tick()
    write_text(output, "".join(line + "\n" for line in lines))


def _judged(made: Judges, rows: Sequence[Row]) -> Iterator[Row]:
    if "claim" in rows[0]:
        for row, found in zip(rows, made.verdicts(_pairs(rows, "claim", "evidence")), strict=True):
            told = (found.supported, found.contradicted, found.unsupported)
            names = ("supported", "contradicted", "unsupported")
            yield {"id": row["id"], **dict(zip(names, (round(p, 6) for p in told), strict=True))}
        return
    for row, one in zip(rows, made.reader(_pairs(rows, "question", "context")), strict=True):
        yield {
            "id": row["id"],
            "answer": one.answer,
            "start": one.start,
            "end": one.end,
            "support": one.support,
        }


def _pairs(rows: Sequence[Row], first: str, second: str) -> list[tuple[str, str]]:
    return [(str(row[first]), str(row[second])) for row in rows]


def read_rows(path: Path, *wanted: tuple[str, ...]) -> list[Row]:
    """The rows of a file, each with one of these sets of texts; bad lines are named at once.

    What is called "fields" is the row of a table: an object.
    """
    found: list[Row] = []
    bad: list[str] = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            rows = [row for some in wanted if (row := _row(line, some))]
            bad += [] if rows else [str(number)]
            found += rows[:1]
    if bad or not found:
        what = f"lines {', '.join(bad[:20])} are not" if bad else "no line is"
        fields = " (or ".join(" and ".join(some) for some in wanted)
        fields += ")" * (len(wanted) - 1)
        raise InputError(f"{path}: {what} a JSON object with id, {fields}: correct the file")
    return found


def _row(line: str, wanted: tuple[str, ...]) -> Row | None:
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    good = isinstance(fields, dict) and "id" in fields
    kinds = {name: dict if name == "fields" else str for name in wanted}
    if not good or not all(isinstance(fields.get(name), kind) for name, kind in kinds.items()):
        return None
    return {"id": fields["id"], **{name: fields[name] for name in wanted}}

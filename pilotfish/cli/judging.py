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
    pairs: Annotated[Path, typer.Argument(help="JSON lines of {id, claim, evidence}.")],
    output: Output,
) -> None:
    """For each claim: is it supported, contradicted, or neither by its evidence?"""
    options: Context = context.obj
    with guarded(options):
        rows = read_rows(pairs, ("claim", "evidence"))
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


def read_rows(path: Path, wanted: tuple[str, str]) -> list[Row]:
    """The rows of a file; all bad lines are named at once."""
    found: list[Row] = []
    bad: list[str] = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            row = _row(line, wanted)
            bad += [] if row else [str(number)]
            found += [row] if row else []
    if bad or not found:
        what = f"lines {', '.join(bad[:20])} are not" if bad else "no line is"
        raise InputError(
            f"{path}: {what} a JSON object with id, {wanted[0]} and {wanted[1]}: correct the file"
        )
    return found


def _row(line: str, wanted: tuple[str, str]) -> Row | None:
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    good = isinstance(fields, dict) and "id" in fields
    if not good or not all(isinstance(fields.get(name), str) for name in wanted):
        return None
    return {"id": fields["id"], **{name: fields[name] for name in wanted}}

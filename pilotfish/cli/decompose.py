"""`decompose`: questions into sub-questions, by the small model; needs no workspace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotfish.cli.context import Context, guarded
from pilotfish.cli.output import writable
from pilotfish.errors import InputError
from pilotfish.files import read_text, write_text

if TYPE_CHECKING:
    from prompters.decompose import Decomposer


def register(app: typer.Typer) -> None:
    app.command("decompose")(decompose)


def decompose(
    context: typer.Context,
    questions: Annotated[Path, typer.Argument(help="JSON lines of {id, question}.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="JSON lines to write; - for stdout.")
    ] = Path("-"),
    rules: Annotated[
        bool, typer.Option("--rules", help="By patterns of words: the baseline.")
    ] = False,
) -> None:
    """Split questions into sub-questions: {id, hops, subquestions}; #1 is an earlier answer."""
    options: Context = context.obj
    with guarded(options):
        writable(questions, output)
        asked = read_asked(questions)
        options.attach()
        from prompters.decompose import Decomposer

        made = Decomposer() if rules else Decomposer.shipped()
        write_text(output, "".join(_line(made, *each) for each in asked))


def _line(made: Decomposer, own_id: object, question: str) -> str:
    found = made(question)
    row = {"id": own_id, "hops": found.hops, "subquestions": list(found.subquestions)}
    return json.dumps(row, ensure_ascii=False) + "\n"


def read_asked(path: Path) -> list[tuple[object, str]]:
    """(id, question) of each line; all bad lines are named at once."""
    found: list[tuple[object, str]] = []
    bad: list[str] = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            question = fields["question"]
            if not isinstance(question, str) or not question.strip():
                raise ValueError("no question")
            found.append((fields["id"], question))
        except (ValueError, KeyError, TypeError):
            bad.append(str(number))
    if bad or not found:
        what = f"lines {', '.join(bad[:20])} are" if bad else "no line is"
        raise InputError(f"{path}: {what} not a JSON object with id and question: mend them")
    return found

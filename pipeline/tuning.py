"""Labelled questions over structures: read, checked, fitted, kept with the collection.

Not here: the models that are fitted (retrievers/graph/tune.py, retrievers/tableqa/).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pilotfish.errors import InputError
from pipeline.labelled_lines import read_lines
from pipeline.library import Library
from retrievers.graph import tune
from retrievers.graph.held import NAME
from retrievers.tableqa.denotation import denotation
from retrievers.tableqa.fitting import Example
from retrievers.tableqa.solver import Solver
from retrievers.tables.held import NAME as TABLES
from store import tuned


@dataclass(frozen=True, slots=True)
class Labelled:
    """One labelled question. `where` is its topic or its table."""

    question: str
    where: str
    answers: tuple[str, ...]
    path: tuple[str, ...] = ()


def tune_graph(library: Library, path: Path) -> dict[str, Any]:
    """Fit the scorer of paths and keep it; InputError where nothing can be learned."""
    labelled = read_labelled(path, "topic")
    reading = library.parts.graphs.reading()
    if reading is None:
        raise InputError("the collection has no graph: add triples first (pilotfish add FILE)")
    rows = [tune.Labelled(one.question, one.where, one.answers, one.path) for one in labelled]
    fitted = tune.fit(reading.reader, rows)
    if fitted is None:
        raise InputError(f"{path}: no topic of it is in the graph, or no path leads to an answer")
    body = fitted.packed()
    with library.database.write() as connection:
        tuned.put(connection, library.collection().id, NAME, fitted.used, body)
    return {"questions": fitted.given, "used": fitted.used, "accuracy": round(fitted.accuracy, 4)}


def tune_tables(library: Library, path: Path) -> dict[str, Any]:
    """Fit the ranking of programs on top of the shipped weights, and keep it."""
    labelled = read_labelled(path, "table")
    examples, missing = _examples(library, labelled)
    if not examples:
        raise InputError(f"{path}: no table of it is in the collection (first: {missing[0]!r})")
    start = Solver.load()
    try:
        fitted = Solver.fit(examples, start=start.weights)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    body = io.BytesIO()
    fitted.weights.save(body)
    with library.database.write() as connection:
        here = library.collection().id
        tuned.put(connection, here, TABLES, len(examples), body.getvalue())
    told = {"questions": len(labelled), "used": len(examples)}
    return told | {"accuracy": round(_held_out(examples, start), 4)}


def _examples(library: Library, labelled: Sequence[Labelled]) -> tuple[list[Example], list[str]]:
    """The questions with their tables, and the tables that are not there."""
    found, missing = [], []
    for one in labelled:
        laid = library.parts.tables.find(one.where)
        if laid is None:
            missing.append(one.where)
            continue
        table = laid.table
        title = table.title if table.title != table.name else ""
        found.append(Example(one.question, table.columns, table.rows, one.answers, title=title))
    return found, missing


def _held_out(examples: Sequence[Example], start: Solver) -> float:
    """The share of right answers, each half fitted without the other; half of few are one."""
    right = 0
    for half in (0, 1):
        taught, asked = examples[1 - half :: 2], examples[half::2]
        try:
            solver = Solver.fit(taught, start=start.weights) if taught else start
        except ValueError:  # none of this half can be learned from
            solver = start
        right += sum(_right(solver, one) for one in asked)
    return right / len(examples)


def _right(solver: Solver, one: Example) -> bool:
    found = solver.answer(one.text, one.columns, one.rows, one.title)
    return bool(found) and denotation(found[0].values) == denotation(one.answers)


def read_labelled(path: Path, where: str) -> list[Labelled]:
    """The questions of a file; all bad lines are named at once. `where`: topic or table."""
    return read_lines(path, partial(_labelled, where), "questions")


def _labelled(where: str, fields: Mapping[str, Any]) -> Labelled | str:
    """The line's question, or what is wrong with it."""
    for name in ("question", where):
        if not isinstance(fields.get(name), str) or not fields[name].strip():
            return f"no field {name!r} with text"
    answers, path = _texts(fields, "answers"), _texts(fields, "path")
    if answers is None or not answers:
        return "no field 'answers' with a list of texts"
    if path is None:
        return "field 'path' is no list of relations"
    return Labelled(fields["question"].strip(), fields[where], answers, path)


def _texts(fields: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """A list of texts (numbers are taken as text); empty where it is left out; None: no list."""
    value = fields.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, str | int | float) for one in value):
        return None
    return tuple(str(one) for one in value)

"""Pools of demonstrations of a workspace: read from files, tuned, kept with the collection.

Accepted answers (pilotfish feedback) are no demonstrations: what a reply repeats of one would
outlive the documents that it quoted. Not here: tuning (demo_fit.py), picking
(prompters/demonstrations/).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pilotfish.errors import InputError, NotFound
from pipeline.demo_fit import tuned as fitted
from pipeline.demo_scorers import Scorer
from pipeline.labelled_lines import read_lines
from pipeline.parts import Parts
from prompters.demonstrations.pool import Demo, Pool, unpacked
from store import tuned

PREFIX = "demos:"
INPUTS = ("input", "question", "text")
OUTPUTS = ("output", "answer", "label")


def tune(
    parts: Parts, name: str, demos: Sequence[Demo], encoder: tuple[str, str], by: Scorer
) -> dict[str, Any]:
    """Fit adapter and gates on these demonstrations, scored by a frozen model; keep the pool."""
    pool = Pool(tuple(demos), parts.embed([one.input for one in demos]), encoder)
    made = fitted(pool, by.success, candidates=by.candidates, inputs=by.inputs)
    measured = {task or "all": found for task, found in made.measured.items()}
    with parts.shelf.database.write() as connection:
        body = made.pool.packed()
        tuned.put(connection, parts.collection_id, PREFIX + name, len(demos), body, measured)
    return {"name": name, "demonstrations": len(demos), "gates": dict(made.pool.gates)} | measured


def pool_of(parts: Parts, name: str, fingerprint: str) -> Callable[[], Pool | None]:
    """The pool of that name, read when it is asked for; NotFound where there is none."""
    database, here = parts.shelf.database, parts.collection_id

    def current() -> Pool | None:
        with database.read() as connection:
            kept = tuned.of(connection, here, PREFIX + name)
        if kept is None:
            raise NotFound(f"no demonstrations {name!r}: pilotfish tune demos DATA --name {name}")
        pool = unpacked(kept.body)
        if pool.encoder[1] != fingerprint:
            raise InputError(
                f"demonstrations {name!r} were tuned over other weights: pilotfish tune demos again"
            )
        return pool

    return current


def read_demos(path: Path) -> list[Demo]:
    """The demonstrations of a file; all bad lines are named at once."""
    return read_lines(path, _demo, "demonstrations")


def _demo(fields: dict[str, Any]) -> Demo | str:
    given, output = (next((fields[n] for n in names if n in fields), None)
                     for names in (INPUTS, OUTPUTS))  # fmt: skip
    if not isinstance(given, str) or not given.strip():
        return "no field 'input' with text"
    if not isinstance(output, str | int | float) or not str(output).strip():
        return "no field 'output' with text"
    return Demo(given.strip(), str(output).strip(), str(fields.get("task") or ""))

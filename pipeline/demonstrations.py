"""Pools of demonstrations of a workspace: read from files, tuned, kept with the collection.

Accepted answers (pilotfish feedback) are demonstrations of the task `accepted`. Their words are
never copied into a pool: they are read from the items when they are needed, so that they go when
the items lose their text. Not here: tuning (demo_fit.py), picking (prompters/demonstrations/).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pilotfish.errors import InputError, NotFound
from pilotfish.files import read_text
from pipeline.demo_fit import tuned as fitted
from pipeline.parts import Parts
from prompters.demonstrations.pool import Demo, Pool, unpacked
from store import labels, tuned
from store.database import Database

PREFIX, ACCEPTED = "demos:", "accepted"
INPUTS = ("input", "question", "text")
OUTPUTS = ("output", "answer", "label")


def tune(
    parts: Parts, name: str, demos: Sequence[Demo], encoder: tuple[str, str]
) -> dict[str, Any]:
    """Fit adapter and gates on these demonstrations and the accepted answers; keep the pool."""
    database, here = parts.shelf.database, parts.collection_id
    every = [*demos, *accepted(database, here)]
    if not every:
        raise InputError("there are no demonstrations: give a file, or label answers as right")
    vectors = parts.embed([one.input for one in every])
    made = fitted(Pool(tuple(every), vectors, encoder))
    own = [at for at, one in enumerate(made.pool.demos) if one.item is None]
    kept = replace(made.pool, demos=tuple(made.pool.demos[at] for at in own), vectors=vectors[own])
    measured = {task or "all": found for task, found in made.measured.items()}
    with database.write() as connection:
        tuned.put(connection, here, PREFIX + name, len(every), kept.packed(), measured)
    return {"name": name, "demonstrations": len(every), "gates": dict(kept.gates)} | measured


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
        return _with_accepted(pool, parts)

    return current


def _with_accepted(pool: Pool, parts: Parts) -> Pool:
    """The pool with accepted answers as they are now, if their gate is open."""
    if pool.gates.get(ACCEPTED, "none") == "none":
        return pool
    more = accepted(parts.shelf.database, parts.collection_id)
    if not more:
        return pool
    vectors = parts.embed([one.input for one in more])
    whole = np.concatenate([pool.vectors, vectors]) if len(pool.vectors) else vectors
    return replace(pool, demos=(*pool.demos, *more), vectors=whole)


def accepted(database: Database, collection_id: int) -> list[Demo]:
    """Answers that somebody called right, or the right ones they gave."""
    with database.read() as connection:
        found = labels.accepted(connection, collection_id)
    return [Demo(question, answer, ACCEPTED, item) for item, question, answer in found]


def read_demos(path: Path) -> list[Demo]:
    """The demonstrations of a file; all bad lines are named at once."""
    found, bad = [], []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            one = _demo(line)
            (bad.append(f"line {number}: {one}") if isinstance(one, str) else found.append(one))
    if bad:
        more = f"\n  and {len(bad) - 20} more" if len(bad) > 20 else ""
        told = "\n  ".join(bad[:20])
        raise InputError(f"{path}: {len(bad)} lines are no demonstrations:\n  {told}{more}")
    if not found:
        raise InputError(f"{path} holds no demonstrations: give one a line")
    return found


def _demo(line: str) -> Demo | str:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return "not valid JSON"
    if not isinstance(fields, dict):
        return "not a JSON object"
    given, output = (next((fields[n] for n in names if n in fields), None)
                     for names in (INPUTS, OUTPUTS))  # fmt: skip
    if not isinstance(given, str) or not given.strip():
        return "no field 'input' with text"
    if not isinstance(output, str | int | float) or not str(output).strip():
        return "no field 'output' with text"
    return Demo(given.strip(), str(output).strip(), str(fields.get("task") or ""))

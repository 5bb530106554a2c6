"""Classifiers of a workspace: trained from labelled texts, kept with the collection.

Not here: the model (models/classifier/), loading one (classifier_held.py), hints and answers made
of it (prompters/predict.py, classify_tier.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pilotfish.errors import InputError
from pilotfish.files import read_text
from pipeline.classifier_held import PREFIX, Held, loaded, matching
from pipeline.library import Library
from store import tuned

AT_ONCE = 256  # texts that are encoded between two looks at the clock
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def train(library: Library, name: str, path: Path) -> dict[str, Any]:
    """Train on the labelled texts of a file and keep it; what it was measured at.

    InputError names the file's bad lines, or why nothing can be learned.
    """
    from models.classifier.fit import Labelled, fit

    checked(name)
    rows = read_labelled(path)
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    encoder = library.encoder
    try:
        made = fit(
            Labelled(texts, labels, encoder.encode(texts)), (encoder.name, encoder.fingerprint)
        )
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    with library.database.write() as connection:
        here = library.collection().id
        tuned.put(connection, here, PREFIX + name, len(rows), made.packed(), made.measured)
    return {"name": name, "texts": len(rows), "labels": list(made.labels), **made.measured}


def held(library: Library, name: str) -> Held:
    """The classifier of that name; NotFound names those there are."""
    found = loaded(library.database, library.collection().id, name)
    encoder = library.encoders(*found.model.encoder)
    return matching(found, encoder.encode, encoder.fingerprint)


def predicted(one: Held, rows: Sequence[dict[str, object]]) -> Iterator[dict[str, Any]]:
    """{"id", "label", "confidence", "because"} of each {"id", "text"}."""
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        for row, found in zip(some, one([str(row["text"]) for row in some]), strict=True):
            fields = asdict(found)
            because = [{"feature": name, "weight": weight} for name, weight in found.because]
            yield {"id": row["id"], "label": fields["label"],
                   "confidence": fields["confidence"], "because": because}  # fmt: skip


def checked(name: str) -> str:
    """A name that may stand in settings and commands."""
    if not _NAME.fullmatch(name):
        raise InputError(f"no name for a classifier: {name!r}: use letters, digits, . _ and -")
    return name


def read_labelled(path: Path) -> list[tuple[str, str]]:
    """(text, label) of each line; all bad lines are named at once."""
    found, bad = [], []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        one = _labelled(line)
        (bad.append(f"line {number}: {one}") if isinstance(one, str) else found.append(one))
    if bad:
        more = f"\n  and {len(bad) - 20} more" if len(bad) > 20 else ""
        told = "\n  ".join(bad[:20])
        raise InputError(f"{path}: {len(bad)} lines cannot be learned from:\n  {told}{more}")
    if not found:
        raise InputError(f"{path} holds no labelled texts: give one a line")
    return found


def _labelled(line: str) -> tuple[str, str] | str:
    """The line's text and label, or what is wrong with it."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return "not valid JSON"
    if not isinstance(fields, dict):
        return "not a JSON object"
    text, label = fields.get("text"), fields.get("label")
    if not isinstance(text, str) or not text.strip():
        return "no field 'text' with text"
    if not isinstance(label, str | int | float) or not str(label).strip():
        return "no field 'label'"
    return text, str(label)

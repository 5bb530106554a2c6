"""Classifiers of a workspace: trained from labelled texts or rows, kept with the collection.

Not here: the model (models/classifier/), loading one (classifier_held.py), hints and answers made
of it (prompters/predict.py, classify_tier.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.classifier.model import Prediction
from models.classifier.rows import row_text
from models.classifier.trees import Trees
from pilotfish.errors import InputError
from pipeline.classifier_held import PREFIX, Held, loaded, matching
from pipeline.labelled_lines import read_lines
from pipeline.library import Library
from store import tuned

AT_ONCE = 64  # texts that are encoded between two looks at the clock
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def train(library: Library, name: str, path: Path) -> dict[str, Any]:
    """Train on the labelled texts, or rows, of a file and keep it; what it was measured at.

    InputError names the file's bad lines, or why nothing can be learned.
    """
    from models.classifier.fit import Labelled, fit
    from models.classifier.fit_trees import fit_rows

    checked(name)
    given = read_labelled(path)
    texts, labels = [one.text for one in given], [one.label for one in given]
    rows = [one.fields for one in given if one.fields is not None]
    encoder = library.encoder
    encodes = (encoder.name, encoder.fingerprint)
    learned = Labelled(texts, labels, encoder.encode(texts))
    try:
        made = fit_rows(learned, rows, encodes) if rows else fit(learned, encodes)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    with library.database.write() as connection:
        here = library.collection().id
        tuned.put(connection, here, PREFIX + name, len(given), made.packed(), made.measured)
    return {"name": name, "texts": len(given), "labels": list(made.labels), **made.measured}


def held(library: Library, name: str) -> Held:
    """The classifier of that name; NotFound names those there are."""
    found = loaded(library.database, library.collection().id, name)
    encoder = library.encoders(*found.model.encoder)
    return matching(found, encoder.encode, encoder.fingerprint)


def predicted(
    one: Held, rows: Sequence[dict[str, object]], *, quick: bool = False
) -> Iterator[dict[str, Any]]:
    """{"id", "label", "confidence", "because"} of each {"id", "text"} or {"id", "fields"}.

    quick: what the vector told is one reason, not told by words.
    """
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        for row, found in zip(some, _said(one, some, quick), strict=True):
            fields = asdict(found)
            because = [{"feature": name, "weight": weight} for name, weight in found.because]
            yield {"id": row["id"], "label": fields["label"],
                   "confidence": fields["confidence"], "because": because}  # fmt: skip


def _said(one: Held, some: Sequence[dict[str, object]], quick: bool) -> list[Prediction]:
    """Predictions in order; a line has the fields of a row, or a text."""
    fields = [row.get("fields") for row in some]
    if isinstance(one.model, Trees) and all(isinstance(row, dict) for row in fields):
        return one.rows([row for row in fields if isinstance(row, dict)])
    say = one if quick else one.why
    return say([row_text(row) if isinstance(row, dict) else str(line["text"])
                for row, line in zip(fields, some, strict=True)])  # fmt: skip


def checked(name: str) -> str:
    """A name that may stand in settings and commands."""
    if not _NAME.fullmatch(name):
        raise InputError(f"no name for a classifier: {name!r}: use letters, digits, . _ and -")
    return name


@dataclass(frozen=True, slots=True)
class Given:
    """A labelled text; `fields`: the row that it is written from, None where it is none."""

    text: str
    label: str
    fields: dict[str, object] | None = None


def read_labelled(path: Path) -> list[Given]:
    """The labelled texts or rows of a file; all bad lines are named at once."""
    found = read_lines(path, _labelled, "labelled texts")
    if len({one.fields is None for one in found}) > 1:
        raise InputError(f"{path} holds both texts and fields: give one kind, or two files")
    return found


def _labelled(fields: dict[str, Any]) -> Given | str:
    """The line's text or row, and its label, or what is wrong with it."""
    text, row, label = fields.get("text"), fields.get("fields"), fields.get("label")
    if isinstance(row, dict) and row_text(row) and text is None:
        text = row_text(row)
    elif not isinstance(text, str) or not text.strip():
        return "no field 'text' with text, nor 'fields' with a row"
    else:
        row = None
    if not isinstance(label, str | int | float) or not str(label).strip():
        return "no field 'label'"
    return Given(text, str(label), row)

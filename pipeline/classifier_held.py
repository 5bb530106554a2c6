"""A classifier that was kept with a collection, loaded once a process while it stays the same.

Not here: training (classifiers.py), what its labels are used for (classify_tier.py).
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.classifier import trees
from models.classifier.because import explained
from models.classifier.model import Classifier, Example, Prediction, unpacked
from models.classifier.rows import Row, row_text
from models.classifier.trees import Trees
from pilotfish.errors import InputError, NotFound
from store import tuned
from store.calibrations import told
from store.database import Database

PREFIX = "classifier:"
_KEPT = 8
_held: OrderedDict[tuple[int, str, float], Held] = OrderedDict()
Encode = Callable[[Sequence[str]], NDArray[np.float32]]


def _nothing(texts: Sequence[str]) -> NDArray[np.float32]:
    raise AssertionError("no encoder was given")


@dataclass(frozen=True, slots=True)
class Held:
    """A classifier and what its vectors come from. `where`: on how many labels, and when."""

    name: str
    model: Classifier | Trees
    where: str
    encode: Encode = _nothing

    def __call__(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction a text; rows of a table are written as `Header: value; ...`."""
        if isinstance(self.model, Trees):
            return self.model.read(texts)
        return self.model.predict(texts, self.encode(texts))

    def rows(self, rows: Sequence[Row]) -> list[Prediction]:
        """One prediction a row of a table."""
        if isinstance(self.model, Trees):
            return self.model.predict(rows)
        return self([row_text(row) for row in rows])

    def why(self, texts: Sequence[str]) -> list[Prediction]:
        """As a call, with reasons by words also of what the vectors told; far slower."""
        if isinstance(self.model, Trees):
            return self.model.read(texts)
        return explained(self.model, self.encode, texts)

    def one(self, text: str) -> Prediction:
        """The prediction of a text."""
        return self([text])[0]

    def look(self, text: str, k: int) -> tuple[Prediction, list[Example]]:
        """The prediction, and the k nearest training texts, the nearest last."""
        vectors, model = self.encode([text]), self.model
        found = model.read([text]) if isinstance(model, Trees) else model.predict([text], vectors)
        return found[0], model.nearest(vectors[0], k)


def loaded(database: Database, collection_id: int, name: str) -> Held:
    """The classifier of that name, without an encoder; NotFound names those there are."""
    with database.read() as connection:
        created = tuned.made(connection, collection_id, PREFIX + name)
        key = (collection_id, name, created)
        if (known := _held.get(key)) is not None:
            return known
        kept = tuned.of(connection, collection_id, PREFIX + name)
        if kept is None:
            names = [one.name.removeprefix(PREFIX) for one in tuned.every(connection)
                     if one.name.startswith(PREFIX)]  # fmt: skip
            there = f"there are {', '.join(names)}" if names else "there is none"
            mend = "pilotfish tune classifier NAME TRAIN.jsonl"
            raise NotFound(f"no classifier {name!r} ({there}): {mend}")
    model = trees.unpacked(kept.body) or unpacked(kept.body)
    _held[key] = found = Held(name, model, told(kept.labels, kept.created))
    while len(_held) > _KEPT:
        with contextlib.suppress(KeyError):  # another thread was faster
            _held.popitem(last=False)
    return found


def matching(found: Held, encode: Encode, fingerprint: str) -> Held:
    """The classifier over this encoder; InputError when it was trained over another."""
    if fingerprint != found.model.encoder[1]:
        raise InputError(
            f"classifier {found.name!r} was trained over other weights ({found.model.encoder[0]} "
            f"{found.model.encoder[1][:8]}): train it again"
        )
    return replace(found, encode=encode)

"""A classifier that was kept with a collection, loaded once a process while it stays the same.

Not here: training (classifiers.py), what its labels are used for (classify_tier.py).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.classifier.model import Classifier, Example, Prediction, unpacked
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
    model: Classifier
    where: str
    encode: Encode = _nothing

    def __call__(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction a text."""
        return self.model.predict(texts, self.encode(texts))

    def one(self, text: str) -> Prediction:
        """The prediction of a text."""
        return self([text])[0]

    def look(self, text: str, k: int) -> tuple[Prediction, list[Example]]:
        """The prediction, and the k nearest training texts, the nearest last."""
        vectors = self.encode([text])
        return self.model.predict([text], vectors)[0], self.model.nearest(vectors[0], k)


def loaded(database: Database, collection_id: int, name: str) -> Held:
    """The classifier of that name, without an encoder; NotFound names those there are."""
    with database.read() as connection:
        created = tuned.made(connection, collection_id, PREFIX + name)
        key = (collection_id, name, created)
        if key in _held:
            return _held[key]
        kept = tuned.of(connection, collection_id, PREFIX + name)
        if kept is None:
            names = [one.name.removeprefix(PREFIX) for one in tuned.every(connection)
                     if one.name.startswith(PREFIX)]  # fmt: skip
            there = f"there are {', '.join(names)}" if names else "there is none"
            mend = "pilotfish tune classifier NAME TRAIN.jsonl"
            raise NotFound(f"no classifier {name!r} ({there}): {mend}")
    _held[key] = found = Held(name, unpacked(kept.body), told(kept.labels, kept.created))
    while len(_held) > _KEPT:
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

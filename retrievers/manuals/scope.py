"""Which pages a request needs: log-odds of every page, a weighted sum of features.

Meaning (the page's description, and all its sections softly), words (BM25 over the page, and over
its prose alone), its name in the request, and its traits. Editions of one command (common, Linux)
share what was found for any of them. The weights were fitted by benchmarks/fit_manual.py and
measured on commands that they were not fitted to. Not here: sections (retrievers/manual.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.tokens import tokens
from retrievers.manuals.traits import COMMON, TRAITS, Page, names_of, prose, traits
from retrievers.manuals.words import Words

Floats = NDArray[np.float32]
ASKED = ("description", "sections", "words", "prose", "name", "first", "rare_name")
FEATURES = (*ASKED, *TRAITS)
_SHARP = 20.0  # of the soft maximum over a page's sections
_SCALE, _HEIGHT = 8.0, 4.0  # of cosines and of BM25, so that all weights are of one size
_SAID = {"osx": "mac macos osx os-x darwin", "windows": "windows powershell cmd", "dos": "dos"}
_WORD = re.compile(r"[\w.+-]+")


@cache
def weights() -> dict[str, float]:
    """The fitted weight of each of FEATURES."""
    kept = json.loads((Path(__file__).parent / "weights.json").read_text(encoding="utf-8"))
    return {name: float(kept["weights"][name]) for name in FEATURES}


class Scope:
    """`vectors`: one row a section, all pages' sections in the order of the pages."""

    def __init__(self, pages: Sequence[Page], vectors: Floats) -> None:
        self.pages, self.vectors = pages, vectors
        self.names = names_of(pages)
        self.starts = np.cumsum([0, *(len(page.texts) for page in pages)])[:-1]
        self.words = Words([tokens(f"{page.name} {page.text}") for page in pages])
        self.prose = Words([tokens(f"{page.name} {prose(page.text)}") for page in pages])
        self._traits = traits(pages, self.names)
        self._editions = [np.array(at) for at in self.names.values() if len(at) > 1]
        self._said = 1 / np.sqrt(1 + np.expm1(self._traits[:, TRAITS.index("in_words")]))
        self._platforms = np.array([page.platform for page in pages])

    def near(self, vector: Floats) -> Floats:
        """Cosine of every section; 0 for those that have no vector yet."""
        if not self.vectors.shape[1]:  # none has one
            return np.zeros(len(self.vectors), dtype=np.float32)
        cosines: Floats = self.vectors @ vector
        return cosines

    def features(self, request: str, cosines: Floats) -> Floats:
        """Rows of FEATURES, one a page. cosines: those of `near`, zeros where none are known."""
        asked = tokens(request)
        soft = np.add.reduceat(np.exp(_SHARP * (cosines - 0.5)), self.starts) + 1e-6
        found = [
            _SCALE * cosines[self.starts],
            _SCALE * np.log(soft) / _SHARP,
            _topped(self.words(asked)),
            _topped(self.prose(asked)),
            *self._named(request),
        ]
        shared = np.stack(found, axis=1).astype(np.float32)
        for at in self._editions:
            shared[at] = shared[at].max(axis=0)
        kept = self._traits
        if meant := self._meant(request):
            kept = kept.copy()
            kept[np.isin(self._platforms, list(meant)), TRAITS.index("other")] = 0.0
        return np.hstack([shared, kept])

    def __call__(self, request: str, cosines: Floats) -> Floats:
        """Log-odds of every page, up to a constant of the request."""
        fitted = np.array(list(weights().values()), dtype=np.float32)
        odds: Floats = self.features(request, cosines) @ fitted
        return odds

    def _named(self, request: str) -> tuple[Floats, Floats, Floats]:
        """Whether the request has the page's name, begins with it, has it though few pages do."""
        named, first, rare = (np.zeros(len(self.pages), dtype=np.float32) for _ in range(3))
        words = _WORD.findall(request.casefold())
        pairs = [f"{one} {two}" for one, two in pairwise(words)]
        for word in {*words, *pairs, *(word.strip(".") for word in words)}:
            at = self.names.get(word, [])  # a list: an empty tuple would mean every page
            named[at], rare[at] = 1.0, self._said[at]
        first[self.names.get(words[0], []) if words else []] = 1.0
        return named, first, rare

    def _meant(self, request: str) -> set[str]:
        """The platforms that the request names."""
        words = set(_WORD.findall(request.casefold()))
        return {one for one in set(self._platforms.tolist()) - COMMON
                if words & set(_SAID.get(one, one).split())}  # fmt: skip


def _topped(scores: Floats) -> Floats:
    """Scaled so that the best page has the same height for every request."""
    highest = float(scores.max(initial=0.0))
    return scores * np.float32(_HEIGHT / highest) if highest > 0 else scores

"""Two-stage retrieval over manuals: first which command or module, then which of its sections.

After DocPrompting (Zhou et al. 2023, arXiv 2207.05987), whose BM25 over pages, then over the
paragraphs of the best ones, is here a fitted sum of words, meaning and name over pages, then words
and meaning within them. A page's further sections stand lower, so that one page does not crowd
out the others that a request needs. Not here: the features (manuals/scope.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from corpus.tokens import tokens
from pilotfish.types import Case
from retrievers.bm25 import queries
from retrievers.embed import Encodes
from retrievers.manuals.held import Laid, Manuals
from retrievers.shelf import Shelf

Floats = NDArray[np.float32]
Hits = list[tuple[int, float]]  # (passage id, score), best first
SECTIONS = 4  # of one page
STEP = 1.0  # log-odds that each further section of a page stands lower
LEXICAL = 0.3  # weight of the share of the request's rare words beside the cosine


@dataclass(frozen=True, slots=True)
class ScopeThenSection:
    """Puts the k best sections of manuals into the case, best first; none without manuals.

    Scores are odds against the best page's: 1.0 is the best, e^-1 stands one log-odd lower.
    readable: the share of a question that the encoder's vocabulary must have.
    """

    shelf: Shelf
    manuals: Manuals
    k: int = 10
    readable: float = 0.8
    name: str = "manual"

    def __call__(self, case: Case, /) -> Case:
        laid = self.manuals.laid()
        if laid is None:
            return replace(case, passages=(), notes={"why": "the collection has no manuals"})
        asked = queries(case)
        near = cosines(laid, asked, self.shelf.opened().encoder, self.readable)
        odds = np.max([laid.scope(text, of) for text, of in zip(asked, near, strict=True)], axis=0)
        where = case.question.scope.where
        open_to = None if where is None else self.shelf.allowed(where, "manual")
        hits = sections(laid, odds, (asked, near), open_to, self.k)
        found = self.shelf.fetch(hits)
        pages = list(dict.fromkeys(passage.title for passage in found))
        return replace(case, passages=found, notes={"pages": pages[:10]})


def cosines(laid: Laid, asked: Sequence[str], encoder: Encodes, readable: float) -> list[Floats]:
    """Of every section to each text; zeros for a text that the encoder cannot express."""
    fit = [text for text in asked if encoder.readable(text) >= readable]
    known = dict(zip(fit, encoder.encode(fit, kind="query"), strict=True)) if fit else {}
    nothing = np.zeros(len(laid.ids), dtype=np.float32)
    return [laid.scope.near(known[text]) if text in known else nothing for text in asked]


def sections(
    laid: Laid, odds: Floats, asked: tuple[Sequence[str], Sequence[Floats]],
    allowed: Sequence[int] | None, k: int,
) -> Hits:  # fmt: skip
    """The k best sections of the best pages; `allowed`: only these passage ids."""
    mask = None if allowed is None else np.isin(laid.ids, np.array(allowed, dtype=np.int64))
    words = [set(tokens(text)) for text in asked[0]]
    best = float(odds.max(initial=-math.inf))
    found: list[tuple[float, int]] = []
    for page in np.argsort(-odds, kind="stable").tolist():
        if len(found) >= k and odds[page] <= sorted(found, reverse=True)[k - 1][0]:
            break  # no further page can enter
        inside = [at for at in laid.sections(page) if mask is None or mask[at]]
        fit = {at: _fit(laid, at, words, asked[1]) for at in inside}
        ranked = sorted(inside, key=lambda at: (-fit[at], at))[:SECTIONS]
        found += [(float(odds[page]) - STEP * n, at) for n, at in enumerate(ranked)]
    found.sort(key=lambda one: (-one[0], one[1]))
    return [(int(laid.ids[at]), math.exp(score - best)) for score, at in found[:k]]


def _fit(laid: Laid, at: int, words: Sequence[set[str]], near: Sequence[Floats]) -> float:
    """How well a section fits the question, or the hint that it fits best."""
    rarity = laid.scope.words.rarity
    fits = []
    for wanted, cosine in zip(words, near, strict=True):
        total = sum(rarity.get(word, 0.0) for word in wanted)
        shared = sum(rarity.get(word, 0.0) for word in wanted & laid.tokens[at])
        fits.append(float(cosine[at]) + LEXICAL * (shared / total if total else 0.0))
    return max(fits)

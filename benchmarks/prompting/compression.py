"""Answer spans kept against tokens kept over ten retrieved passages: ours, tokens dropped, whole.

Held-out questions of nq_oracle and xquad whose answer is in the ten (benchmarks/judges/pruning.py
has the whole curves and the cross-fitted weights that the bar is held to). ours: sentences, exact
slices, by the pilot's readings. tokens: the words that tell least are dropped one by one, rarity in
place of a language model's surprise (prompters/compress.py); an answer is kept when its words still
stand side by side, citable or not. whole: the first passages. Not here: near-duplicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.ground import Ground
from benchmarks.judges import pruning_rows
from benchmarks.judges.fit_pruning import crossfitted, usable
from benchmarks.judges.pruning_rows import Asked, Seen
from corpus.tokens import tokens
from models.training import sources
from pipeline.library import Library
from prompters.compress import without_tokens
from retrievers.odds import READ, odds
from retrievers.prune import picked, pieces

SHARES = (0.15, 0.25, 0.5)
BAR, AT = 0.95, 0.25


def measure(here: Ground) -> dict[str, Any]:
    """The three ways at each share."""
    library, every = pruning_rows.collection(here)
    judge = usable()
    asked = [one for one in every if one.held and one.set in sources.READING]
    rows = [pruning_rows.seen(library, one, pruning_rows.listed(library, one), judge)
            for one in asked]  # fmt: skip
    found = [one for one in rows if one is not None]
    weights = crossfitted(found, list(READ))
    ways = {
        str(share): {
            "ours": _shares([_ours(one, w, share)
                             for one, w in zip(found, weights, strict=True)]),
            "tokens": _shares([_tokens(library, one, share) for one in found]),
            "whole": _shares([_whole(one, share) for one in found]),
        }
        for share in SHARES
    }  # fmt: skip
    at = ways[str(AT)]
    return {
        "questions": len(found), "ways": ways,
        "bars": {
            f"{BAR:.0%} of answer spans at {AT:.0%} of the tokens": at["ours"]["kept"] >= BAR,
            "above token dropping and whole passages":
                at["ours"]["kept"] > max(at["tokens"]["kept"], at["whole"]["kept"]),
        },
    }  # fmt: skip


def _shares(some: Sequence[tuple[bool, float]]) -> dict[str, float]:
    kept, size = np.array(some, dtype=float).mean(axis=0)
    return {"kept": round(float(kept), 4), "tokens": round(float(size), 4)}


def _ours(one: Seen, weights: Any, share: float) -> tuple[bool, float]:
    numbers = picked(one.found, odds(one.rows, weights), one.sizes, share * sum(one.sizes))
    kept = one.asked.answered(list(pieces(one.passages, one.found, numbers)))
    return kept, sum(one.sizes[number] for number in numbers) / sum(one.sizes)


def _tokens(library: Library, one: Seen, share: float) -> tuple[bool, float]:
    rarity = library.shelf.opened().bm25.rarity(
        sorted({token for passage in one.passages for token in tokens(passage.text)})
    )
    left = [without_tokens(passage.text, share, rarity) for passage in one.passages]
    sizes = library.parts.count([*left, *(passage.text for passage in one.passages)])
    kept = any(answer in text for answer in _answers(one.asked, one) for text in left)
    return kept, sum(sizes[: len(left)]) / max(1, sum(sizes[len(left) :]))


def _answers(asked: Asked, one: Seen) -> set[str]:
    """The answers as they stand in the passages."""
    return {
        passage.text[start - passage.start : end - passage.start]
        for passage in one.passages
        for document, start, end in asked.places
        if passage.document == document and passage.start <= start and end <= passage.end
    }


def _whole(one: Seen, share: float) -> tuple[bool, float]:
    """As many of the first passages as fit."""
    sizes = [sum(s for unit, s in zip(one.found, one.sizes, strict=True) if unit.place == place)
             for place in range(len(one.passages))]  # fmt: skip
    fit = int(np.searchsorted(np.cumsum(sizes), share * sum(sizes), side="right"))
    return one.asked.answered(one.passages[:fit]), sum(sizes[:fit]) / sum(sizes)

"""Which sentences of long evidence the judge reads for a claim: those that share its rare words.

A cross-encoder reads some 100 words well and fast; evidence may have thousands. Plain word
overlap, weighted by how rare a word is in the evidence. Not here: the judgement.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from pilotfish.text import CJK, fold, sentences

WORDS = 110
_WORD = re.compile(CJK.pattern + r"|[^\W_]+")
_STOP = frozenset(
    (
        "a an the of in on at to for and or is are was were be been by with from as that this it "
        "its his her their which who whom what when where how why do does did has have had"
    ).split()
)


def premise(claim: str, evidence: str, words: int = WORDS) -> str:
    """The sentences of `evidence` nearest to `claim`, in their order, of about `words` words."""
    spans = sentences(evidence)
    if len(evidence.split()) <= words or len(spans) < 2:
        return evidence
    texts = [evidence[start:end] for start, end in spans]
    kept: set[int] = set()
    room = words
    for place in nearest(claim, texts):
        size = max(1, len(texts[place].split()))
        if kept and size > room:
            continue
        kept.add(place)
        room -= size
        if room <= 0:
            break
    return " ".join(texts[place] for place in sorted(kept))


def nearest(claim: str, texts: Sequence[str]) -> list[int]:
    """Indexes of `texts`, most shared rare words first; earlier first among equals."""
    bags = [stems(text) for text in texts]
    seen = Counter(stem for bag in bags for stem in bag)
    weight = {stem: math.log(1 + len(texts) / count) for stem, count in seen.items()}
    wanted = stems(claim)
    scores = [sum(weight[s] for s in bag & wanted) for bag in bags]
    return sorted(range(len(texts)), key=lambda place: (-scores[place], place))


def stems(text: str) -> set[str]:
    """Folded words cut to six letters, without the commonest: near enough to compare by."""
    return {word[:6] for word in _WORD.findall(fold(text)) if word not in _STOP}

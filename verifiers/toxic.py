"""Toxic sentences in an answer: a small linear model, beside a list of words.

Davidson et al., ICWSM 2017 (arXiv 1703.04009) is where its tweets come from; their labels are
biased against dialect, so what is above the threshold is shown to people as a flaw first. Not
here: documents (their authors answer for them), fitting (benchmarks/fit_guard.py).
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from corpus.hashed import Hashed, load
from pilotfish.text import fold, sentences
from verifiers.draft import Change, taken_out

CARD = Path(__file__).with_name("toxic.json")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W_]+)?")
_NOISE = re.compile(r"https?://\S+|@\w+|&#?\w+;|\brt\b")
LISTED = frozenset(
    (
        "bitch bitches hoe hoes pussy nigga niggas nigger faggot fag fags cunt whore slut retard "
        "retarded fuck fucking fucked shit asshole dick dyke tranny coon spic chink kike wetback"
    ).split()
)


def features(text: str) -> Iterator[str]:
    """Words, pairs of words, and runs of four letters within words: spelling varies."""
    words = _WORD.findall(_NOISE.sub(" ", fold(text)))
    yield "bias"
    for word in words:
        yield word
        framed = f"<{word}>"
        yield from (f"~{framed[at : at + 4]}" for at in range(len(framed) - 3))
    yield from (f"{one} {other}" for one, other in itertools.pairwise(words))


def listed(text: str) -> bool:
    """The baseline: whether a word of the list stands there."""
    return not LISTED.isdisjoint(_WORD.findall(fold(text)))


@functools.cache
def packaged() -> Hashed:
    """The model that comes with the package."""
    return load(CARD)


def toxic(text: str) -> bool:
    """Whether the model finds the sentence toxic."""
    model = packaged()
    return model(features(text)) >= model.threshold


def cleaned(text: str) -> list[Change]:
    """A repair: toxic sentences are taken out."""
    return [
        taken_out("toxicity", text, start, end)
        for start, end in sentences(text)
        if toxic(text[start:end])
    ]

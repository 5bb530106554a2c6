"""Takes out sentences that say again what the answer has said.

A sentence repeats an earlier one when they share nearly all words and have the same figures and
negation. Not here: repeated passages (prompters/render.py keeps one of each).
"""

from __future__ import annotations

from pilotfish.text import negated, numbers, sentences, words
from verifiers.draft import Change, taken_out

ALIKE = 0.9  # share of words in common (Jaccard)


def repeated(text: str) -> list[Change]:
    """A change for each sentence that repeats an earlier one."""
    kept: list[tuple[set[str], list[str], bool]] = []
    changes: list[Change] = []
    for start, end in sentences(text):
        said = text[start:end]
        one = (set(words(said)), sorted(numbers(said)), negated(said))
        if one[0] and any(_alike(one, other) for other in kept):
            changes.append(taken_out("repetition", text, start, end))
        else:
            kept.append(one)
    return changes


def _alike(one: tuple[set[str], list[str], bool], other: tuple[set[str], list[str], bool]) -> bool:
    shared = len(one[0] & other[0]) / len(one[0] | other[0]) if one[0] | other[0] else 0.0
    return shared >= ALIKE and one[1:] == other[1:]

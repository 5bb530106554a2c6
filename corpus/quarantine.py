"""Keeps passages that give orders out of a collection until a person releases them.

The whole passage is held, not only its order: what stands around it may be part of the bait. Not
here: which sentences give orders (orders.py), where held passages lie (store/quarantine.py).
"""

from __future__ import annotations

from dataclasses import replace

from corpus.orders import Order, orders
from corpus.split import Cut
from store.incoming import NewHeld, NewPassage


def sifted(cut: Cut, text: str) -> Cut:
    """The cut of the document with its passages that hold an order set apart."""
    found = orders(text)
    if not found:
        return cut
    held = [one for one in (_held(passage, found) for passage in cut.passages) if one is not None]
    ours = {(one.passage.start, one.passage.end) for one in held}
    free = tuple(one for one in cut.passages if (one.start, one.end) not in ours)
    return replace(cut, passages=free, held=tuple(held))


def _held(passage: NewPassage, found: list[Order]) -> NewHeld | None:
    """The passage with its worst order; None when it has none."""
    inside = [one for one in found if one.start < passage.end and passage.start < one.end]
    if not inside:
        return None
    worst = max(inside, key=lambda one: one.score)
    return NewHeld(passage, worst.start, worst.end, round(worst.score, 4))

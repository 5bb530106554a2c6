"""Which rewritings of questions are on, put together from what all items share.

Not here: the rewritings (prompters/rewrite.py), keywords by feedback (retrievers/feedback.py).
"""

from __future__ import annotations

from functools import partial

from pilotfish.step import Step
from pipeline.flow import Chain
from pipeline.parts import Parts
from prompters.abbreviations import commonest
from prompters.rewrite import Rewrite
from prompters.spelling import Spell
from retrievers.bm25 import BM25
from retrievers.feedback import Feedback

DEFINING = 30  # passages in which an abbreviation's definition is looked for
READ = 5  # passages that feedback reads


def rewrite(parts: Parts) -> Rewrite:
    """What the setting `rewrite` names."""
    named = parts.settings.rewrite
    spell = None
    if "spelling" in named:
        spell = Spell(parts.vocabulary, partial(known, parts), parts.count)
    longer = partial(expansions, parts) if "abbreviations" in named else None
    return Rewrite(spell, longer, "turns" in named)


def rewritten(parts: Parts, retrieve: Step) -> Step:
    """The retrieval, with what the question becomes before it; itself where nothing is named."""
    named = parts.settings.rewrite
    if "feedback" in named:
        retrieve = Feedback(BM25(parts.shelf, READ), retrieve, parts.rarity, READ)
    if set(named) <= {"feedback"}:
        return retrieve
    return Chain((rewrite(parts), retrieve))


def known(parts: Parts, terms: list[str]) -> set[str]:
    """Those of some index tokens that any passage has."""
    return parts.shelf.opened().bm25.known(terms)


def expansions(parts: Parts, short: str) -> list[str]:
    """Long forms that passages define for an abbreviation, the commonest first."""
    hits = parts.shelf.opened().bm25.search(short, DEFINING)
    return commonest(short, [passage.text for passage in parts.shelf.fetch(hits)])

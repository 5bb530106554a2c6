"""What the recipe `multihop` is put together from: hops, the tier that answers by them, its check.

Not here: the recipe (recipes.py), the steps (hops.py, hop_answer.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pilotfish.step import Step, step_name
from pilotfish.types import Case
from pipeline.decomposer import Apart, by_llm, by_small_model
from pipeline.extract import Extract
from pipeline.flow import Cascade, Chain
from pipeline.hop_agree import OrHops
from pipeline.hop_answer import HopAnswer
from pipeline.hop_reading import HopReader
from pipeline.hops import FORM, Hops
from pipeline.llm import LLM, CallOptions
from pipeline.parts import Parts
from pipeline.purse import Purse
from pipeline.wiring import cascade, check, gate
from retrievers.bm25 import BM25
from retrievers.dense import Dense
from retrievers.fuse import Fuse
from retrievers.titled import Titled
from verifiers.cite import Cite
from verifiers.reread import Reread, composed_of_hops
from verifiers.support import Support
from verifiers.trust import Trust

FOUND = 10  # passages of one sub-question
DEEP = 60  # of these the named ones go first


@dataclass(frozen=True, slots=True)
class HopsChecked:
    """The check of an answer that was put together from hops, or of any other."""

    others: Step
    hops: Step
    name: str = "check"

    def __call__(self, case: Case, /) -> Case:
        return self.hops(case) if composed_of_hops(case.answer) else self.others(case)


def hopping(parts: Parts, purse: Purse | None, plain: Step, k: int) -> Hops:
    """Retrieval hop by hop; `plain` is the way of single-hop questions."""
    deep = Fuse((BM25(parts.shelf), Dense(parts.shelf)), k=DEEP)
    return Hops(apart(parts, purse), plain, Titled(deep, FOUND), reader(parts), k)


def apart(parts: Parts, purse: Purse | None) -> Apart:
    """The small model; the LLM that `decomposer` names, which it costs one call."""
    name = parts.settings.decomposer
    if name == "pilot" or purse is None:
        return by_small_model
    return by_llm(LLM(name, purse, CallOptions.of(parts.settings.llm)))


def reader(parts: Parts) -> HopReader:
    return HopReader(parts.embed, parts.judge)


def hop_answer(parts: Parts) -> HopAnswer:
    """Each hop is extracted, judged and cited like an answer of its own."""
    judged = Chain((
        Extract(parts.embed, model=parts.judge),
        Support(parts.embed, parts.judge),
        Cite(parts.embed, parts.read, 0.0, parts.judge),
    ), name="hop")  # fmt: skip
    return HopAnswer(judged, reader(parts))


@dataclass(frozen=True, slots=True)
class SingleHop:
    """A tier for questions that were not taken apart: of others a sentence of the first hop fits
    the question's words well, and does not answer it.
    """

    tier: Step

    @property
    def name(self) -> str:
        return step_name(self.tier)

    def __call__(self, case: Case, /) -> Case:
        if any(hint.kind == FORM for hint in case.hints):
            return replace(case, notes={"why": "the question was taken apart"})
        return self.tier(case)


def beside_hops(parts: Parts, tier: Step) -> OrHops:
    """An LLM's tier whose short answers are held against the hops' own."""
    return OrHops(tier, hop_answer(parts))


def hop_cascade(parts: Parts, purse: Purse) -> Callable[[tuple[Step, ...], bool], Cascade]:
    """The cascade whose check knows answers that were put together from hops."""
    build = cascade(parts, purse)
    trust = Trust(parts.reliance, parts.settings.abstain_below)
    hops = Chain((Reread(parts.read), trust, gate), name="check")
    checked = HopsChecked(check(parts, purse), hops)

    def made(tiers: tuple[Step, ...], asks: bool) -> Cascade:
        return replace(build(tiers, asks), check=checked)

    return made

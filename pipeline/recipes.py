"""Recipes: plain functions that put steps in order. Each reads top to bottom.

`parts` is shared by all items, `purse` belongs to one. Not here: the steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pilotfish.errors import InputError
from pilotfish.step import Step
from pilotfish.types import Case
from pipeline.extract import Extract
from pipeline.flow import Accept, Cascade, Chain
from pipeline.llm import LLM, CallOptions
from pipeline.parts import Parts
from pipeline.purse import Purse
from pipeline.tiers import Tiers
from prompters.render import Render
from retrievers.bm25 import BM25
from retrievers.dense import Dense
from retrievers.fuse import Fuse
from retrievers.rerank import DEPTH as RERANKED
from retrievers.rerank import Rerank
from verifiers.cite import Cite
from verifiers.support import Support

Recipe = Callable[[Parts, Purse], Step]


def default(parts: Parts, purse: Purse) -> Step:
    """Fused retrieval, one prompt, then tiers: extract, and the LLMs that are configured."""
    settings = parts.settings
    extract = Extract(parts.embed, model=parts.judge)
    depth = max(RERANKED, settings.passages) if parts.judge else settings.passages
    return Chain((
        reranked(Fuse((BM25(parts.shelf), Dense(parts.shelf)), k=depth), parts, settings.passages),
        render(parts),
        Tiers(
            extract, llm_tiers(parts, purse), cascade(parts), settings.llm.models,
            parts.policy, parts.embed,
        ),
    ))  # fmt: skip


def plain(parts: Parts, purse: Purse) -> Step:
    """The baseline: BM25, one prompt, the first LLM, citations."""
    llms = llm_tiers(parts, purse)
    if not llms:
        raise InputError("recipe plain needs an LLM: set PILOTFISH_LLM__MODEL or give --model")
    depth = parts.settings.passages  # one list is not reordered by the fusion
    retrieve = Fuse((BM25(parts.shelf, depth),), k=depth)
    return Chain((retrieve, render(parts), llms[0], check(parts)))


RECIPES: dict[str, Recipe] = {"default": default, "plain": plain}


def recipe(name: str) -> Recipe:
    """The recipe of that name; InputError names those that exist."""
    if name not in RECIPES:
        raise InputError(f"no recipe {name!r}: there are {', '.join(RECIPES)}")
    return RECIPES[name]


def render(parts: Parts) -> Render:
    return Render(parts.secret, parts.count, parts.settings.prompt_tokens)


def reranked(retrieve: Step, parts: Parts, k: int) -> Step:
    """The retriever with the cross-encoder over its first passages; itself where there is none."""
    return Rerank(retrieve, parts.judge, k) if parts.judge else retrieve


def check(parts: Parts) -> Chain:
    """Support, then citations, then the gate: what every tier's answer goes through."""
    cite = Cite(parts.embed, parts.read, parts.settings.abstain_below, parts.judge)
    return Chain((Support(parts.embed, parts.judge), cite, gate), name="check")


def cascade(parts: Parts) -> Callable[[tuple[Step, ...], bool], Cascade]:
    """Builds the cascade over some tiers; an LLM among them raises the bar for those before it."""
    settings = parts.settings

    def build(tiers: tuple[Step, ...], asks: bool) -> Cascade:
        return Cascade(
            tiers=tiers,
            check=check(parts),
            accept=accept_above(settings.extract_above if asks else settings.abstain_below),
            abstain_over_budget=settings.llm.on_budget == "extract",
        )

    return build


def gate(case: Case) -> Case:
    """Withhold an answer that a check did not finish with; cannot break itself.

    `run` skips a verifier that breaks. What Cite let pass has support and a citation, so an
    answer without them was not looked at. Its text goes too: the raw keys are still in it.
    """
    answer = case.answer
    if answer is None or answer.abstained or (answer.citations and answer.support is not None):
        return case
    withheld = replace(answer, text="", values=(), citations=(), support=None, abstained=True)
    return replace(case, answer=withheld, notes={"why": "a check broke: nobody looked at it"})


def llm_tiers(parts: Parts, purse: Purse) -> tuple[LLM, ...]:
    """One step a configured model, cheap to strong."""
    llm = parts.settings.llm
    return tuple(LLM(model, purse, CallOptions.of(llm)) for model in llm.models)


def accept_above(threshold: float) -> Accept:
    """Accept an answer that was given, with citations and at least this support."""

    def accept(case: Case) -> bool:
        answer = case.answer
        if answer is None or answer.abstained or not answer.citations:
            return False
        return answer.support is not None and answer.support >= threshold

    return accept

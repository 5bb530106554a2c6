"""Recipes: plain functions that put steps in order. Each reads top to bottom.

`parts` is shared by all items, `purse` belongs to one. Not here: the steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pilotfish.errors import InputError
from pilotfish.step import Step
from pipeline.classify_tier import ClassifyAnswer, LabelTier, sure
from pipeline.flow import Cascade, Chain
from pipeline.multihop import SingleHop, beside_hops, hop_answer, hop_cascade, hopping
from pipeline.parts import Parts
from pipeline.purse import Purse
from pipeline.rewriting import rewritten
from pipeline.tiers import Tiers
from pipeline.wiring import (
    acceptance,
    carded,
    cascade,
    check,
    classifier,
    extracts,
    llm_tiers,
    or_sql,
    render,
    reranked,
    second_try,
    sources,
    structured,
)
from prompters.predict import LabelPrompt, Predict
from retrievers.bm25 import BM25
from retrievers.dense import Dense
from retrievers.fuse import Fuse
from retrievers.manual import ScopeThenSection
from verifiers.trust import Trust

Recipe = Callable[[Parts, Purse], Step]
QUARTER = 0.25  # of the passages' tokens: 97 % of answer spans are still there (RESULTS.md)


def default(parts: Parts, purse: Purse) -> Step:
    """Search, one prompt, then tiers: graph, table, span, sentence, the LLMs that are configured.

    A question of several hops is taken apart by a small model, searched and read hop by hop.
    """
    settings = parts.settings
    llms, k = llm_tiers(parts, purse), settings.passages
    tiers = tuple(beside_hops(parts, or_sql(parts, llm, purse)) for llm in llms)
    answer = Chain((
        hopping(parts, purse, retrieval(parts, k), k),
        render(parts),
        Tiers(
            (*structured(parts), hop_answer(parts), *map(SingleHop, extracts(parts))), tiers,
            hop_cascade(parts, purse), settings.llm.models, parts.policy, parts.embed,
        ),
    ))  # fmt: skip
    return Chain((*answer.steps, *second_try(parts, purse, llms)))


def multihop(parts: Parts, purse: Purse) -> Step:
    """The same as default, by the name of what it does with questions of several hops."""
    return default(parts, purse)


def single(parts: Parts, purse: Purse) -> Step:
    """As default, but every question is searched as it is: what hops are measured against."""
    settings = parts.settings
    llms = llm_tiers(parts, purse)
    k = settings.passages
    tiers = tuple(or_sql(parts, llm, purse) for llm in llms)
    answer = Chain((
        retrieval(parts, k),
        render(parts),
        Tiers(
            (*structured(parts), *extracts(parts)), tiers, cascade(parts, purse),
            settings.llm.models, parts.policy, parts.embed,
        ),
    ))  # fmt: skip
    return Chain((*answer.steps, *second_try(parts, purse, llms)))


def classify(parts: Parts, purse: Purse) -> Step:
    """A label by the small classifier; where it is unsure, one LLM call that sees its word."""
    settings, found = parts.settings, classifier(parts)
    # Demonstrations are the classifier's own training texts: only of them is its word known.
    prompt = Chain((
        Predict(found.look), LabelPrompt(found.model.labels, settings.explain_override)
    ))  # fmt: skip
    llms = tuple(LabelTier(prompt, llm, found.one, found.where) for llm in llm_tiers(parts, purse))
    return Tiers(
        (ClassifyAnswer(found.one, found.where),), llms,
        lambda tiers, asks: Cascade(
            tiers, Trust(parts.reliance, settings.abstain_below),
            sure(acceptance(parts, climbs=asks)),
            abstain_over_budget=settings.llm.on_budget == "extract",
        ),
        settings.llm.models, parts.policy, parts.embed,
    )  # fmt: skip


def tables(parts: Parts, purse: Purse) -> Step:
    """From tables, graph and text: the small models' program, else SQL by the LLM, before prose."""
    settings, k = parts.settings, parts.settings.passages
    llms = llm_tiers(parts, purse)
    tiers = tuple(or_sql(parts, llm, purse, always=True) for llm in llms)
    return Chain((
        retrieval(parts, k),
        render(parts),
        Tiers(
            (*structured(parts), *extracts(parts)), tiers, cascade(parts, purse),
            settings.llm.models, parts.policy, parts.embed,
        ),
    ))  # fmt: skip


def code(parts: Parts, purse: Purse) -> Step:
    """From manuals: pages of a command or function, then their sections; the LLM writes code."""
    settings = parts.settings
    return Chain((
        pages(parts, settings.passages),
        render(parts),
        Tiers(
            extracts(parts), tuple(carded(parts, purse, llm) for llm in llm_tiers(parts, purse)),
            cascade(parts, purse), settings.llm.models, parts.policy, parts.embed,
        ),
    ))  # fmt: skip


def frugal(parts: Parts, purse: Purse) -> Step:
    """As default, but any answer that would be given at all stops the climb, only the cheapest LLM
    is asked, and its prompt keeps a quarter of the passages' tokens.
    """
    settings, llm = parts.settings, parts.settings.llm
    cheap = llm.model_copy(update={"tiers": llm.models[:1], "prune": min(llm.prune, QUARTER)})
    changed = {"llm": cheap, "extract_above": settings.abstain_below}
    return default(replace(parts, settings=settings.model_copy(update=changed)), purse)


def thorough(parts: Parts, purse: Purse) -> Step:
    """As default, over twice the passages, and a small reader must agree with what is cited."""
    settings = parts.settings
    changed = {
        "passages": 2 * settings.passages,
        "prompt_tokens": 2 * settings.prompt_tokens,
        "checks": settings.checks.model_copy(update={"contrast": True}),
    }
    return default(replace(parts, settings=settings.model_copy(update=changed)), purse)


def plain(parts: Parts, purse: Purse) -> Step:
    """The baseline: BM25, one prompt, the first LLM, citations."""
    llms = llm_tiers(parts, purse)
    if not llms:
        raise InputError("recipe plain needs an LLM: set PILOTFISH_LLM__MODEL or give --model")
    retrieve = lexical(parts, parts.settings.passages)
    return Chain((retrieve, render(parts), carded(parts, purse, llms[0]), check(parts, purse)))


def retrieval(parts: Parts, k: int) -> Step:
    """The question rewritten, fused and reranked text, structures: how one search goes."""
    text = reranked(Fuse((BM25(parts.shelf), Dense(parts.shelf)), k=k), parts, k)
    return rewritten(parts, sources(parts, text, k))


def lexical(parts: Parts, k: int) -> Step:
    """How `plain` retrieves: one list is not reordered by the fusion."""
    return Fuse((BM25(parts.shelf, k),), k=k)


def pages(parts: Parts, k: int) -> Step:
    """How `code` retrieves."""
    return ScopeThenSection(parts.shelf, parts.manuals, k)


def hop_retrieval(parts: Parts, k: int) -> Step:
    """How `default` retrieves; without a purse, so by the small decomposer."""
    return hopping(parts, None, retrieval(parts, k), k)


RECIPES: dict[str, Recipe] = {
    "default": default, "multihop": multihop, "tables": tables, "classify": classify, "code": code,
    "frugal": frugal, "thorough": thorough, "single": single, "plain": plain,
}  # fmt: skip
# How a recipe retrieves, for whoever only searches; those not named here retrieve as default.
RETRIEVALS: dict[str, Callable[[Parts, int], Step]] = {
    "single": retrieval, "tables": retrieval, "code": pages, "plain": lexical,
}  # fmt: skip


def recipe(name: str) -> Recipe:
    """The recipe of that name; InputError names those that exist."""
    if name not in RECIPES:
        raise InputError(f"no recipe {name!r}: there are {', '.join(RECIPES)}")
    return RECIPES[name]


def retrieval_of(name: str, parts: Parts, k: int) -> Step:
    """The retrieval of the recipe of that name; InputError names the recipes that exist."""
    recipe(name)
    return RETRIEVALS.get(name, hop_retrieval)(parts, k)

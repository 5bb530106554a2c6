"""Recipes: plain functions that put steps in order. Each reads top to bottom.

`parts` is shared by all items, `purse` belongs to one. Not here: the steps.
"""

from __future__ import annotations

from collections.abc import Callable

from pilotfish.errors import InputError
from pilotfish.step import Step
from pipeline.flow import Chain
from pipeline.parts import Parts
from pipeline.purse import Purse
from pipeline.tiers import Tiers
from pipeline.wiring import (
    cascade,
    check,
    extracts,
    llm_tiers,
    or_sql,
    render,
    reranked,
    second_try,
    sources,
    structured,
)
from retrievers.bm25 import BM25
from retrievers.dense import Dense
from retrievers.fuse import Fuse

Recipe = Callable[[Parts, Purse], Step]


def default(parts: Parts, purse: Purse) -> Step:
    """Fused retrieval, one prompt, then tiers: extract, and the LLMs that are configured."""
    settings = parts.settings
    llms = llm_tiers(parts, purse)
    k = settings.passages
    tiers = tuple(or_sql(parts, llm) for llm in llms)
    text = reranked(Fuse((BM25(parts.shelf), Dense(parts.shelf)), k=k), parts, k)
    answer = Chain((
        sources(parts, text, k),
        render(parts),
        Tiers(
            (*structured(parts), *extracts(parts)), tiers, cascade(parts, purse),
            settings.llm.models, parts.policy, parts.embed,
        ),
    ))  # fmt: skip
    return Chain((*answer.steps, *second_try(parts, purse, llms)))


def plain(parts: Parts, purse: Purse) -> Step:
    """The baseline: BM25, one prompt, the first LLM, citations."""
    llms = llm_tiers(parts, purse)
    if not llms:
        raise InputError("recipe plain needs an LLM: set PILOTFISH_LLM__MODEL or give --model")
    depth = parts.settings.passages  # one list is not reordered by the fusion
    retrieve = Fuse((BM25(parts.shelf, depth),), k=depth)
    return Chain((retrieve, render(parts), llms[0], check(parts, purse)))


RECIPES: dict[str, Recipe] = {"default": default, "plain": plain}


def recipe(name: str) -> Recipe:
    """The recipe of that name; InputError names those that exist."""
    if name not in RECIPES:
        raise InputError(f"no recipe {name!r}: there are {', '.join(RECIPES)}")
    return RECIPES[name]

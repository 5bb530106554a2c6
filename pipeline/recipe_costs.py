"""What each recipe does and costs, for people: read from the recipes themselves and the settings.

Not here: the recipes (recipes.py), the price of a question of a collection (estimate.py).
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from pilotfish.settings import Settings
from pipeline.recipes import RECIPES


@dataclass(frozen=True, slots=True)
class Told:
    """`does` in a sentence or two; `calls`: LLM calls of a question at most; `needs`: what is
    missing, empty when it can run.
    """

    name: str
    does: str
    calls: int
    needs: str


def told(settings: Settings) -> list[Told]:
    """Every recipe, with these settings."""
    return [
        Told(name, " ".join((inspect.getdoc(one) or "").split()), calls(name, settings),
             needs(name, settings))
        for name, one in RECIPES.items()
    ]  # fmt: skip


def calls(name: str, settings: Settings) -> int:
    """LLM calls of one question at most; 0 where no LLM is configured."""
    tiers = len(settings.llm.models)
    if not tiers:
        return 0
    if name in ("plain", "frugal"):  # one tier; plain has nothing that follows its answer
        one = {"llm": settings.llm.model_copy(update={"tiers": settings.llm.models[:1]})}
        checks = settings.checks.model_copy(update={"retry": False, "corrector": None})
        alone = {"checks": checks, "decomposer": "pilot"} if name == "plain" else {}
        return settings.model_copy(update=one | alone).calls
    return min(settings.calls, tiers) if name == "classify" else settings.calls


def needs(name: str, settings: Settings) -> str:
    """What it cannot run without and has not got."""
    if name == "plain" and not settings.llm.models:
        return "an LLM: PILOTFISH_LLM__MODEL"
    if name == "classify" and not settings.classifier:
        return "a classifier: pilotfish tune classifier, then PILOTFISH_CLASSIFIER"
    return ""

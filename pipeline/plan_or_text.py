"""When an LLM is asked for a plan over the graph rather than for an answer from text.

The rule is short and its reason stands in the trace: the caller names an entity or the kind; or the
question names an entity of the graph and speaks of one of its relations, and no passage of text
holds two fifths of its words (else the LLM reads the edges that were found, beside the text).
A tier is reached only after the graph's own answer was not sure enough. Not here: SQL
(sql_tier.py), the tier (plan_tier.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from corpus.tokens import tokens
from pilotfish.step import Step, step_name
from pilotfish.types import Case
from pipeline.extract import Extract
from pipeline.parts import Parts
from pipeline.plan_tier import PlanTier
from prompters.plan import PlanPrompt
from retrievers.bm25 import BM25
from retrievers.graph.zero import SMALL
from retrievers.kb.aspects import Aspects
from retrievers.kb.run_plan import ABOUT, Mentions, Plans, RunPlan

HOLDS = 0.4  # of the question's words, in one passage of text: it is asked of the text
_SMALL = frozenset(token for word in SMALL for token in tokens(word))


@dataclass(frozen=True, slots=True)
class PlanOrText:
    """An LLM's tier: asked for a plan where `why` gives a reason, else for text; one call each."""

    why: Callable[[Case], str]
    plan: Step
    llm: Step
    name: str

    def __call__(self, case: Case, /) -> Case:
        why = self.why(case)
        if not why:
            return self.llm(case)
        done = self.plan(case)
        return replace(done, notes={**done.notes, "asked for a plan": why})


def or_plan(parts: Parts, llm: Step, text: Step) -> PlanOrText:
    """An LLM's tier that writes a plan where the answer is in the graph; `text` answers else."""
    find = BM25(parts.shelf, 4 * ABOUT)
    plans = Plans((parts.graphs,), Mentions(find), Aspects(find, parts.embed))

    def guess(case: Case) -> tuple[tuple[str, ...], float] | None:
        found = parts.graphs(case.question.text, case.question.scope.topic)
        if not found:
            return None
        best = found[0]
        values = best.values if best.counted is None else (str(best.counted),)
        return values, best.support

    def why(case: Case) -> str:
        return "" if parts.graphs.reading() is None else reason(case, plans.speaks)

    reads = Extract(parts.embed, model=parts.judge)
    tier = PlanTier(PlanPrompt(plans.describe), llm, RunPlan(plans), plans, guess, reads)
    return PlanOrText(why, tier, text, step_name(llm))


def reason(case: Case, speaks: Callable[[Case], bool]) -> str:
    """Why the graph is to be asked, or "" where it is not.

    `speaks`: whether a question speaks of any relation of the graph.
    """
    scope = case.question.scope
    if scope.topic is not None:
        return "the caller names an entity of the graph"
    if scope.kind == "triple":
        return "the caller asks for the graph"
    if scope.kind is not None or scope.table is not None:
        return ""
    if not any(passage.kind == "triple" for passage in case.passages):
        return ""
    asked = frozenset(tokens(case.question.text)) - _SMALL
    held = max((share(asked, p.text) for p in case.passages if p.kind == "text"), default=0.0)
    if held >= HOLDS or not speaks(case):
        return ""
    named = "it names an entity and a relation of the graph"
    return f"{named}, and text holds at most {held:.0%} of its words"


def share(asked: frozenset[str], text: str) -> float:
    """How much of the asked words a text has."""
    return len(asked & frozenset(tokens(text))) / len(asked) if asked else 1.0

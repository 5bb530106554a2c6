"""The LLM's tier for graphs: one call that writes a plan; our own code interprets it.

What came back wrong is told to the LLM once more, where the limits allow a second call. The answer
is the result's values, the edges under them are cited, the plan is in the trace. Where the graph's
own reader gives the same, the answer is likelier right. What no graph has and a text says is read
out of the text, and judged as any answer from texts. After KnowledGPT (arXiv 2308.11761). Not
here: the prompt (prompters/plan.py), the interpreter (retrievers/kb/), when a plan is asked for
(plan_or_text.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pilotfish.errors import BudgetExceeded, ModelError
from pilotfish.step import Step, run
from pilotfish.types import (
    UNCALIBRATED,
    Answer,
    Basis,
    Case,
    Hint,
    Passage,
)
from pipeline.graph_answer import cited, listed
from retrievers.kb.results import Result
from retrievers.kb.run_plan import Planned, Plans

MODEL = "plan"
# An assumption until answers are labelled (pilotfish tune trust): of plans by a strong LLM that
# found something about this share is right, times how well names and relations fitted.
FOUND = 0.7
_FENCE = re.compile(r"```(?:python|py)?\s*\n?(.*?)```", re.S | re.I)

Guess = Callable[[Case], tuple[tuple[str, ...], float] | None]


@dataclass(frozen=True, slots=True)
class PlanTier:
    """`write`: the prompter; `llm`: the tier's LLM; `read`: interprets the `plan` hint.

    `guess`: what the graph's own reader answers, and how sure it is; `texts`: reads an answer out
    of the texts of an aspect; None: nobody does.
    """

    write: Step
    llm: Step
    read: Step
    plans: Plans
    guess: Guess = lambda case: None
    texts: Step | None = None
    name: str = MODEL

    def __call__(self, case: Case, /) -> Case:
        asked = run(self.write, replace(case, prompt=None))
        if asked.prompt is None:
            return replace(case, trace=asked.trace, notes={"why": "no graph to ask"})
        done, made = self._tried(asked)
        if made is not None and made.problem and case.question.limits.max_calls > 1:
            done, made = self._again(case, done, made)
        kept = replace(case, trace=done.trace, passages=done.passages)
        result = made.result if made else None
        edges = self.plans.edges(result) if result else ()
        if result is not None and not edges and result.passages and self.texts is not None:
            notes = {"plan": made.plan if made else "", "said": result.message}
            return replace(_read(self.texts, kept, result.passages), notes=notes)
        if made is None or result is None or not edges:
            abstained = Answer("", model=MODEL, abstained=True)
            return replace(kept, answer=abstained, notes={"why": _why(made)})
        answer = self._answer(case, made.plan, result, edges)
        return replace(kept, answer=answer, notes={"plan": made.plan, "said": result.message})

    def _tried(self, asked: Case) -> tuple[Case, Planned | None]:
        """One call, and what its plan gives; None where it wrote none."""
        done = run(self.llm, asked)
        plan = written(done.answer.text if done.answer else "")
        if plan is None:
            return replace(done, answer=None), None
        done = run(self.read, replace(done, answer=None, hints=(*done.hints, Hint("plan", plan))))
        return done, self.plans.run(plan, asked.question.scope.where)

    def _again(self, case: Case, done: Case, made: Planned) -> tuple[Case, Planned | None]:
        """The error told to the LLM; the first outcome stays where a second call cannot be."""
        told = f"This plan failed:\n{made.plan}\n{made.problem}\nWrite it anew."
        hints = (*case.hints, Hint("plan error", told))
        asked = run(self.write, replace(case, hints=hints, trace=done.trace))
        try:
            return self._tried(asked)
        except (ModelError, BudgetExceeded) as error:
            return replace(done, trace=error.trace), made

    def _answer(self, case: Case, plan: str, result: Result, edges: Sequence[Passage]) -> Answer:
        values = values_of(result)
        support = FOUND * result.sure
        guess = self.guess(case)
        if guess is not None and set(guess[0]) == set(values):
            support = 1 - (1 - support) * (1 - guess[1])  # two ways to one answer
        text = listed(values, "; " if result.kind == "info" else ", ")
        cites = tuple(cited(edge, len(text), round(support, 4)) for edge in edges)
        basis = Basis(support, {"plan": plan, "said": result.message}, MODEL, UNCALIBRATED)
        return Answer(text, values, MODEL, cites, round(support, 4), basis=basis)


def _read(reads: Step, case: Case, passages: Sequence[Passage]) -> Case:
    """The case with an answer out of these passages; the caller's topic is what they speak of."""
    scope = replace(case.question.scope, topic=None)
    question = replace(case.question, scope=scope)
    read = run(reads, replace(case, question=question, passages=tuple(passages), answer=None))
    known = {passage.id for passage in passages}
    others = tuple(one for one in case.passages if one.id not in known)
    return replace(case, passages=(*passages, *others), answer=read.answer, trace=read.trace)


def written(reply: str) -> str | None:
    """The plan of a reply, out of its code fence; None where it says NONE, or nothing."""
    fenced = _FENCE.search(reply)
    text = (fenced.group(1) if fenced else reply).strip()
    return None if not text or text.strip(".").upper() == "NONE" else text


def values_of(result: Result) -> tuple[str, ...]:
    """What is answered: values, a count, or the facts of an information."""
    return result.lines if result.kind == "info" else result.values


def _why(made: Planned | None) -> str:
    if made is None:
        return "the LLM says that the graphs cannot answer it"
    return made.problem or f"the plan found nothing: {made.result.message if made.result else ''}"

"""Draws further answers to the same prompt, each a paid call of its own with its own number.

The samples are steps (LLMs whose options carry different sample numbers), so the ledger replays
them and budgets refuse them like any call. Not here: what is made of them (selfcheck.py,
entropy.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pilotfish.errors import BudgetExceeded, ModelError
from pilotfish.step import Step, run
from pilotfish.types import Answer, Case
from verifiers.keys import clean

Samples = Callable[[str], Sequence[Step]]  # the samples of the model of that name


def resampled(case: Case, samples: Samples, free: Sequence[str]) -> tuple[Case, list[str]]:
    """The case with what was spent, and further answers of its model.

    None where there is no answer, no prompt, nothing to vary, or no sample could be drawn.
    """
    answer = case.answer
    if answer is None or case.prompt is None or not worth_sampling(answer, free):
        return case, []
    texts, case = drawn(samples(answer.model), case)
    return (case if texts else replace(case, notes={"why": "no sample could be drawn"})), texts


def drawn(samples: Sequence[Step], case: Case) -> tuple[list[str], Case]:
    """(texts without keys, the case with what was spent in its trace).

    A sample that fails is left out; none is asked for after a budget has refused one.
    """
    texts: list[str] = []
    for sample in samples:
        try:
            done = run(sample, replace(case, answer=None))
        except BudgetExceeded as error:
            return texts, replace(case, trace=error.trace)
        except ModelError as error:
            case = replace(case, trace=error.trace)
            continue
        case = replace(case, trace=done.trace)
        if done.answer is not None and done.answer.text.strip():
            texts.append(clean(done.answer.text, case)[0])
    return texts, case


def worth_sampling(answer: Answer, free: Sequence[str]) -> bool:
    """Whether it is given, and of a model that could say something else another time."""
    return not answer.abstained and bool(answer.model) and answer.model not in free

"""Who says how much a demonstration helped: the in-context reader, a local model, a hosted LLM.

UPRISE (arXiv 2303.08518) scores candidates by a frozen model's success with each. `reader` costs
nothing; `local:NAME` gives the likelihood of the right output; `llm:NAME` is asked, one call for
each pair, and right or wrong. The gates are tested by the reader in any case. Not here: learning
from the scores (demo_fit.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pilotfish.errors import InputError
from pilotfish.step import run
from pilotfish.types import Case, Limits, Message, Prompt, Question
from pipeline.demo_fit import CANDIDATES, Floats, Success, alike
from pipeline.evaluation.scores import normalised
from pipeline.llm import LLM, CallOptions
from pipeline.parts import Parts
from pipeline.purse import Purse
from prompters.demonstrations.pool import Demo

READER, LOCAL, HOSTED = "reader", "local:", "llm:"
FEW = 8  # candidates of one input, where each costs a call
ASKS = "Answer the last input as the example does. Reply with the output alone."


@dataclass(frozen=True, slots=True)
class Scorer:
    """`success` and how many candidates of how many inputs it is asked about; None: all."""

    success: Success
    candidates: int = CANDIDATES
    inputs: int | None = None


def scorer(parts: Parts, purse: Purse, name: str, calls: int) -> Scorer:
    """The scorer of that name; InputError where it means nothing, or a hosted one has no calls."""
    if name == READER:
        return Scorer(alike)
    if name.startswith(LOCAL):
        from models.causal import loaded

        model = loaded(name.removeprefix(LOCAL))
        return Scorer(lambda asked, _, shown: model.likelihood(written(shown, asked), asked.output))
    if not name.startswith(HOSTED):
        raise InputError(f"no scorer {name!r}: there are reader, local:NAME, llm:NAME")
    if calls < FEW:
        raise InputError(f"scorer {name} needs calls: give --calls, {FEW} for each input")
    llm = LLM(name.removeprefix(HOSTED), purse, CallOptions.of(parts.settings.llm))
    return Scorer(hosted(llm), FEW, calls // FEW)


def hosted(llm: LLM) -> Callable[[Demo, Floats, Demo], float]:
    """1 where the LLM, shown one demonstration, gives the right output; else 0."""

    def success(asked: Demo, _: Floats, shown: Demo) -> float:
        messages = (Message("system", ASKS), Message("user", written(shown, asked)))
        question = Question(asked.input, limits=Limits())
        done = run(llm, Case(question, prompt=Prompt(messages)))
        said = done.answer.text if done.answer else ""
        form, wanted = normalised(said), normalised(asked.output)
        if not form or not wanted:  # labels such as + and -, or an article
            return float(said.strip().casefold() == asked.output.strip().casefold())
        return float(form == wanted)

    return success


def written(shown: Demo, asked: Demo) -> str:
    """One demonstration and the input, up to where the output begins."""
    return f"Input: {shown.input}\nOutput: {shown.output}\n\nInput: {asked.input}\nOutput: "

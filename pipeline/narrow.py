"""A prompt over fewer words than the case goes on with: the LLM reads less, the judges read all.

Pruned sentences keep their passage's id, so a key of the prompt names the whole passage. Verifiers
look at whole passages on purpose: a sentence that was dropped may contradict an answer, say what a
pronoun means, or carry a claim better. Not here: pruning (retrievers/), rendering (prompters/).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pilotfish.step import Step, run
from pilotfish.types import Case


@dataclass(frozen=True, slots=True)
class Narrow:
    """Runs `retrieve`, then `render`, and gives the passages back as they were."""

    retrieve: Step
    render: Step
    name: str = "narrow"

    def __call__(self, case: Case, /) -> Case:
        done = run(self.render, run(self.retrieve, case))
        return replace(done, passages=case.passages)

"""Labels as answers: the small classifier's where it is sure, else the LLM's, in one call.

A label says nothing of the documents, so it cites nothing, and none of the checks of sentences
apply. What holds it is the classifier's calibration on texts that it was not trained on, and the
answer's basis says so. A promise (--max-error) needs labelled answers of this recipe, as any other
(pilotfish tune trust). The LLM's label is weighed against the small model's chances by Bayes' rule
(RELIED: how often an LLM's label is taken to be right until somebody measures it). Not here: the
model (models/classifier/), its hints and the prompt (prompters/predict.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from models.classifier.model import Prediction
from pilotfish.step import Step, run, step_name
from pilotfish.types import Answer, Basis, Case, Flaw

RELIED = 0.85
MODEL = "classifier"


@dataclass(frozen=True, slots=True)
class ClassifyAnswer:
    """Puts the small model's label into the case; `where`: on how many labels it was calibrated."""

    predict: Callable[[str], Prediction]
    where: str
    name: str = MODEL

    def __call__(self, case: Case, /) -> Case:
        found = self.predict(case.question.text)
        answer = labelled(found.label, found.confidence, MODEL, self.where)
        return replace(case, answer=answer, notes={"because": dict(found.because)})


@dataclass(frozen=True, slots=True)
class LabelTier:
    """Asks the LLM for a label. `prompt` makes the hints and the prompt."""

    prompt: Step
    llm: Step
    predict: Callable[[str], Prediction]
    where: str
    relied: float = RELIED

    @property
    def name(self) -> str:
        return step_name(self.llm)

    def __call__(self, case: Case, /) -> Case:
        done = run(self.llm, run(self.prompt, case))
        found = self.predict(case.question.text)
        said = done.answer.text if done.answer else ""
        label = read(said, tuple(found.chances))
        if label is None:
            flaw = Flaw("no label", 0, len(said), "the reply is none of the labels")
            answer = Answer(said, model=self.name, abstained=True, flaws=(flaw,))
            return replace(done, answer=answer, notes={"why": flaw.detail})
        after = weighed(found.chances, label, self.relied)
        best = max(after, key=after.__getitem__)
        where = f"{self.where}; an LLM's label is taken to be right {self.relied:.0%} of the time"
        answer = labelled(best, round(after[best], 4), self.name, where)
        notes = {"said": label, "small model": found.label}
        why = said.strip().partition("\n")[2].strip()
        if why and label != found.label:
            notes["override"] = why
        return replace(done, answer=answer, notes=notes)


def sure(threshold: float) -> Callable[[Case], bool]:
    """Accept a label with at least this support."""

    def accept(case: Case) -> bool:
        answer = case.answer
        return answer is not None and not answer.abstained and (answer.support or 0.0) >= threshold

    return accept


def labelled(label: str, support: float, model: str, where: str) -> Answer:
    """The label as an answer."""
    basis = Basis(support, {"label": label}, MODEL, where)
    return Answer(label, (label,), model, support=support, basis=basis)


def read(reply: str, labels: tuple[str, ...]) -> str | None:
    """The label that a reply names in its first line, the longest; None: none, or several."""
    first = reply.strip().split("\n")[0].strip().casefold()
    first = first.removeprefix("label:").strip().strip(".\"'*` ")
    exact = [label for label in labels if label.casefold() == first]
    if exact:
        return exact[0]
    there = [
        one for one in labels if re.search(rf"(?<!\w){re.escape(one.casefold())}(?!\w)", first)
    ]
    longest = [one for one in there if not any(one != o and one in o for o in there)]
    return longest[0] if len(longest) == 1 else None


def weighed(chances: Mapping[str, float], said: str, relied: float) -> dict[str, float]:
    """P(label) after another model said one: it is right `relied` of the time, else any other."""
    others = (1 - relied) / max(1, len(chances) - 1)
    after = {label: max(p, 1e-4) * (relied if label == said else others)
             for label, p in chances.items()}  # fmt: skip
    whole = sum(after.values())
    return {label: p / whole for label, p in after.items()}

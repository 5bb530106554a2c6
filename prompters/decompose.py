"""Single or multi-hop, and into which sub-questions: a small model that points and fills forms.

After DecompRC (arXiv 1906.02916): a classifier picks the form, pointers find its spans, templates
write the sub-questions; `#1` stands for an earlier answer. After DaSLaM (arXiv 2310.18338) a first
attempt may be given, and then what it left unsupported is asked. No sequence-to-sequence model, no
LLM, milliseconds. Not here: hops one after the other (pipeline/hops.py), an LLM as the decomposer
(pipeline/decomposer.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pilotfish.types import Answer, Case, Hint
from prompters.decomposition import arithmetic, forms, implicit, rules
from prompters.decomposition.linear import Weights, weights
from prompters.decomposition.pointing import Asked
from prompters.decomposition.words import bare, features

SINGLE, BRIDGE, KIN, COMPARISON = "single", "bridge", "kin", "comparison"
BRIDGE_COMPARISON, INTERSECTION = "bridge-comparison", "intersection"
ARITHMETIC, IMPLICIT = "arithmetic", "implicit"
LONGEST = 3000  # characters; longer ones are no questions to be taken apart
DEEPEST = 4  # hops of nested bridges
_EARLIER = re.compile(r"#(\d+)")
_BOTH = re.compile(r"^(?:which|what|who|whom|whose)\b.*\bboth\b.*\band\b", re.IGNORECASE)
_FORMS = {
    BRIDGE: forms.bridge, KIN: forms.kin, COMPARISON: forms.comparison,
    BRIDGE_COMPARISON: forms.bridge_comparison, INTERSECTION: forms.intersection,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decomposition:
    """`form`: how the parts hang together; `sure`: P(that form). One sub-question: single."""

    form: str
    subquestions: tuple[str, ...]
    sure: float = 1.0

    @property
    def hops(self) -> int:
        return len(self.subquestions)

    @property
    def single(self) -> bool:
        return self.hops < 2


@dataclass(frozen=True, slots=True)
class Decomposer:
    """The small model; `weights` None: by rules, the baseline.

    `enough`: a question counts as multi-hop where P(single) is below 1 - enough.
    """

    weights: Weights | None = None
    enough: float = 0.5

    @classmethod
    def shipped(cls) -> Decomposer:
        return cls(weights())

    def __call__(self, question: str) -> Decomposition:
        """The question's form and sub-questions; single where it cannot be taken apart."""
        text = " ".join(question.split())
        if self.weights is None:
            parts = rules.decompose(text)
            return Decomposition("rules" if len(parts) > 1 else SINGLE, parts)
        if not text or len(text) > LONGEST:
            return Decomposition(SINGLE, (question,))
        form, sure = self._form(text, self.weights)
        parts = self._parts(text, form, self.weights)
        if len(parts) < 2:
            return Decomposition(SINGLE, (question,), sure if form == SINGLE else 1 - sure)
        return Decomposition(form, parts, sure)

    def _form(self, text: str, own: Weights) -> tuple[str, float]:
        chances = own.form(features(text))
        if chances[SINGLE] >= 1 - self.enough:
            return SINGLE, chances[SINGLE]
        if _BOTH.match(text):
            return INTERSECTION, 1 - chances[SINGLE]
        del chances[SINGLE]
        form = max(chances, key=chances.__getitem__)
        return form, chances[form]

    def _parts(self, text: str, form: str, own: Weights) -> tuple[str, ...]:
        if form == ARITHMETIC:
            return arithmetic.steps(text, own)
        if form == IMPLICIT:
            return implicit.steps(text)
        if form not in _FORMS:
            return (text,)
        found = _FORMS[form](Asked.of(text), own)
        if found is None and form == KIN:
            found = forms.bridge(Asked.of(text), own)
        if found and form == BRIDGE:
            found = self._later(self._deeper(found, own), own)
        return found or (text,)

    def _deeper(self, parts: tuple[str, ...], own: Weights) -> tuple[str, ...]:
        """A first sub-question that is a bridge itself is taken apart too."""
        first, *rest = parts
        if not forms.deep(first, own) or len(parts) >= DEEPEST:
            return parts
        form, _ = self._form(first, own)
        if form not in {BRIDGE, KIN}:
            return parts
        inner = _FORMS[form](Asked.of(first), own)
        if inner is None or bare(inner[0]) == bare(first):
            return parts
        return self._deeper((*inner, *(renumbered(part, len(inner) - 1) for part in rest)), own)

    def _later(self, parts: tuple[str, ...], own: Weights) -> tuple[str, ...]:
        """And so is a last one, with a name in the place of the answer that it waits for."""
        *before, last = parts
        key = f"#{len(before)}"
        named = last.replace(key, forms.HOLDER)
        if key not in last or not forms.deep(named, own) or len(parts) >= DEEPEST:
            return parts
        inner = forms.bridge(Asked.of(named), own)
        if inner is None or forms.HOLDER not in inner[0]:
            return parts
        first = inner[0].replace(forms.HOLDER, key)
        return self._later((*before, first, renumbered(inner[1], len(before))), own)


def renumbered(text: str, by: int) -> str:
    """`#1` becomes `#2` where one step more comes before it."""
    return _EARLIER.sub(lambda found: f"#{int(found[1]) + by}", text)


def filled(text: str, answers: dict[int, str]) -> str:
    """The sub-question with earlier answers in the places of their numbers."""
    return _EARLIER.sub(lambda found: answers.get(int(found[1]), found[0]), text)


def needs(text: str) -> list[int]:
    """Numbers of the earlier answers that a sub-question waits for."""
    return [int(number) for number in _EARLIER.findall(text)]


def left_open(answer: Answer | None) -> tuple[str, ...]:
    """What a first attempt left unsupported, sentence by sentence (DaSLaM's feedback)."""
    if answer is None:
        return ()
    kinds = {"unsupported", "contradicted"}
    found = [answer.text[flaw.start : flaw.end] for flaw in answer.flaws if flaw.kind in kinds]
    return tuple(dict.fromkeys(" ".join(text.split()) for text in found if text.strip()))


@dataclass(frozen=True, slots=True)
class Decompose:
    """Writes a `query` hint for each sub-question that waits for no other's answer.

    Where a first attempt stands in the case, its unsupported sentences are looked for too.
    """

    decomposer: Decomposer
    name: str = "decompose"

    def __call__(self, case: Case, /) -> Case:
        found = self.decomposer(case.question.text)
        ready = [] if found.single else [part for part in found.subquestions if not needs(part)]
        ready += left_open(case.answer)
        known = {hint.text for hint in case.hints if hint.kind == "query"}
        fresh = tuple(Hint("query", part, found.sure) for part in dict.fromkeys(ready)
                      if part not in known)  # fmt: skip
        notes = {"form": found.form, "sub-questions": list(found.subquestions),
                 "sure": round(found.sure, 3)}  # fmt: skip
        return replace(case, hints=(*case.hints, *fresh), notes=notes)

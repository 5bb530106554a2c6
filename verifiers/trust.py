"""The last word on an answer: its support calibrated, and given only if it is enough.

`answer.support` becomes P(right) by the collection's own calibration, else by the general one that
is shipped, and the answer says which: "uncalibrated here" until somebody has labelled answers of
this collection. A promise (`--max-error`) replaces the usual threshold; where it cannot be made,
or says nothing about this answer, the answer is withheld. Not here: fitting (calibration.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pilotfish.errors import InputError
from pilotfish.types import UNCALIBRATED, Answer, Basis, Case, Flaw
from verifiers.calibration import Calibration, from_json
from verifiers.promise import Promise
from verifiers.relevance import asked_kind
from verifiers.weights import fingerprint

GENERAL = Path(__file__).with_name("trust.json")  # made by benchmarks/fit_trust.py


@dataclass(frozen=True, slots=True)
class Reliance:
    """What support rests on here. `where`: what is said of it, for people."""

    calibration: Calibration | None = None
    where: str = UNCALIBRATED
    judge: str = ""
    max_error: float | None = None

    @property
    def here(self) -> bool:
        """Whether it was calibrated on this collection."""
        return self.where != UNCALIBRATED

    @property
    def promise(self) -> Promise | None:
        """None when none is asked for."""
        if self.max_error is None:
            return None
        if self.calibration is None:
            why = "nothing is calibrated for this judge: label answers (pilotfish tune trust)"
            return Promise(self.max_error, None, why)
        return self.calibration.promise(self.max_error)

    def told(self) -> str:
        """The promise in one line, or why there is none; empty when none is asked for."""
        given = self.promise
        if given is None:
            return ""
        if given.threshold is None:
            return f"cannot promise at most {given.max_error:.3g} wrong: {given.why}"
        return f"at most {given.max_error:.3g} wrong at 95 %, {self.where}: {given.why}"


@dataclass(frozen=True, slots=True)
class Trust:
    """Calibrates `answer.support`; withholds below `threshold`, or what no promise covers."""

    reliance: Reliance
    threshold: float = 0.5
    name: str = "trust"

    def __call__(self, case: Case, /) -> Case:
        answer = case.answer
        if answer is None or answer.support is None:
            return case
        judged, features = answer.support, features_of(case, answer)
        basis = self._basis(answer, judged, features)
        rank, known = judged, self.reliance.calibration
        if known is not None and known.covers(answer.model):
            rank = known.rank(judged, features)
            answer = replace(answer, support=round(known.support(rank), 4))
        why = self._short(answer, rank, known)
        if promise := self.reliance.told():
            basis = replace(basis, promise=promise, kept=not (why or answer.abstained))
        answer = replace(answer, basis=basis)
        if not why or answer.abstained:
            return replace(case, answer=answer)
        return replace(case, answer=withheld(answer, why), notes={"why": why})

    def _basis(self, answer: Answer, judged: float, features: Mapping[str, str]) -> Basis:
        """What support rests on; a tier that was fitted to the collection itself says so."""
        known = self.reliance.calibration
        if answer.basis is not None and not (known and known.covers(answer.model)):
            return replace(answer.basis, features={**features, **answer.basis.features})
        return Basis(judged, features, self.reliance.judge, self.reliance.where)

    def _short(self, answer: Answer, rank: float, known: Calibration | None) -> str:
        """Why the answer is not given; empty when it is."""
        support, promise = answer.support or 0.0, self.reliance.promise
        if promise is None:
            return "" if support >= self.threshold else "support is below the threshold"
        if promise.threshold is None:
            return "nothing can be promised"
        if known is None or not known.covers(answer.model):
            return f"no answers of {answer.model or 'this model'} were labelled"
        if rank < promise.threshold:
            return f"below the {promise.threshold:g} that the promise needs ({rank:.3f})"
        return ""


def withheld(answer: Answer, why: str) -> Answer:
    """Abstaining keeps the candidate's text and support for the record, and no citation."""
    flaw = Flaw("withheld", 0, len(answer.text), why)
    return replace(answer, abstained=True, citations=(), flaws=(*answer.flaws, flaw))


def features_of(case: Case, answer: Answer) -> dict[str, str]:
    """What an answer is, in the few words by which it is grouped."""
    cited = {citation.passage for citation in answer.citations}
    kinds = {passage.kind for passage in case.passages if passage.id in cited}
    return {
        "kind": asked_kind(case.question.text),
        "model": answer.model,
        "passage": "+".join(sorted(kinds)) or "none",
    }


@cache
def general(judges: str | None = None) -> Calibration | None:
    """The shipped calibration; None when it was made for other judges than those here."""
    try:
        found = json.loads(GENERAL.read_text(encoding="utf-8"))
        if found["judge"] != (judges or fingerprint()):
            return None
        return from_json(json.dumps(found["calibration"]))
    except (OSError, ValueError, KeyError, TypeError, InputError):
        return None

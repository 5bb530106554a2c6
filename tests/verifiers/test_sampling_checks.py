"""SelfCheck, semantic entropy and contrast, on known verdicts: no model decides anything here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest
from fakes import case_of, embed

from pilotfish.errors import BudgetExceeded, ModelError
from pilotfish.step import run
from pilotfish.types import Answer, Case, Citation, Prompt, Span
from verifiers.contrast import Contrast
from verifiers.entropy import Entropy, entropy, meanings
from verifiers.nli import by_rules
from verifiers.selfcheck import SelfCheck, inconsistency

BERN = "The office is in Bern."


@dataclass(frozen=True, slots=True)
class Says:
    """A model that says this, or fails so."""

    text: str = ""
    error: Exception | None = None

    def __call__(self, case: Case, /) -> Case:
        if self.error is not None:
            raise self.error
        return replace(case, answer=Answer(self.text, model="m"))


def saying(*texts: str) -> Callable[[str], Sequence[Says]]:
    return lambda model: [Says(text) for text in texts]


def same_or_not(premise: str, hypothesis: str) -> tuple[float, float, float]:
    """Supported when the hypothesis' last word is in the premise, else contradicted."""
    last = hypothesis.rstrip(".").split()[-1].lower()
    return (0.9, 0.05, 0.05) if last in premise.lower() else (0.1, 0.8, 0.1)


def given(text: str = BERN) -> Case:
    case = case_of("Where is the office?", BERN, "Visitors sign the book.")
    cited = (Citation((0, len(text)), Span("d1", 100, 122, BERN), 0.9, 1),)
    answer = Answer(text, model="m", citations=cited, support=0.8)
    return replace(case, prompt=Prompt((), {}), answer=answer)


def answered(case: Case) -> Answer:
    assert case.answer is not None
    return case.answer


def test_the_score_is_the_mean_share_of_contradiction() -> None:
    texts = [BERN, "It is in Rome.", "It is in Rome."]
    expected = (0.05 / 0.95 + 2 * 0.8 / 0.9) / 3
    assert inconsistency(BERN, texts, same_or_not) == pytest.approx(expected)
    assert inconsistency(BERN, [], same_or_not) == 0.5
    assert inconsistency(BERN, ["?"], lambda p, h: (0.0, 0.0, 1.0)) == 0.5


def test_a_sentence_that_samples_contradict_is_a_flaw_and_the_others_stay() -> None:
    case = given(f"{BERN} It opens at nine.")
    samples = saying("It is in Bern, open from ten.", "In Bern, from ten on.")
    done = run(SelfCheck(samples, same_or_not), case)
    (flaw,) = answered(done).flaws
    assert (flaw.kind, flaw.start) == ("inconsistent", len(BERN) + 1)
    assert not answered(done).abstained and answered(done).citations
    assert done.trace[-1].detail["samples"] == 2


def test_an_answer_that_every_sample_contradicts_is_withheld() -> None:
    done = run(SelfCheck(saying("Rome.", "Oslo."), same_or_not), given())
    assert answered(done).abstained and answered(done).citations == ()
    kept = run(SelfCheck(saying("In Bern.", "Bern"), same_or_not), given())
    assert not answered(kept).abstained and answered(kept).flaws == ()


def test_a_budget_that_refuses_samples_leaves_the_answer_as_it_is() -> None:
    def none(model: str) -> list[Says]:
        return [Says(error=BudgetExceeded("no calls left"))]

    for check in (SelfCheck(none, same_or_not), Entropy(none, same_or_not)):
        done = run(check, given())
        assert replace(answered(done), degraded=False) == given().answer
        assert [event.error for event in done.trace if event.error] == ["no calls left"]


def test_a_sample_that_fails_is_left_out() -> None:
    def some(model: str) -> list[Says]:
        return [Says(error=ModelError("down", code="llm_down")), Says("Rome."), Says("Oslo.")]

    done = run(SelfCheck(some, same_or_not), given())
    assert done.trace[-1].detail["samples"] == 2 and answered(done).abstained


def test_answers_of_the_extractor_and_withheld_ones_are_not_sampled() -> None:
    for answer in (Answer(BERN, model="extract"), Answer(BERN, model="m", abstained=True), None):
        case = replace(given(), answer=answer)
        for check in (
            SelfCheck(saying("Rome."), same_or_not),
            Entropy(saying("Rome."), same_or_not),
        ):
            assert check(case) == case


def test_texts_that_entail_each_other_are_one_meaning() -> None:
    texts = ["It is in Bern", "Bern", "Rome", "in bern", "Oslo"]
    assert meanings(texts, same_or_not) == [0, 0, 1, 0, 2]


@pytest.mark.parametrize(
    ("found", "nats"),
    [([0, 0, 0], 0.0), ([0, 1], math.log(2)), ([0, 1, 2, 3], math.log(4)),
     ([0, 0, 1], -(2 / 3) * math.log(2 / 3) - (1 / 3) * math.log(1 / 3))],
)  # fmt: skip
def test_entropy_is_that_of_the_meanings_shares(found: list[int], nats: float) -> None:
    assert entropy(found) == pytest.approx(nats)


def test_an_answer_of_the_minority_is_withheld_and_the_notes_say_why() -> None:
    done = run(Entropy(saying("Rome", "Rome", "Rome"), same_or_not), given())
    assert answered(done).abstained
    detail = done.trace[-1].detail
    assert detail["meanings"] == [0, 1, 1, 1] and detail["share"] == 0.25 and detail["words"] == 2.0
    kept = run(Entropy(saying("Bern", "Rome", "In Bern"), same_or_not), given())
    assert not answered(kept).abstained


def test_a_reader_of_the_citations_that_says_otherwise_is_a_flaw() -> None:
    done = run(Contrast(Says("It is in Rome."), lambda p, h: (0.1, 0.8, 0.1)), given())
    (flaw,) = answered(done).flaws
    assert flaw.kind == "contrast" and "Rome" in flaw.detail
    assert not answered(done).abstained


def test_a_reader_that_says_the_same_in_more_or_fewer_words_agrees() -> None:
    for read in ("Bern", "Our building: The office is in Bern. It is large."):
        done = run(Contrast(Says(read), lambda p, h: (0.0, 1.0, 0.0)), given())
        assert answered(done).flaws == ()


def test_the_reader_sees_the_cited_passages_alone() -> None:
    seen: list[int] = []

    def reader(case: Case) -> Case:
        seen.extend(passage.id for passage in case.passages)
        return replace(case, answer=Answer("Bern"))

    done = run(Contrast(reader, same_or_not), given())
    assert seen == [1] and len(done.passages) == 2
    silent = run(Contrast(Says(""), same_or_not), given())
    assert answered(silent).flaws == ()


def test_the_rules_support_contradict_or_say_nothing() -> None:
    nli = by_rules(embed)
    premise = "The warranty of the TL-40 pump is 24 months."
    assert nli(premise, premise)[0] > 0.9
    assert nli(premise, "The warranty of the TL-40 pump is 36 months.")[1] > 0.9
    assert nli(premise, "Visitors sign the book.")[2] > 0.5
    assert nli("", "x") == (0.0, 0.0, 1.0)
    for verdict in (nli(premise, premise), nli(premise, "Nothing of it.")):
        assert sum(verdict) == pytest.approx(1.0)

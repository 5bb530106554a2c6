"""Contradicting sources: both shown and cited; what is no contradiction is left alone."""

from __future__ import annotations

import pytest

from pilotfish.types import Answer, Case, Citation, Passage, Place, Question, Span
from verifiers.disagree import LEAD, Disagree

SAID = "Goods may be returned within 30 days of delivery."
QUESTION = "Within how many days may goods be returned?"


def passage(number: int, text: str, **more: object) -> Passage:
    place = Place(heading=(str(more.pop("heading", "Returns")),))
    return Passage(number, text, f"d{number}", 10, 10 + len(text), place, **more)  # type: ignore[arg-type]


def answered(*others: str, question: str = QUESTION, said: str = SAID, **more: object) -> Case:
    first = passage(1, said)
    cited = Citation((0, len(said)), Span("d1", 10, 10 + len(said), said), 0.9, 1)
    answer = Answer(said, model="extract", citations=(cited,), support=0.9)
    passages = (first, *(passage(n, text, **more) for n, text in enumerate(others, start=2)))
    return Case(Question(question), passages, answer=answer)


def shown(case: Case) -> Answer:
    texts = {p.document: p.text for p in case.passages}
    answer = Disagree(lambda d, start, end: texts[d][start - 10 : end - 10])(case).answer
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    ("question", "said", "other"),
    [
        (QUESTION, SAID, "Goods may be returned within 14 days of delivery."),
        (QUESTION, SAID, "Goods may be returned within 14 days after their delivery."),
        ("When was the mill built?", "The mill was built in 1921.", "The mill was built in 1912."),
        ("When did the mill open?", "The mill opened on 3 May 2019 in the yard.",
         "The mill opened on 3 June 2019 in the yard."),
        ("How many boats were sold?", "In 2020 the yard sold 50 boats to 7 buyers.",
         "In 2020 the yard sold 60 boats to 7 buyers."),
        ("Is smoking allowed in the yard?", "Smoking is allowed in the yard.",
         "Smoking is not allowed in the yard."),
    ],
)  # fmt: skip
def test_a_contradiction_shows_both_sources(question: str, said: str, other: str) -> None:
    answer = shown(answered(f"Read this first. {other}", question=question, said=said))
    assert answer.text == f"{said}\n{LEAD}{other}" and not answer.abstained
    first, second = answer.citations
    assert isinstance(second.source, Span) and isinstance(first.source, Span)
    assert (first.source.quote, second.source.quote) == (said, other)
    assert answer.text[slice(*second.sentence)] == LEAD + other
    assert [flaw.kind for flaw in answer.flaws] == ["disagreement"]
    assert "d1 and d2 contradict each other" in answer.flaws[0].detail


@pytest.mark.parametrize(
    ("question", "said", "other"),
    [
        (QUESTION, SAID, SAID),
        (QUESTION, SAID, "Goods may be returned within 30 days of delivery in all shops."),
        (QUESTION, SAID, "The harbour has 14 cranes."),
        (QUESTION, SAID, "Refunds are paid within 14 days of the return to the card."),
        ("How heavy is the TL-40?", "The TL-40 weighs 3 kg.", "The TL-45 weighs 4 kg."),
        ("When was it built?", "The mill of Ashford was built in 1921.",
         "The mill of Bellport was built in 1912."),
        ("How many boats were sold?", "In 2020 the yard sold 50 boats to 7 buyers.",
         "In 2020 the yard sold 50 boats."),
        ("What was sold in 2020?", "In 2020 it sold 5 boats.", "In 2020 it sold 5 boats."),
        ("Who lifts?", "Ann.", "14."),
    ],
)  # fmt: skip
def test_what_is_no_contradiction_is_left_alone(question: str, said: str, other: str) -> None:
    case = answered(other, question=question, said=said)
    assert shown(case) == case.answer


def test_sentences_under_headings_of_different_things_do_not_contradict() -> None:
    other = "Goods may be returned within 14 days of delivery."
    case = answered(other, heading="Returns of the TL-45")
    assert shown(case) == case.answer


def test_rows_of_tables_are_no_contradiction() -> None:
    case = answered("Goods may be returned within 14 days of delivery.", kind="table")
    assert shown(case) == case.answer


def test_a_rival_that_is_no_slice_of_its_document_any_more_is_not_quoted() -> None:
    case = answered("Goods may be returned within 14 days of delivery.")
    assert Disagree(lambda *_: None)(case) == case


def test_abstentions_and_answers_without_citations_are_left_alone() -> None:
    for answer in (None, Answer("x"), Answer("x", abstained=True)):
        case = Case(Question(QUESTION), answer=answer)
        assert Disagree(lambda *_: None)(case) == case

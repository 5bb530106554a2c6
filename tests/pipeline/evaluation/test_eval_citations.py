"""ALCE's citation recall and precision with a judge that reads from a table."""

from __future__ import annotations

import pytest

from pipeline.evaluation.citations import Judge, Statement, alce, judged, statements
from pipeline.evaluation.records import Cited, Reply


def table(*carried: str) -> Judge:
    """Judges by the letters of the evidence: `AB` carries a claim when it is in the table."""

    def judge(claim: str, evidence: str) -> float:
        return 0.9 if "".join(sorted(evidence.split())) in carried else 0.1

    return judge


def cited(*letters: str) -> tuple[Cited, ...]:
    return tuple(Cited("d", letter) for letter in letters)


@pytest.mark.parametrize(("letters", "carried", "recalled", "precise"), [
    ("A", "A", True, [True]),
    ("A", "", False, [False]),
    ("", "", False, []),
    ("AB", "AB", True, [True, True]),  # only together: neither can be left out
    ("AB", "AB A", True, [True, False]),  # A alone does it, B is beside the point
    ("AB", "AB A B", True, [True, True]),  # each alone does it
    ("AB", "A B", False, [False, False]),  # together they do not: B takes back what A says
    ("ABC", "ABC AB", True, [True, True, False]),
    ("ABC", "ABC AB BC AC", True, [False, False, False]),  # any two do: each one may go
])  # fmt: skip
def test_recall_and_precision_as_the_paper_has_them(
    letters: str, carried: str, recalled: bool, precise: list[bool]
) -> None:
    found = alce(Statement("claim", cited(*letters)), table(*carried.split()))
    assert found == (recalled, tuple(precise))


TEXT = "Goods come back within thirty full days. Refunds take five working days at most."


def placed(quote: str, sentence: tuple[int, int] | None) -> Cited:
    return Cited("d", quote, sentence=sentence)


def test_a_citation_belongs_to_the_sentences_that_it_overlaps() -> None:
    citations = (placed("A", (0, 40)), placed("B", (41, 80)), placed("C", None))
    first, second = statements(Reply("q", True, TEXT, citations=citations), "?")
    assert [one.quote for one in first.cited] == ["A", "C"]
    assert [one.quote for one in second.cited] == ["B", "C"]


def test_a_citation_outside_of_the_text_belongs_to_the_last_sentence() -> None:
    reply = Reply("q", True, TEXT, citations=(placed("A", (500, 510)),))
    assert [len(one.cited) for one in statements(reply, "?")] == [0, 1]


def test_an_answers_measures_are_means_over_its_sentences_and_its_citations() -> None:
    citations = (placed("A", (0, 40)), placed("B", (0, 40)), placed("C", (41, 80)))
    found = judged(Reply("q", True, TEXT, citations=citations), "?", table("A", "AB"))
    assert found is not None
    assert (found.recall, found.precision) == (0.5, pytest.approx(1 / 3))


def test_no_citation_is_no_recall_and_no_text_is_no_measure() -> None:
    found = judged(Reply("q", True, TEXT), "?", table())
    assert found is not None and (found.recall, found.precision) == (0.0, 0.0)
    assert judged(Reply("q", True, "..."), "?", table()) is None


def test_a_short_answer_is_judged_with_its_question() -> None:
    (one,) = statements(Reply("q", True, "Seine."), "Which river flows through Rouen?")
    assert one.claim == "Which river flows through Rouen? Seine."


def test_a_citation_without_a_quote_carries_nothing_though_its_heading_might() -> None:
    found = alce(Statement("claim", (Cited("d", " ", heading="A"),)), table("A"))
    assert found == (False, (False,))

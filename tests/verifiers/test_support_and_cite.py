from dataclasses import replace

import pytest
from fakes import case_of, embed, passage

from pilotfish.types import Answer, Case, Prompt, Question, Span
from verifiers.cite import Cite
from verifiers.keys import clean
from verifiers.support import CARRIED, VERBATIM, Support, judged

WARRANTY = "The warranty of the TL-40 pump is 24 months. Batteries are not covered. Paint is free."
OTHER = "The office in Bern opens at nine. Visitors sign the book."


def read_from(case: Case):  # type: ignore[no-untyped-def]
    """The stored slice, out of the passages of a case."""

    def read(document: str, start: int, end: int) -> str | None:
        for one in case.passages:
            if one.document == document and one.start <= start and end <= one.end:
                return one.text[start - one.start : end - one.start]
        return None

    return read


def checked(case: Case, text: str, threshold: float = 0.0) -> Answer:
    """The answer after both verifiers."""
    case = Support(embed)(replace(case, answer=Answer(text)))
    done = Cite(embed, read_from(case), threshold)(case)
    assert done.answer is not None
    return done.answer


def support_of(text: str, *passages: str) -> float:
    """P(the best window carries the one claim of the text)."""
    case = case_of("How long is the warranty of the TL-40 pump?", *passages)
    return judged(clean(text, case)[1][0], case, embed).support


def test_a_sentence_of_the_passage_is_carried_and_cited_to_its_characters() -> None:
    case = case_of("How long is the warranty of the TL-40 pump?", OTHER, WARRANTY)
    answer = checked(case, "The warranty of the TL-40 pump is 24 months.")
    assert not answer.abstained
    (citation,) = answer.citations
    assert isinstance(citation.source, Span)
    assert citation.source.document == "d2"
    assert citation.source.quote == "The warranty of the TL-40 pump is 24 months."
    assert citation.source.start == 100
    assert citation.source.place.page == 2
    assert citation.sentence == (0, 44)


def test_another_number_is_never_supported() -> None:
    assert support_of("The warranty of the TL-40 pump is 36 months.", WARRANTY) <= 0.05


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("5 days of leave.", "Employees get 25 days of leave."),
        ("5 EUR a day.", "It costs 1.5 EUR a day."),
        ("It costs me 5", "It costs me 5,000 EUR a day."),
        ("No.", "November revenue was strong."),
        ("Yes.", "Yesterday we met."),
        ("The deposit of a lamp is refundable.",
         "It is wrong to say that The deposit of a lamp is refundable."),
    ],
)  # fmt: skip
def test_a_stretch_of_letters_is_not_yet_the_sentence(text: str, evidence: str) -> None:
    assert support_of(text, evidence) < VERBATIM


def test_dots_are_no_answer() -> None:
    answer = checked(case_of("How long is the warranty of the TL-40 pump?", WARRANTY), "...")
    assert answer.abstained
    assert answer.support is None


def test_the_number_of_a_heading_does_not_carry_a_claim() -> None:
    one = passage("The warranty lasts 3 years from delivery.", heading="5. Warranty")
    case = Case(Question("How long is the warranty?"), (one,))
    claim = clean("The warranty lasts 5 years from delivery.", case)[1][0]
    assert judged(claim, case, embed).support <= 0.05


def test_a_lost_negation_is_not_supported() -> None:
    assert support_of("Batteries are covered by the warranty of the pump.", WARRANTY) < CARRIED


def test_an_unrelated_sentence_is_not_supported() -> None:
    assert support_of("The managing director plays the violin every evening.", WARRANTY) < CARRIED


def test_an_unsupported_sentence_is_flagged_and_not_cited() -> None:
    case = case_of("How long is the warranty of the TL-40 pump?", WARRANTY)
    answer = checked(case, "The warranty of the TL-40 pump is 24 months. It was 12 in 1999.")
    assert [citation.sentence for citation in answer.citations] == [(0, 44)]
    assert [(flaw.kind, flaw.start) for flaw in answer.flaws] == [("unsupported", 45)]
    assert answer.support is not None and answer.support <= 0.05


def test_the_passage_that_the_key_names_is_looked_at_first() -> None:
    case = case_of("How long is the warranty?", WARRANTY, WARRANTY)
    case = replace(case, prompt=Prompt((), {"kab2c": 2}))
    answer = checked(case, "The warranty of the TL-40 pump is 24 months [kab2c].")
    assert answer.text == "The warranty of the TL-40 pump is 24 months."
    assert answer.citations[0].passage == 2


def test_a_wrong_key_is_corrected_to_the_passage_that_carries_the_sentence() -> None:
    case = case_of("How long is the warranty?", OTHER, WARRANTY)
    case = replace(case, prompt=Prompt((), {"kab2c": 1}))
    answer = checked(case, "The warranty of the TL-40 pump is 24 months [kab2c].")
    assert answer.citations[0].passage == 2


def test_only_the_named_passage_itself_is_vouched_for() -> None:
    case = case_of("How long is the warranty of the pump?", OTHER, WARRANTY)
    case = replace(case, prompt=Prompt((), {"kab2c": 1, "kxyz2": 2}))
    said = "The warranty of the TL-40 pump is 24 months"
    plain, elsewhere, named = (
        checked(case, f"{said}{key}.").support for key in ("", " [kab2c]", " [kxyz2]")
    )
    assert plain is not None and named is not None
    assert elsewhere == plain
    assert named > plain


def test_a_passage_named_by_another_sentence_is_not_vouched_for() -> None:
    case = case_of("How long is the warranty of the pump?", OTHER, WARRANTY)
    case = replace(case, prompt=Prompt((), {"kab2c": 1}))
    said = "The warranty of the TL-40 pump is 24 months. The office in Bern opens at nine"
    assert checked(case, f"{said} [kab2c].").support == checked(case, f"{said}.").support


def test_a_quote_that_is_not_the_stored_slice_is_no_citation() -> None:
    case = case_of("How long is the warranty of the TL-40 pump?", WARRANTY)
    case = Support(embed)(
        replace(case, answer=Answer("The warranty of the TL-40 pump is 24 months."))
    )
    done = Cite(embed, lambda *_: "changed meanwhile", 0.0)(case)
    assert done.answer is not None
    assert done.answer.abstained
    assert done.answer.citations == ()


def test_below_the_threshold_it_abstains_and_keeps_no_citation() -> None:
    case = case_of("How long is the warranty of the TL-40 pump?", WARRANTY)
    answer = checked(case, "The warranty of the TL-40 pump is 24 months.", threshold=1.0)
    assert answer.abstained
    assert answer.citations == ()
    assert answer.support is not None


@pytest.mark.parametrize(
    "text", ["", "I cannot answer from these documents.", "I can’t answer that."]
)
def test_a_refusal_is_an_abstention(text: str) -> None:
    assert checked(case_of("What?", WARRANTY), text).abstained


def test_without_passages_nobody_judges_and_nothing_is_accepted() -> None:
    answer = checked(Case(case_of("What?").question), "The moon is made of cheese, they say.")
    assert answer.support is None
    assert answer.abstained


def test_a_chinese_answer_is_cited_too() -> None:
    case = case_of("供應商對電池組的保固有多久？", "供應商對電池組提供四十個月保固。其他不在此限。")
    answer = checked(case, "供應商對電池組提供四十個月保固。")
    assert answer.citations[0].source.quote == "供應商對電池組提供四十個月保固。"  # type: ignore[union-attr]

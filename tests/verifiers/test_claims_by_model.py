"""Claims of answers judged by a cross-encoder: verdicts with their evidence, under hard rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from fakes import case_of, embed, passage

from models.pilot.chosen import is_shipped, of_claims, of_questions
from models.pilot.others import Other
from models.pilot.reading import Judge, Pair, Reading
from models.pilot.serve import Pilot
from pilotfish.types import Answer, Case, Prompt, Question, Span
from verifiers.cite import Cite
from verifiers.claims import Judged, judged, judged_all
from verifiers.evidence import Vectors
from verifiers.keys import Claim, clean
from verifiers.nli import by_model
from verifiers.rewrite import Rewrite
from verifiers.support import Support
from verifiers.verdict import Verdicts, over

WARRANTY = "The guarantee on the pump runs for two years. Batteries are excluded. Paint is free."
OTHER = "The office in Bern opens at nine. Visitors sign the book."
ASKED = "How long is the pump under warranty?"
LASTS, DENIED, UNKNOWN = (
    "The pump is under warranty for two years.",
    "Batteries are covered by the guarantee on it.",
    "The pump was designed in a castle by monks.",
)
NEITHER = Reading(0.0, 0.02, 0.03, 0.95)


def reading(supported: float, contradicted: float = 0.0) -> Reading:
    return Reading(0.0, supported, contradicted, 1.0 - supported - contradicted)


class Told:
    """A judge with known answers: (part of the claim, part of the text) -> reading, first fits."""

    def __init__(self, *known: tuple[str, str, Reading]) -> None:
        self.known = known
        self.calls: list[list[Pair]] = []

    def __call__(self, pairs: Sequence[Pair]) -> list[Reading]:
        self.calls.append(list(pairs))
        return [self._one(*pair) for pair in pairs]

    def _one(self, claim: str, text: str) -> Reading:
        fits = (r for said, there, r in self.known if said in claim and there in text)
        return next(fits, NEITHER)


def knowing() -> Told:
    return Told(
        ("two years", "two years", reading(0.9)),
        ("Batteries", "excluded", reading(0.02, 0.95)),
    )


def stored(case: Case) -> Callable[[str, int, int], str | None]:
    def read(document: str, start: int, end: int) -> str | None:
        one = next(p for p in case.passages if p.document == document)
        return one.text[start - one.start : end - one.start]

    return read


def one(text: str, model: Judge, *passages: str) -> Judged:
    case = case_of(ASKED, *passages)
    return judged(clean(text, case)[1][0], case, embed, model)


def checked(text: str, model: Judge) -> tuple[Case, Answer]:
    case = case_of(ASKED, OTHER, WARRANTY)
    case = Support(embed, model)(replace(case, answer=Answer(text)))
    done = Cite(embed, stored(case), 0.0, model)(case)
    assert done.answer is not None
    return case, done.answer


def test_a_contradicted_sentence_is_told_from_an_unsupported_one_with_what_denies_it() -> None:
    _, answer = checked(f"{LASTS} {DENIED} {UNKNOWN}", knowing())
    (citation,) = answer.citations
    assert isinstance(citation.source, Span)
    assert citation.source.quote == "The guarantee on the pump runs for two years."
    denied, unknown = answer.flaws
    assert (denied.kind, unknown.kind) == ("contradicted", "unsupported")
    assert answer.text[denied.start : denied.end] == DENIED
    assert denied.evidence is not None and denied.evidence.quote == "Batteries are excluded."
    assert denied.detail == "one is negated, the other is not" and unknown.evidence is None
    assert answer.support is not None and answer.support <= 0.05


def test_what_denies_a_claim_is_the_sentence_most_like_it_not_the_loudest() -> None:
    text = "Refunds are paid by card. The pump is under warranty for two years at most."
    told = Told(("nine", "Refunds", reading(0.01, 0.98)), ("nine", "pump", reading(0.05, 0.9)))
    found = one("The pump is under warranty for nine years.", told, text)
    assert found.verdict == "contradicted" and found.window is not None
    assert found.window.text == "The pump is under warranty for two years at most."


def test_the_trace_has_each_verdict_and_the_place_of_its_evidence() -> None:
    case, _ = checked(f"{LASTS} {DENIED} {UNKNOWN}", knowing())
    verdicts = case.notes["verdicts"]
    assert isinstance(verdicts, list)
    assert [v["verdict"] for v in verdicts] == ["supported", "contradicted", "unsupported"]
    assert verdicts[0]["evidence"] == "d2:100-145" and verdicts[1]["contradicted"] == 0.95


def test_by_rules_nothing_is_called_contradicted_and_no_verdicts_are_noted() -> None:
    case = Support(embed)(replace(case_of(ASKED, WARRANTY), answer=Answer(DENIED)))
    done = Cite(embed, stored(case), 0.0)(case)
    assert done.answer is not None and "verdicts" not in case.notes
    assert [(flaw.kind, flaw.evidence) for flaw in done.answer.flaws] == [("unsupported", None)]


@pytest.mark.parametrize(
    ("claim", "text", "verdict", "most"),
    [
        ("The pump has a warranty of 36 months.", "It is guaranteed for 24 months.",
         "contradicted", 0.05),
        ("The pump has a warranty of 36 months.", "It is guaranteed for long.",
         "unsupported", 0.05),
        ("The pump has a warranty of 24 weeks.", "It is guaranteed for 24 months.",
         "contradicted", 0.05),
        ("Repairs of the pump begin in May each year.", "Each June repairs begin.",
         "contradicted", 0.05),
        ("The pump is covered by the warranty.", "No warranty covers it.", "contradicted", 0.2),
    ],
)  # fmt: skip
def test_hard_rules_hold_whatever_the_model_says(
    claim: str, text: str, verdict: str, most: float
) -> None:
    sure = Told(("", "", reading(0.99)))
    found = one(claim, sure, text)
    assert (found.verdict, bool(found.reason)) == (verdict, True)
    assert found.support <= most and found.support + found.contradicted <= 1.0


def test_a_number_for_something_else_in_the_next_sentence_does_not_lift_the_cap() -> None:
    text = "The guarantee on the pump runs for 24 months. The pump is sold in 36 shops."
    model = Told(("36 months", "24", reading(0.9)), ("36 months", "36", reading(0.03)))
    found = one("The guarantee on the pump runs for 36 months.", model, text)
    assert found.support <= 0.05 and found.verdict == "contradicted"


def test_numbers_of_two_sentences_carry_a_claim_of_both() -> None:
    text = "The pump weighs 3 kilos. It costs 12 euros."
    model = Told(("", "3", reading(0.9)), ("", "12", reading(0.2)))
    found = one("The pump weighs 3 kilos and costs 12 euros all in all.", model, text)
    assert found.verdict == "supported" and found.window is not None
    assert found.window.text == text


def test_a_copy_of_a_sentence_needs_no_model() -> None:
    model = knowing()
    found = one("The guarantee on the pump runs for two years.", model, OTHER, WARRANTY)
    assert found.verdict == "supported" and found.support == 0.99 and model.calls == []


def test_the_window_is_the_one_that_the_model_finds_not_the_one_of_most_words() -> None:
    text = "The pump is under warranty by law. For two years it is guaranteed."
    found = one(LASTS, Told(("", "For two years it", reading(0.8))), text)
    assert found.window is not None and found.window.text == "For two years it is guaranteed."
    assert found.support == pytest.approx(0.8)


def test_what_sentences_only_carry_together_is_cited_together() -> None:
    text = "The pump is old. It is blue. It is under warranty. That lasts for two years."
    model = Told(("", text, reading(0.9)))
    found = one(LASTS, model, text)
    assert found.window is not None and found.window.text == text
    assert found.verdict == "supported"


def test_all_claims_go_to_the_model_at_once_and_few_pairs_each() -> None:
    case, claims = case_with_keys(f"{LASTS} [kaaaa] Two years of warranty has the pump, all told.")
    model = Told(("", "two years", reading(0.9)), ("", "Bern", reading(0.9)))
    judged_all(claims, case, embed, model)
    assert len(model.calls) == 1 and len(model.calls[0]) <= 4 * len(claims)


def test_only_what_the_named_passages_do_not_carry_is_laid_against_the_others() -> None:
    case, claims = case_with_keys(f"{LASTS} [kaaaa] {LASTS} [kbbbb]")
    model = Told(("two years", "two years", reading(0.9)))
    astray, right = judged_all(claims, case, embed, model)
    assert (astray.verdict, right.verdict) == ("supported", "supported")
    assert astray.window is not None and astray.window.passage.id == 2
    assert len(model.calls) == 2 and len(model.calls[1]) <= 4


def case_with_keys(text: str) -> tuple[Case, list[Claim]]:
    case = replace(case_of(ASKED, OTHER, WARRANTY), prompt=Prompt((), {"kaaaa": 1, "kbbbb": 2}))
    return case, clean(text, case)[1]


def test_what_the_named_passage_denies_stays_denied_when_others_are_silent() -> None:
    case, _ = case_with_keys("")
    claims = clean(f"{DENIED} [kbbbb]", case)[1]
    (found,) = judged_all(claims, case, embed, knowing())
    assert found.verdict == "contradicted"
    assert found.window is not None and found.window.passage.id == 2


def test_a_sentence_is_read_under_its_headings_and_quoted_without() -> None:
    held = passage("It lasts for two years.", heading="Warranty of the pump")
    model = Told(("", "Lamps › Warranty of the pump. It lasts", reading(0.9)))
    case = Case(Question(ASKED), (held,))
    found = judged(clean(LASTS, case)[1][0], case, embed, model)
    assert found.window is not None and found.window.text == held.text
    assert found.verdict == "supported"


def test_a_short_answer_is_read_with_its_question() -> None:
    model = Told((ASKED, "two years", reading(0.9)))
    assert one("Two years.", model, WARRANTY).verdict == "supported"


def test_chinese_is_not_read_by_the_shipped_model_which_has_no_words_for_it() -> None:
    def never(pairs: Sequence[Pair]) -> list[Reading]:
        assert not pairs
        return []

    text = "供應商對電池組提供四十個月保固。"
    (found,) = Verdicts(embed, never, fitted=True)([("電池組的保固是四十個月。", text)])
    assert not found.read and found.window is not None
    loud = Told(("", "", reading(0.9)))
    (found,) = Verdicts(embed, loud, fitted=False)([("電池組的保固是四十個月。", text)])
    assert found.read and found.supported == 0.9


def test_an_empty_pool_or_no_claims_ask_nothing() -> None:
    model = knowing()
    assert judged_all([], case_of(ASKED, OTHER), embed, model) == [] and model.calls == []
    bare = judged(clean(LASTS, case_of(ASKED))[1][0], case_of(ASKED), embed, model)
    assert bare.window is None and bare.verdict == "unsupported"


def test_a_denied_sentence_that_is_dropped_is_called_contradicted() -> None:
    model = knowing()
    case = replace(case_of(ASKED, OTHER, WARRANTY), answer=Answer(f"{LASTS} {DENIED} {UNKNOWN}"))
    rewrite = Rewrite(
        lambda claim, among: judged(claim, among, embed, model), Support(embed, model)
    )
    done = rewrite(case)
    changes = done.notes["changes"]
    assert isinstance(changes, list) and done.answer is not None
    assert {c["before"].strip(): c["kind"] for c in changes} == {
        DENIED: "contradicted", UNKNOWN: "unsupported"
    }  # fmt: skip
    assert done.answer.text.strip() == LASTS


def test_support_counts_first_for_a_model_that_speaks_for_itself() -> None:
    """NLI models take a sentence on something else for a denial."""
    text = "Ropes never burn. The lamp uses twelve watts of power."
    model = Told(("", "twelve", reading(0.7, 0.1)), ("", "Ropes", reading(0.0, 0.99)))
    (found,) = Verdicts(embed, model, fitted=False)([("The lamp draws twelve watts.", text)])
    assert (found.supported, found.contradicted) == (0.7, 0.1)


def test_only_the_shipped_pilot_has_a_judge_fitted_over_it() -> None:
    pilot, model = Pilot(), knowing()
    reranker = Other("BAAI/bge-reranker-base", "relevance", pilot)
    checker = Other("vectara/hhem", "support", pilot)
    assert over(embed, pilot).fitted and over(embed, reranker).fitted
    assert of_claims(reranker) is pilot and of_questions(reranker) is reranker
    both = Other("BAAI/bge-reranker-base", "relevance", checker)
    assert of_claims(both) == checker.verdicts and not is_shipped(of_claims(both))
    assert of_questions(checker) is pilot and not over(embed, checker).fitted
    premise = "The guarantee runs for two years."
    assert by_model(model, embed)(premise, LASTS) == pytest.approx((0.9, 0.0, 0.1))


def test_the_encoder_is_not_asked_for_a_copy() -> None:
    def never(texts: Sequence[str]) -> Vectors:
        raise AssertionError(texts)

    case = case_of(ASKED, WARRANTY)
    claim = clean("The guarantee on the pump runs for two years.", case)[1][0]
    assert judged(claim, case, never, knowing()).support == 0.99

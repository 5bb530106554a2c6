"""The repairs together: what is mended, dropped, softened, re-attached, and what is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fakes import case_of, embed

from pilotfish.types import Answer, Case, Prompt, Span
from verifiers.cite import Cite
from verifiers.form import at_most, bare_json, in_language_of
from verifiers.keys import Claim
from verifiers.personal import masked
from verifiers.repetition import repeated
from verifiers.rewrite import SOFT, Rewrite
from verifiers.support import Judged, Support, judged

WARRANTY = "The warranty of the TL-40 pump is 24 months. Batteries are not covered. Paint is free."
OTHER = "The office in Bern opens at nine. Visitors sign the book."
ASKED = "How long is the warranty of the TL-40 pump?"
RIGHT = "The warranty of the TL-40 pump is 24 months."


def judge(claim: Claim, case: Case) -> Judged:
    return judged(claim, case, embed)


def asked(text: str) -> Case:
    case = replace(case_of(ASKED, OTHER, WARRANTY), prompt=Prompt((), {"kaaaa": 1, "kbbbb": 2}))
    return Support(embed)(replace(case, answer=Answer(text)))


def rewritten(text: str, **settings: Any) -> Case:
    return Rewrite(judge, Support(embed), **settings)(asked(text))


def said(case: Case) -> str:
    assert case.answer is not None
    return case.answer.text


def changes(case: Case) -> list[dict[str, str]]:
    found = case.notes.get("changes", [])
    assert isinstance(found, list)
    return found


def test_a_wrong_number_is_mended_and_the_trace_says_from_where() -> None:
    case = rewritten("The warranty of the TL-40 pump is 36 months [kbbbb].")
    assert said(case) == RIGHT + " [kbbbb]"
    assert changes(case) == [
        {"kind": "number", "before": "36", "after": "24", "place": "d2:100-144"}
    ]
    assert case.answer is not None and case.answer.flaws[0].kind == "mended"
    assert case.answer.support is not None and case.answer.support > 0.05


def test_a_right_answer_is_left_exactly_as_it_was() -> None:
    before = asked(RIGHT + " [kbbbb] Batteries are not covered [kbbbb].")
    assert Rewrite(judge, Support(embed))(before) == before


def test_an_unsupported_sentence_is_dropped_or_softened_or_kept() -> None:
    text = f"{RIGHT} [kbbbb] The moon orbits 77 planets [kaaaa]."
    assert said(rewritten(text)) == f"{RIGHT} [kbbbb]"
    assert said(rewritten(text, unsupported="soften")).count(SOFT) == 1
    assert said(rewritten(text, unsupported="keep")) == text


def test_an_answer_of_which_nothing_is_supported_is_left_to_the_gate() -> None:
    text = "The moon orbits 77 planets."
    assert said(rewritten(text)) == text


def test_a_key_that_names_the_wrong_passage_goes_and_the_right_one_is_cited() -> None:
    case = rewritten(f"{RIGHT} [kaaaa]")
    assert said(case) == RIGHT
    (change,) = changes(case)
    assert change["kind"] == "citation" and change["after"] == "d2:100-144"

    def read(document: str, start: int, end: int) -> str:
        return WARRANTY[start - 100 : end - 100]

    done = Cite(embed, read, 0.0)(case)
    assert done.answer is not None and isinstance(done.answer.citations[0].source, Span)
    assert done.answer.citations[0].source.document == "d2"


def test_a_mended_claim_that_the_judge_does_not_carry_is_not_mended() -> None:
    def never(claim: Claim, case: Case) -> Judged:
        return Judged(claim, None, 0.3)

    text = "The warranty of the TL-40 pump is 36 months."
    assert said(Rewrite(never, Support(embed))(asked(text))) == text


def test_a_number_of_a_neighbouring_sentence_on_the_same_is_no_mistake() -> None:
    passage = "The TL-40 pump weighs 12 kg. With its case the TL-40 pump weighs 15 kg in all."
    case = replace(case_of("How heavy?", passage), answer=Answer("The TL-40 pump weighs 15 kg."))
    assert Rewrite(judge, Support(embed))(case).notes == {}


def test_plugins_share_the_shape_of_every_other_repair() -> None:
    text = f"{RIGHT} [kbbbb] {RIGHT} [kbbbb] Ask anna@example.org."
    case = rewritten(text, unsupported="keep", plugins=(repeated, masked))
    assert said(case) == f"{RIGHT} [kbbbb] Ask [e-mail]."
    assert [change["kind"] for change in changes(case)] == ["repetition", "personal"]


def test_refusals_and_abstentions_are_left_alone() -> None:
    for answer in (Answer("I cannot answer from these documents."), Answer("x", abstained=True)):
        case = replace(asked(RIGHT), answer=answer)
        assert Rewrite(judge, Support(embed))(case) == case


def test_repeated_sentences_go_unless_a_number_or_a_not_differs() -> None:
    assert len(repeated("It is 5 km long. It is 5 km long. It is 6 km long.")) == 1
    assert repeated("It is open on Sundays now. It is not open on Sundays now.") == []


def applied(text: str, made: list[Any]) -> str:
    for change in sorted(made, key=lambda one: -one.start):
        assert text[change.start : change.end] == change.before
        text = text[: change.start] + change.after + text[change.end :]
    return text


def test_form_is_length_language_and_json() -> None:
    text = "One two three. Four five. Six."
    assert applied(text, list(at_most(5)(text))) == "One two three. Four five."
    assert applied(text, list(at_most(1)(text))) == "One two three."
    mixed = "保修期为24个月。 It is free."
    assert applied(mixed, list(in_language_of("保修多久？")(mixed))).strip() == "保修期为24个月。"
    assert in_language_of("Hm?")("保修期为24个月。") == []
    fenced = 'Sure:\n```json\n{"a": [1]}\n```\nBye'
    assert applied(fenced, bare_json(fenced)).strip() == '{"a": [1]}'
    assert bare_json("no json here") == bare_json("[1, 2]") == []


def test_the_number_of_a_list_is_no_number_of_the_claim() -> None:
    text = f"1. {RIGHT}\n2. Batteries are not covered.\n3. The moon orbits 77 planets."
    assert said(rewritten(text)) == f"1. {RIGHT}\n2. Batteries are not covered."

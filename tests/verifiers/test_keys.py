from dataclasses import replace

import pytest
from fakes import case_of, passage
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.types import Prompt
from prompters.render import citation_keys
from verifiers.keys import Claim
from verifiers.keys import clean as clean_in

KEYS = {"kab2c": 1, "kxyz2": 2}


def clean(text: str, keys: dict[str, int], *passages: str) -> tuple[str, list[Claim]]:
    return clean_in(text, replace(case_of("Why?", *passages), prompt=Prompt((), keys)))


def test_a_key_belongs_to_the_sentence_it_closes() -> None:
    text, claims = clean("It costs 40 EUR [kab2c]. Sold in May [kxyz2, kab2c]. Nothing else.", KEYS)
    assert text == "It costs 40 EUR. Sold in May. Nothing else."
    assert [claim.named for claim in claims] == [(1,), (2, 1), ()]


def test_a_key_after_the_full_stop_belongs_to_the_sentence_before() -> None:
    text, claims = clean("It costs 40 EUR. [kab2c] Sold in May.[kxyz2]", KEYS)
    assert text == "It costs 40 EUR. Sold in May."
    assert [claim.named for claim in claims] == [(1,), (2,)]


def test_a_key_the_prompt_did_not_hold_is_dropped() -> None:
    text, claims = clean("It costs 40 EUR [kzzzz].", KEYS)
    assert text == "It costs 40 EUR."
    assert claims[0].named == ()


def test_brackets_that_are_no_keys_stay() -> None:
    assert clean("See [1] and [note].", KEYS)[0] == "See [1] and [note]."


def test_a_bracketed_word_of_the_documents_is_no_key() -> None:
    said = "The [kernel] and the [known] bug [kab2c]."
    text, claims = clean(said, KEYS, "Read [known] first.")
    assert text == "The [kernel] and the [known] bug."
    assert claims[0].named == (1,)


def test_a_key_of_another_workspace_is_dropped() -> None:
    keys = citation_keys([passage("Because.")], b"o" * 32)
    assert clean(f"It is the tide [{keys[1]}].", KEYS)[0] == "It is the tide."


def test_of_a_bracket_only_the_keys_are_dropped() -> None:
    text, claims = clean("It is the tide [kab2c, kernel; /kzzzz].", KEYS)
    assert text == "It is the tide [kernel]."
    assert claims[0].named == (1,)


def test_an_answer_copied_from_a_passage_stays_as_it_is() -> None:
    text, claims = clean("Read\n[kab2c] first.", KEYS, "You shall: Read [kab2c] first.")
    assert text == "Read\n[kab2c] first."
    assert claims[0].named == ()


@pytest.mark.parametrize("text", ["...", " - ", "**\n\n…"])
def test_a_text_without_words_claims_nothing(text: str) -> None:
    assert clean(text, KEYS)[1] == []


def test_a_key_after_dots_belongs_to_the_sentence_before() -> None:
    assert clean("It costs 40 EUR.\n\n... [kab2c]", KEYS)[1][0].named == (1,)


@given(st.text(alphabet="ab .[]kxyz2,!\n。", max_size=80))
def test_claims_are_slices_of_the_clean_text(text: str) -> None:
    plain, claims = clean(text, KEYS)
    assert all(plain[claim.start : claim.end] == claim.text for claim in claims)

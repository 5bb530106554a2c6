from hypothesis import given
from hypothesis import strategies as st

from verifiers.keys import clean

KEYS = {"kab2c": 1, "kxyz2": 2}


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


@given(st.text(alphabet="ab .[]kxyz2,!\n。", max_size=80))
def test_claims_are_slices_of_the_clean_text(text: str) -> None:
    plain, claims = clean(text, KEYS)
    assert all(plain[claim.start : claim.end] == claim.text for claim in claims)

"""Index tokens: the same for documents and questions, in any script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.tokens import tokens


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", []),
        ("The cat is on the mat", ["cat", "mat"]),
        ("Returns, returned; RETURNING!", ["return", "return", "return"]),
        ("退货政策", ["退货", "货政", "政策"]),
        ("货", ["货"]),
        ("iPhone15手机 case", ["iphone15", "手机", "case"]),
        ("ＡＢＣ１２", ["abc12"]),
        ("snake_case x-1", ["snake", "case", "x", "1"]),
        ("ひらカタ", ["ひら", "らカ", "カタ"]),
        ("한국어", ["한국", "국어"]),
        ("Größe ÉCOLES", ["größe", "école"]),
        ("12.50 €", ["12", "50"]),
        ("😀 ?!", []),
    ],
)
def test_a_text_has_these_tokens(text: str, wanted: list[str]) -> None:
    assert tokens(text) == wanted


@given(st.text(), st.text())
def test_tokens_of_two_texts_are_those_of_each(first: str, second: str) -> None:
    assert tokens(f"{first} \n {second}") == tokens(first) + tokens(second)


@given(st.text())
def test_a_token_never_holds_a_space_and_case_makes_no_difference(text: str) -> None:
    found = tokens(text)
    assert all(token and not any(c.isspace() for c in token) for token in found)
    assert tokens(text.lower().upper().lower()) == tokens(text.upper().lower())

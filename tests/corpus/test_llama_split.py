"""LlamaIndex's pieces found again in the text, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.llama_split import llama_spans, located
from corpus.parsed import Parsed
from corpus.split import Splitter


def count(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def slices(text: str, pieces: Sequence[str]) -> list[str]:
    return [text[a:b] for a, b in located(text, pieces)]


@pytest.mark.parametrize(
    ("text", "pieces", "wanted"),
    [
        ("one two one", ["one", "two", "one"], ["one", "two", "one"]),
        ("one  two\nthree", ["one two", "three"], ["one  two", "three"]),
        ("a a a", ["a a", "a"], ["a a", "a"]),
        ("text", ["", "  ", "text"], ["text"]),
        ("a\na b a a c", ["a a b", "a a c"], ["a\na b", "a a c"]),
        ("a\na a a", ["a a", "a a"], ["a\na", "a a"]),
        ("上海 北京", ["上海", "北京"], ["上海", "北京"]),
        ("first\n\n\nsecond part", ["first second", "part"], ["first\n\n\nsecond", "part"]),
    ],
)
def test_a_piece_is_found_where_it_stands(text: str, pieces: list[str], wanted: list[str]) -> None:
    assert slices(text, pieces) == wanted


WORDS = st.lists(st.text(st.sampled_from("abé上"), min_size=1, max_size=3), min_size=1, max_size=12)


@given(words=WORDS, data=st.data())
def test_pieces_with_changed_white_space_are_found_in_order(
    words: list[str], data: st.DataObject
) -> None:
    space = st.sampled_from([" ", "\n", "  ", "\t "])
    text = "".join(word + data.draw(space) for word in words)
    sizes = data.draw(st.integers(1, 4))
    groups = [words[i : i + sizes] for i in range(0, len(words), sizes)]
    spans = located(text, [" ".join(group) for group in groups])
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert [text[a:b].split() for a, b in spans] == groups


def test_its_chunks_cover_the_text_and_keep_to_the_budget() -> None:
    text = "\n\n".join(
        " ".join(f"Sentence {i}.{j} has some words in it." for j in range(9)) for i in range(6)
    )
    spans = llama_spans(25, count)(text)
    assert len(spans) > 5 and all(len(text[a:b].split()) <= 25 for a, b in spans)
    assert " ".join(text[a:b] for a, b in spans).split() == text.split()
    found = Splitter(count, 30, spans=llama_spans(25, count))(Parsed(None, "", text, "text/plain"))
    assert all(p.text == text[p.start : p.end] for p in found.passages)
    assert " ".join(p.text for p in found.passages).split() == text.split()

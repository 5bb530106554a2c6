"""AUROC by ranks is the share of pairs in the right order, counted one by one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.auroc import auroc


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_it_is_the_share_of_pairs_in_the_right_order(cases: list[tuple[bool, int]]) -> None:
    good = [score for right, score in cases if right]
    bad = [score for right, score in cases if not right]
    if not good or not bad:
        return
    pairs = [(g > b) + (g == b) / 2 for g, b in itertools.product(good, bad)]
    right, score = zip(*cases, strict=True)
    assert auroc(right, score) == pytest.approx(sum(pairs) / len(pairs))


def test_answers_of_one_kind_alone_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="2 and 0 are given"):
        auroc([True, True], [0.1, 0.2])

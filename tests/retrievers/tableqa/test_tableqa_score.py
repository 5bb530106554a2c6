"""The benchmark's own evaluator, independent of the product's comparison."""

from __future__ import annotations

import pytest

from benchmarks.tableqa import score
from retrievers.tableqa.denotation import denotation

PAIRS = [
    (["1,200"], ["1200"], True),
    (["1200.0"], ["1200"], True),
    (["Oslo (Norway)"], ["oslo"], True),
    (["\u201cMake Room\u201d"], ["Make Room"], True),
    (["June 5, 2004"], ["2004-06-05"], True),
    (["a", "b"], ["b", "a"], True),
    (["a", "a"], ["a"], True),
    (["a"], ["a", "b"], False),
    (["9"], ["9 years"], False),
    (["Paris"], ["Rome"], False),
]


@pytest.mark.parametrize(("told", "answers", "same"), PAIRS)
def test_answers_are_compared_as_sets_of_numbers_dates_and_texts(
    told: list[str], answers: list[str], same: bool
) -> None:
    assert score.right(told, answers) is same
    assert (denotation(told) == denotation(answers)) is same


def test_coverage_is_the_largest_share_that_keeps_its_promise() -> None:
    chances = [0.9, 0.8, 0.7, 0.6, 0.5]
    assert score.coverage(chances, [True, True, False, True, True], 0.8) == 1.0
    assert score.coverage(chances, [True, True, False, False, False], 0.8) == 0.4
    assert score.coverage(chances, [False] * 5, 0.8) == 0.0
    assert score.coverage([], [], 0.8) == 0.0

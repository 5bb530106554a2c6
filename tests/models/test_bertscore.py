"""Greedy matching with vectors whose cosines are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.bertscore import Matched, idf, match
from models.token_vectors import Tokens

EAST, NORTH = (1.0, 0.0), (0.0, 1.0)
BETWEEN = (math.sqrt(0.5), math.sqrt(0.5))


def text(*vectors: tuple[float, float], ids: tuple[int, ...] | None = None) -> Tokens:
    numbers = range(len(vectors)) if ids is None else ids
    return Tokens(np.array(list(numbers), np.int64), np.array(vectors, np.float32).reshape(-1, 2))


def test_each_token_takes_its_nearest_and_the_means_are_joined() -> None:
    found = match(text(EAST, BETWEEN), text(EAST, NORTH, NORTH))
    precision, recall = (1 + math.sqrt(0.5)) / 2, (1 + 2 * math.sqrt(0.5)) / 3
    assert found.precision == pytest.approx(precision)
    assert found.recall == pytest.approx(recall)
    assert found.f1 == pytest.approx(2 * precision * recall / (precision + recall))


def test_turned_round_precision_is_recall() -> None:
    one, other = text(EAST, BETWEEN), text(NORTH)
    there, back = match(one, other), match(other, one)
    assert (there.precision, there.recall) == (back.recall, back.precision)


def test_idf_weighs_tokens_by_how_few_references_have_them() -> None:
    references = [np.array([1, 2, 2]), np.array([1]), np.array([1, 3])]
    weights = idf(references)
    assert weights(np.array([1, 2, 3, 9])).tolist() == pytest.approx(
        [math.log(4 / 4), math.log(4 / 2), math.log(4 / 2), math.log(4 / 1)]
    )
    found = match(text(EAST, BETWEEN, ids=(1, 2)), text(EAST, ids=(1,)), weights)
    assert found.precision == pytest.approx(math.sqrt(0.5)), "token 1 weighs nothing"
    assert found.recall == pytest.approx(1.0), "plain where all weigh nothing"


def test_a_text_without_tokens_scores_nothing() -> None:
    assert match(text(), text(EAST)) == match(text(EAST), text()) == Matched(0.0, 0.0, 0.0)


def test_opposite_texts_have_no_f1_below_nothing() -> None:
    found = match(text(EAST), text((-1.0, 0.0)))
    assert (found.precision, found.f1) == (-1.0, 0.0)


def test_rescaling_puts_chance_at_nought_and_equality_at_one() -> None:
    base = Matched(0.2, 0.4, 0.3)
    assert base.rescaled(base) == Matched(0.0, 0.0, 0.0)
    most = Matched(1.0, 1.0, 1.0).rescaled(base)
    assert (most.precision, most.recall, most.f1) == pytest.approx((1.0, 1.0, 1.0))

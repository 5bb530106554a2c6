"""Batches hold every row once, within the budget."""

from __future__ import annotations

from models.batches import plan


def test_every_row_is_in_one_batch_within_the_budget() -> None:
    tokens = [[1] * (n % 37) for n in range(200)]
    batches = list(plan(tokens, pad=0, budget=100))
    assert sorted(row for batch in batches for row in batch.index) == list(range(200))
    assert all(batch.ids.size <= 100 for batch in batches)


def test_a_row_above_the_budget_stands_alone() -> None:
    batches = list(plan([[1] * 300, [2, 3]], pad=9, budget=100))
    assert [batch.index for batch in batches] == [[0], [1]]
    assert batches[0].mask.sum() == 300


def test_padding_is_on_the_right_and_masked() -> None:
    (batch,) = plan([[5], [6, 7]], pad=9)
    assert batch.index == [1, 0]
    assert batch.ids.tolist() == [[6, 7], [5, 9]]
    assert batch.mask.tolist() == [[1, 1], [1, 0]]

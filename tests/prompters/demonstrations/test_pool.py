"""Pools of demonstrations: pickers against plain arithmetic, the reader, gates and tuning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pilotfish.step import run
from pilotfish.types import Case, Question
from pipeline.demo_fit import FEWEST, alike, tuned, wins
from prompters.demonstrations.pool import Demo, How, Pool, unpacked
from prompters.demonstrations.reader import answered, votes
from prompters.demos import Demos


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def pool(count: int = 6, size: int = 4) -> Pool:
    vectors = unit(np.random.RandomState(2).normal(size=(count, size)))
    demos = tuple(Demo(f"input {n} word{n}", "odd" if n % 2 else "even") for n in range(count))
    return Pool(demos, vectors, ("encoder", "f"))


def hidden(count: int = 240) -> Pool:
    """The label lies in one dimension that the loud ones drown."""
    rng = np.random.RandomState(4)
    rows = rng.normal(size=(count, 16)) * 2
    label = np.arange(count) // 2 % 2  # not told by the place: gates are chosen on every fourth
    rows[:, 0] = np.where(label, 1.5, -1.5) + rng.normal(size=count) * 0.2
    demos = tuple(Demo(f"i{n}", str(label[n]), "t") for n in range(count))
    return Pool(demos, unit(rows), ("encoder", "f"))


def test_dense_picks_the_nearest_and_puts_the_most_similar_last() -> None:
    some = pool()
    cosines = some.vectors @ some.vectors[3]
    expected = np.argsort(-cosines)[:3][::-1].tolist()
    assert some.pick("x", some.vectors[3], 3, "dense") == expected
    assert expected[-1] == 3


def test_what_is_skipped_is_never_picked() -> None:
    some = pool()
    for how in ("dense", "random", "bm25"):
        assert 3 not in some.pick("word3", some.vectors[3], 6, how, frozenset({3}))


def test_words_pick_by_bm25_and_nothing_picks_nothing() -> None:
    some = pool()
    assert some.pick("word4", some.vectors[0], 1, "bm25") == [4]
    assert some.pick("word4", some.vectors[0], 2, "none") == []


def test_random_is_the_same_for_the_same_text() -> None:
    some = pool()
    first = some.pick("a", some.vectors[0], 3, "random")
    assert first == some.pick("a", some.vectors[1], 3, "random") and len(set(first)) == 3


def test_what_is_kept_picks_the_same() -> None:
    some = tuned(hidden()).pool
    again = unpacked(some.packed())
    assert again.demos == some.demos and again.gates == some.gates
    vector = some.vectors[5]
    assert again.pick("x", vector, 2, "tuned")[-1] == some.pick("x", vector, 2, "tuned")[-1] == 5


def test_the_reader_repeats_what_most_alike_examples_say() -> None:
    shown = [Demo("a", "yes"), Demo("b", "no"), Demo("c", "no")]
    vectors = unit(np.array([[1.0, 0.0], [0.0, 1.0], [0.1, 1.0]]))
    assert answered(vectors[0], shown, vectors, "?") == "yes"
    assert answered(vectors[1], shown, vectors, "?") == "no"
    assert answered(vectors[1], [], vectors[:0], "?") == "?"
    assert sum(votes(vectors[0], shown, vectors).values()) == pytest.approx(1.0)


def test_an_adapter_that_helps_is_learned_and_its_gate_says_tuned() -> None:
    made = tuned(hidden())
    figures = made.measured["t"]
    assert figures["tuned"] > figures["dense"] + 0.1
    assert figures["gate"] == made.pool.gates["t"] == "tuned"


def test_demonstrations_that_tell_nothing_are_gated_off() -> None:
    rng = np.random.RandomState(6)
    demos = tuple(Demo(f"i{n}", str(rng.randint(2)), "noise") for n in range(200))
    made = tuned(Pool(demos, unit(rng.normal(size=(200, 8))), ("e", "f")))
    assert made.pool.gates == {"noise": "none"} and not made.pool.down.size


def test_few_demonstrations_are_left_as_they_are() -> None:
    made = tuned(pool(FEWEST - 1))
    assert made.pool.gates == {"": "dense"} and made.measured == {}


def test_a_lead_counts_when_chance_would_hardly_give_it() -> None:
    assert wins([True] * 6, [False] * 6)
    assert not wins([True] * 3 + [False], [False] * 3 + [True])
    assert not wins([True, False], [True, False])


def test_success_is_the_same_output_whatever_the_spaces() -> None:
    one, other = Demo("a", "New  York"), Demo("b", "new york")
    assert alike(one, np.zeros(2, np.float32), other) == 1.0


def mixed(gates: dict[str, How]) -> Pool:
    """Two tasks, each in a corner of its own."""
    rows = np.array([[1.0, 0.02 * n] for n in range(9)] + [[0.02 * n, 1.0] for n in range(9)])
    demos = tuple(Demo(f"input {n}", "x", "one" if n < 9 else "other") for n in range(18))
    return Pool(demos, unit(rows), ("e", "f"), gates=gates)


def asked(pool: Pool, like: int) -> Case:
    step = Demos(lambda: pool, lambda texts: pool.vectors[like : like + 1], k=2)
    return run(step, Case(Question("anything")))


def test_a_question_is_shown_demonstrations_of_its_own_task_the_most_similar_last() -> None:
    case = asked(mixed({"one": "dense", "other": "dense"}), 4)
    texts = [hint.text for hint in case.hints]
    assert len(texts) == 2 and texts[-1].startswith("Input: input 4\n")
    assert case.trace[-1].detail["task"] == "one"


def test_a_shut_gate_shows_nothing_and_not_another_tasks_demonstrations() -> None:
    case = asked(mixed({"one": "none", "other": "dense"}), 4)
    assert not case.hints
    assert case.trace[-1].detail["why"] == "they did not help on held-back inputs"
    assert len(asked(mixed({"one": "none", "other": "dense"}), 12).hints) == 2


def test_each_task_is_picked_as_its_own_gate_says() -> None:
    pool = mixed({"one": "dense", "other": "tuned"})
    turned = replace(pool, down=np.eye(2, dtype=np.float32), up=-0.5 * np.eye(2, dtype=np.float32))
    assert asked(turned, 3).trace[-1].detail["picked"] == "dense"
    assert asked(turned, 12).trace[-1].detail["picked"] == "tuned"


def test_without_a_pool_nothing_is_added_and_the_trace_says_why() -> None:
    case = run(Demos(lambda: None, lambda texts: np.zeros((1, 4))), Case(Question("x")))
    assert not case.hints and "no demonstrations" in str(case.trace[-1].detail["why"])

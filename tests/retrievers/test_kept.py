"""What a shelf remembers: within bounds, of one revision, whoever asks at once."""

from __future__ import annotations

import threading

import pytest

from pilotfish.types import Passage, Place
from retrievers import kept


def passage(i: int) -> Passage:
    return Passage(i, f"text {i}", "d", 0, 1, Place(None, (), None, ()), "text", 0.0, "")


def test_passages_of_another_revision_are_not_given() -> None:
    held = kept.Passages()
    held.put(3, {1: passage(1)})
    assert held.get(3, [1, 2]) == {1: passage(1)}
    assert held.get(2, [1]) == held.get(4, [1]) == {}


def test_a_reader_of_an_older_revision_cannot_bring_removed_passages_back() -> None:
    held = kept.Passages()
    held.put(3, {1: passage(1)})
    held.put(2, {7: passage(7)})
    assert held.get(3, [1, 7]) == {1: passage(1)}


def test_what_two_readers_of_one_revision_bring_is_kept_of_both() -> None:
    held = kept.Passages()
    held.put(3, {1: passage(1)})
    held.put(3, {2: passage(2)})
    assert sorted(held.get(3, [1, 2])) == [1, 2]


def test_passages_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "PASSAGES", 10)
    held = kept.Passages()
    for i in range(25):
        held.put(1, {i: passage(i)})
        assert held.get(1, [i]) and len(held.get(1, range(25))) <= 10


def test_the_filter_that_was_used_least_is_forgotten_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept, "FILTERS", 2)
    held = kept.Filters()
    held.put((1, "a"), [1])
    held.put((1, "b"), [2])
    assert held.get((1, "a")) == [1]
    held.put((1, "c"), [3])
    assert held.get((1, "b")) is None and held.get((1, "a")) == [1] and held.get((1, "c")) == [3]


def test_the_ids_of_all_filters_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "IDS", 10)
    held = kept.Filters()
    for i, count in enumerate((4, 5, 4, 11, 6)):
        held.put((i, "x"), list(range(count)))
    sizes = [len(held.get((i, "x")) or []) for i in range(5)]
    assert sizes == [0, 0, 4, 0, 6]


def test_threads_that_remember_filters_at_once_keep_the_count_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept, "FILTERS", 4)
    held = kept.Filters()

    def work(seed: int) -> None:
        for i in range(3000):
            key = (0, str((i * seed) % 9))
            if held.get(key) is None:
                held.put(key, [1, 2, 3])

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2, 4, 5, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert held._ids == 3 * len(held._held) == 12

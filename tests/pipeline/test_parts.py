"""What all items share: texts are counted once, however often they come."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.parts import Counts


class Counter:
    """Counts words, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[int]:
        self.asked += texts
        return [len(text.split()) for text in texts]


def test_a_text_is_counted_once_and_the_order_is_kept() -> None:
    counter = Counter()
    counts = Counts(counter)
    assert counts(["a b", "c", "a b"]) == [2, 1, 2]
    assert counts(["d e f", "c"]) == [3, 1]
    assert counter.asked == ["a b", "c", "d e f"]
    assert counts([]) == []


def test_what_is_remembered_is_bounded() -> None:
    counter = Counter()
    counts = Counts(counter, size=2)
    for _ in range(2):
        assert [counts([text]) for text in ("a", "b", "c")] == [[1], [1], [1]]
    assert len(counter.asked) > 3

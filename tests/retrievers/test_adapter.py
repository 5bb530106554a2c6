"""The query adapter: closed forms against scipy, the test that keeps it, its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from pilotfish.types import Passage
from retrievers.adapter import NAME, Adapter, Floats, normed, unpacked
from retrievers.adapter_fit import Pairs, fit, folds, grades, procrustes, ridge
from retrievers.adapter_pairs import made
from retrievers.dense import Dense
from store import tuned
from tests.retrievers.house import House, ask
from tests.store.made import document

SIZE = 16


def drawn(rows: int, seed: int = 0) -> Floats:
    return normed(np.random.default_rng(seed).standard_normal((rows, SIZE)).astype(np.float32))


def turned(count: int, noise: float, seed: int = 1) -> Pairs:
    """Each question is its passage's vector, turned the same way, with noise."""
    passages = drawn(count)
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((SIZE, SIZE)))[0]
    asked = passages @ turn + noise * np.random.default_rng(2).standard_normal((count, SIZE))
    right = tuple((row,) for row in range(count))
    return Pairs(normed(asked.astype(np.float32)), right, passages, np.arange(count))


def test_procrustes_is_scipys_and_finds_the_turn_back() -> None:
    pairs = turned(200, 0.0)
    found = procrustes(pairs.asked, pairs.passages)
    theirs, _ = orthogonal_procrustes(pairs.asked, pairs.passages)
    assert np.allclose(found.T, theirs, atol=1e-4)
    assert np.allclose(pairs.asked @ found.T, pairs.passages, atol=1e-3)


def test_ridge_leaves_everything_as_it_is_when_it_is_strong() -> None:
    pairs = turned(200, 0.0)
    assert np.allclose(ridge(pairs.asked, pairs.passages, 1e9), np.eye(SIZE), atol=1e-4)


def test_ridge_is_where_its_gradient_is_nothing() -> None:
    pairs, strength = turned(60, 0.3), 5.0
    w = ridge(pairs.asked, pairs.passages, strength).astype(np.float64)
    slope = (pairs.asked @ w.T - pairs.passages).T @ pairs.asked + strength * (w - np.eye(SIZE))
    assert np.abs(slope).max() < 1e-3


def test_grades_are_the_known_ndcg_of_one_and_of_two_right_passages() -> None:
    passages = np.eye(4, dtype=np.float32)
    asked = np.array([[0.9, 0.8, 0.7, 0.0]] * 3, dtype=np.float32)
    pairs = Pairs(asked, ((0,), (2,), (0, 2)), passages, np.arange(3))
    both = (1 + 1 / np.log2(4)) / (1 + 1 / np.log2(3))
    assert np.allclose(grades(pairs, asked), [1.0, 1 / np.log2(4), both])


def test_an_adapter_that_helps_is_kept_and_helps_on_what_it_has_not_seen() -> None:
    every = turned(400, 0.1)
    verdict = fit(every.some(np.arange(300)), "e")
    assert verdict.adapter is not None, verdict.why
    later = every.some(np.arange(300, 400))
    adapted = grades(later, verdict.adapter(later.asked)).mean()
    assert adapted > grades(later, later.asked).mean() + 0.3


def test_an_adapter_that_only_knows_its_passages_is_told_apart() -> None:
    """Each passage is asked for ten times by one vector of its own, far from it."""
    passages, asked = drawn(120), drawn(120, 5)
    noise = 0.05 * np.random.default_rng(6).standard_normal((1200, SIZE))
    right = tuple((row,) for row in range(120) for _ in range(10))
    questions = normed((np.repeat(asked, 10, axis=0) + noise).astype(np.float32))
    verdict = fit(Pairs(questions, right, passages, np.arange(1200)), "e")
    assert verdict.adapter is not None
    told = verdict.measured
    assert told["after, held back"] > 2 * told["after, documents without pairs"]


def test_pairs_that_have_nothing_in_common_are_not_kept() -> None:
    pairs = turned(300, 0.1)
    chance = Pairs(drawn(300, 9), pairs.right, pairs.passages, pairs.groups)
    verdict = fit(chance, "e")
    assert verdict.adapter is None and verdict.why.startswith("not surely better")


def test_few_pairs_are_refused() -> None:
    assert fit(turned(20, 0.0), "e").why == "20 pairs are too few: 40 are needed"


def test_one_groups_questions_lie_on_one_side_and_each_is_held_back_once() -> None:
    groups = np.repeat(np.arange(25), 4)
    found = folds(groups, 5, 0)
    assert all(not set(groups[a]) & set(groups[b]) for a, b in found)
    assert sorted(np.concatenate([b for _, b in found])) == list(range(100))


def passage(number: int, title: str, text: str) -> Passage:
    one = Passage(number, text, f"d{number}", 0, len(text))
    return replace(one, title=title)


def test_a_cloze_pair_takes_its_sentence_out_of_the_passage() -> None:
    rest = "The harbour was built of granite by three hundred workers over nine long winters. " * 3
    text = f"{rest}A lighthouse of iron followed it."
    found = made([passage(1, "Harbour", text)])
    assert len(found) == 1 and found[0].passage == 1
    assert found[0].question in text and text.count(found[0].question) > found[0].rest.count(
        found[0].question
    )


def test_a_title_asks_for_its_passage_only_where_it_is_its_own() -> None:
    title = "The building of the old harbour"
    assert made([passage(1, title, "Granite.")])[0].question == title
    assert not made([passage(1, title, "Granite."), passage(2, title, "Iron.")])


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path, "faiss", {})
    found.put(document("a", "red cat"), document("b", "blue dog"))
    found.refresh()
    yield found
    found.close()


def keep(house: House, encoder: str) -> Adapter:
    """A map that turns `red cat` into `blue dog` and back."""
    cat, dog = house.encoder.encode(["red cat", "blue dog"])
    way = (cat - dog) / np.linalg.norm(cat - dog)
    mirror = np.eye(house.encoder.dimension, dtype=np.float32) - 2 * np.outer(way, way)
    one = Adapter(mirror.astype(np.float32), 1.0, "mirror", encoder)
    with house.database.write() as connection:
        tuned.put(connection, house.collection.id, NAME, 2, one.packed())
    return one


def test_dense_search_goes_through_the_adapter_as_soon_as_it_is_there(house: House) -> None:
    first = Dense(house.here)(ask("red cat"))
    assert first.passages[0].document == "a" and not first.notes
    keep(house, house.encoder.fingerprint)
    then = Dense(house.here)(ask("red cat"))
    assert then.passages[0].document == "b" and "mirror" in str(then.notes["adapter"])
    with house.database.write() as connection:
        tuned.drop(connection, house.collection.id, NAME)
    assert Dense(house.here)(ask("red cat")).passages[0].document == "a"


def test_an_adapter_of_another_encoder_is_not_used(house: House) -> None:
    keep(house, "another encoder")
    assert Dense(house.here)(ask("red cat")).passages[0].document == "a"


def test_an_adapter_comes_back_from_its_bytes(house: House) -> None:
    one = keep(house, "e")
    again = unpacked(one.packed())
    assert np.array_equal(one.matrix, again.matrix)
    assert (again.mix, again.how, again.encoder) == (1.0, "mirror", "e")

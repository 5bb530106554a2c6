"""Nearest vectors against a brute-force scan, exact and in inverted lists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pilotfish.errors import IndexCorrupt
from retrievers import dense_index
from retrievers.dense_index import DenseIndex, Ids, Vectors, update

DIMENSION = 16


def vectors(count: int, seed: int) -> Vectors:
    """Unit vectors around 20 centres, as texts of some topics are."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((20, DIMENSION))
    raw = centres[rng.integers(0, 20, count)] + 0.6 * rng.standard_normal((count, DIMENSION))
    unit: Vectors = (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)
    return unit


def ids_for(count: int, first: int = 5) -> Ids:
    return np.arange(first, first + 3 * count, 3, dtype=np.int64)


def brute(ids: Ids, held: Vectors, query: Vectors, k: int) -> dict[int, float]:
    scores = held @ query
    order = np.argsort(-scores, kind="stable")[:k]
    return {int(ids[i]): float(scores[i]) for i in order}


def made(path: Path, ids: Ids, held: Vectors, removed: Sequence[int] = ()) -> DenseIndex:
    update(None, path, [(ids, held)], [], DIMENSION)
    if removed:
        update(path, path, [], removed, DIMENSION)
    return DenseIndex(path)


def test_the_nearest_are_those_of_a_brute_force_scan(tmp_path: Path) -> None:
    ids, held = ids_for(500), vectors(500, 1)
    index = made(tmp_path / "i", ids, held)
    for query in vectors(20, 2):
        found = index.search(query, 10)
        wanted = brute(ids, held, query, 10)
        assert [i for i, _ in found] == list(wanted)
        assert dict(found) == pytest.approx(wanted, abs=1e-5)


def test_removed_vectors_are_never_found(tmp_path: Path) -> None:
    ids, held = ids_for(200), vectors(200, 3)
    gone = ids[::4].tolist()
    index = made(tmp_path / "i", ids, held, [*gone, 10**9])
    keep = ~np.isin(ids, gone)
    assert index.ids() == set(ids[keep].tolist()) and len(index) == 150
    for query in vectors(10, 4):
        wanted = brute(ids[keep], held[keep], query, 10)
        assert [i for i, _ in index.search(query, 10)] == list(wanted)


def test_a_filter_is_searched_exactly(tmp_path: Path) -> None:
    ids, held = ids_for(300), vectors(300, 5)
    index = made(tmp_path / "i", ids, held)
    inside = np.zeros(300, dtype=bool)
    inside[[3, 50, 51, 200]] = True
    for query in vectors(10, 6):
        found = index.search(query, 10, ids[inside].tolist())
        assert [i for i, _ in found] == list(brute(ids[inside], held[inside], query, 10))
    assert index.search(held[0], 10, []) == []
    assert index.search(held[0], 10, [4]) == []  # an id that it does not hold


def test_more_than_it_holds_and_nothing_at_all_can_be_asked_for(tmp_path: Path) -> None:
    index = made(tmp_path / "i", ids_for(3), vectors(3, 7))
    query = vectors(1, 8)[0]
    assert len(index.search(query, 100)) == 3 and index.search(query, 0) == []
    empty = made(tmp_path / "e", ids_for(0), vectors(1, 7)[:0])
    assert empty.search(query, 5) == [] and empty.ids() == set() and len(empty) == 0


def test_the_source_is_left_as_it_was(tmp_path: Path) -> None:
    made(tmp_path / "i", ids_for(5), vectors(5, 9))
    before = (tmp_path / "i").read_bytes()
    size = update(
        tmp_path / "i", tmp_path / "j", [(ids_for(2, 100), vectors(2, 10))], [5], DIMENSION
    )
    assert size == 6 and (tmp_path / "i").read_bytes() == before
    assert DenseIndex(tmp_path / "j").ids() == {8, 11, 14, 17, 100, 103}


def test_a_file_that_is_no_index_is_refused_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "i").write_bytes(b"no index")
    for name in ("i", "missing"):
        with pytest.raises(IndexCorrupt, match="doctor --repair"):
            DenseIndex(tmp_path / name)


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inverted lists from 400 vectors on."""
    monkeypatch.setattr(dense_index, "EXACT_UNTIL", 400)


def is_in_lists(index: DenseIndex) -> bool:
    return hasattr(index._index, "nlist")


@pytest.mark.usefixtures("lists")
def test_inverted_lists_find_nearly_what_a_scan_finds(tmp_path: Path) -> None:
    ids, held = ids_for(3000), vectors(3000, 11)
    index = made(tmp_path / "i", ids, held)
    assert is_in_lists(index) and index.ids() == set(ids.tolist())
    shares = []
    for query in vectors(50, 12):
        wanted = brute(ids, held, query, 10)
        found = dict(index.search(query, 10))
        shares.append(len(found.keys() & wanted.keys()) / 10)
        assert all(found[i] == pytest.approx(wanted[i], abs=1e-5) for i in found.keys() & wanted)
    assert np.mean(shares) >= 0.9


@pytest.mark.usefixtures("lists")
def test_inverted_lists_forget_what_is_removed(tmp_path: Path) -> None:
    ids, held = ids_for(1000), vectors(1000, 13)
    gone = ids[::3].tolist()
    index = made(tmp_path / "i", ids, held, gone)
    assert is_in_lists(index) and index.ids() == set(ids.tolist()) - set(gone)
    for query in held[:30]:
        assert not {i for i, _ in index.search(query, 20)} & set(gone)


@pytest.mark.usefixtures("lists")
def test_a_narrow_filter_misses_nothing_in_inverted_lists(tmp_path: Path) -> None:
    """Otherwise the few allowed passages could all lie in lists that nobody probes."""
    ids, held = ids_for(3000), vectors(3000, 14)
    index = made(tmp_path / "i", ids, held)
    inside = np.zeros(3000, dtype=bool)
    inside[::300] = True
    for query in vectors(20, 15):
        found = index.search(query, 10, ids[inside].tolist())
        assert [i for i, _ in found] == list(brute(ids[inside], held[inside], query, 10))


@pytest.mark.usefixtures("lists")
def test_growth_keeps_every_id_and_every_vector(tmp_path: Path) -> None:
    path = tmp_path / "i"
    all_ids, everything = ids_for(2400), vectors(2400, 16)
    update(None, path, [(all_ids[:300], everything[:300])], [], DIMENSION)
    kinds, counts = [], []
    for at in range(300, 2400, 300):
        update(path, path, [(all_ids[at : at + 300], everything[at : at + 300])], [], DIMENSION)
        index = DenseIndex(path)
        kinds.append(is_in_lists(index))
        counts.append(getattr(index._index, "nlist", 0))
        assert index.ids() == set(all_ids[: at + 300].tolist())
    assert kinds == [True] * 7 and len(set(counts)) >= 2, counts  # it was retrained
    index = DenseIndex(path)
    for i in range(0, 2400, 97):
        assert index.search(everything[i], 1)[0][0] == all_ids[i]


@pytest.mark.usefixtures("lists")
def test_lists_may_shrink_to_nothing_and_grow_again(tmp_path: Path) -> None:
    path, ids, held = tmp_path / "i", ids_for(500), vectors(500, 17)
    assert is_in_lists(made(path, ids, held))
    update(path, path, [], ids.tolist(), DIMENSION)
    assert DenseIndex(path).search(held[0], 5) == [] and DenseIndex(path).ids() == set()
    update(path, path, [(ids[:3], held[:3])], [], DIMENSION)
    assert DenseIndex(path).search(held[1], 1)[0][0] == ids[1]

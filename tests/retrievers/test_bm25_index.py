"""BM25 of tantivy against the formula written out in Python, and against bm25s."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np
import pytest

from corpus.tokens import tokens
from pilotfish.errors import IndexCorrupt
from retrievers.bm25_index import BM25Index, update

K1, B = 1.2, 0.75
VOCABULARY = [f"word{i}" for i in range(60)]


def corpus(count: int, seed: int, longest: int = 39) -> dict[int, str]:
    """Texts of Zipfian words. Lengths under 40 are stored exactly by tantivy."""
    rng = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(VOCABULARY))]
    return {
        i * 3 + 1: " ".join(rng.choices(VOCABULARY, weights, k=rng.randint(1, longest)))
        for i in range(count)
    }


def oracle(texts: dict[int, str], query: str) -> dict[int, float]:
    """Robertson's BM25 with Lucene's idf, straight from the formula."""
    terms = {i: Counter(tokens(text)) for i, text in texts.items()}
    lengths = {i: sum(counts.values()) for i, counts in terms.items()}
    average = sum(lengths.values()) / len(texts)
    scores: dict[int, float] = {}
    for term in tokens(query):
        holding = sum(term in counts for counts in terms.values())
        idf = math.log(1 + (len(texts) - holding + 0.5) / (holding + 0.5))
        for i, counts in terms.items():
            if term in counts:
                norm = K1 * (1 - B + B * lengths[i] / average)
                gain = idf * counts[term] * (K1 + 1) / (counts[term] + norm)
                scores[i] = scores.get(i, 0.0) + gain
    return scores


def made(folder: Path, texts: dict[int, str], removed: Sequence[int] = ()) -> BM25Index:
    update(folder, texts.items(), [])
    if removed:
        update(folder, [], removed)
    return BM25Index(folder)


def queries(seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.sample(VOCABULARY, rng.randint(1, 6))) for _ in range(40)]


def test_scores_are_those_of_the_formula(tmp_path: Path) -> None:
    texts = corpus(300, seed=1)
    index = made(tmp_path / "i", texts)
    for query in queries(2):
        wanted = oracle(texts, query)
        found = dict(index.search(query, len(texts)))
        assert found.keys() == wanted.keys()
        assert found == pytest.approx(wanted, rel=1e-4), query


def test_scores_and_ranks_are_those_of_bm25s(tmp_path: Path) -> None:
    """bm25s leaves out the constant factor k1 + 1 in its lucene method."""
    texts = corpus(300, seed=3)
    ids = list(texts)
    index = made(tmp_path / "i", texts)
    other = bm25s.BM25(method="lucene", k1=K1, b=B)
    other.index([tokens(text) for text in texts.values()], show_progress=False)
    for query in queries(4):
        scores = other.get_scores(tokens(query)) * (K1 + 1)
        wanted = {i: float(s) for i, s in zip(ids, scores, strict=True) if s > 0}
        found = index.search(query, len(texts))
        assert dict(found) == pytest.approx(wanted, rel=1e-4)
        order = [s for _, s in found]
        assert order == sorted(order, reverse=True)
        assert order[:10] == pytest.approx(sorted(wanted.values(), reverse=True)[:10], rel=1e-4)


def test_long_texts_are_scored_within_the_rounding_of_their_lengths(tmp_path: Path) -> None:
    """tantivy keeps a length in one byte: from 40 words on it is rounded down by up to 1/8."""
    texts = corpus(120, seed=5, longest=400)
    index = made(tmp_path / "i", texts)
    for query in queries(6)[:12]:
        assert dict(index.search(query, 999)) == pytest.approx(oracle(texts, query), rel=0.12)


def test_a_repeated_word_of_the_question_counts_as_often_as_it_stands(tmp_path: Path) -> None:
    texts = corpus(50, seed=7)
    index = made(tmp_path / "i", texts)
    query = "word1 word1 word1 word5"
    assert dict(index.search(query, 99)) == pytest.approx(oracle(texts, query), rel=1e-4)


def test_only_the_k_best_come_back(tmp_path: Path) -> None:
    texts = corpus(100, seed=8)
    index = made(tmp_path / "i", texts)
    whole = index.search("word1 word2", 100)
    assert index.search("word1 word2", 7) == whole[:7]
    assert index.search("word1 word2", 0) == []


def test_removed_passages_are_never_found_and_added_ones_are(tmp_path: Path) -> None:
    texts = corpus(100, seed=9)
    removed = list(texts)[::3]
    index = made(tmp_path / "i", texts, removed)
    left = set(texts) - set(removed)
    assert index.ids() == left and len(index) == len(left)
    assert {i for i, _ in index.search(" ".join(VOCABULARY), 999)} == left
    update(tmp_path / "i", [(removed[0], "zebra")], [])
    again = BM25Index(tmp_path / "i")
    assert [i for i, _ in again.search("zebra", 9)] == [removed[0]]
    assert index.search("zebra", 9) == []  # an opened index does not move


def test_a_removal_and_an_addition_of_the_same_id_in_one_update_keeps_the_new(
    tmp_path: Path,
) -> None:
    update(tmp_path / "i", [(1, "old"), (2, "other")], [])
    update(tmp_path / "i", [(1, "fresh")], [1])
    index = BM25Index(tmp_path / "i")
    assert index.search("old", 9) == [] and [i for i, _ in index.search("fresh", 9)] == [1]


def test_a_filter_leaves_only_the_allowed_with_their_scores(tmp_path: Path) -> None:
    texts = corpus(100, seed=10)
    index = made(tmp_path / "i", texts)
    allowed = list(texts)[10:40]
    whole = dict(index.search("word1 word2", 999))
    found = dict(index.search("word1 word2", 999, allowed))
    assert found == pytest.approx({i: s for i, s in whole.items() if i in set(allowed)})
    assert index.search("word1", 9, []) == []
    assert index.search("word1", 9, [2]) == []


@pytest.mark.parametrize("query", ["", "   ", "?!", "the and of", "\n\t", "😀"])
def test_a_question_without_tokens_finds_nothing(tmp_path: Path, query: str) -> None:
    assert made(tmp_path / "i", {1: "the text and of"}).search(query, 9) == []


@pytest.mark.parametrize("query", ["body:word1", 'word1 AND "', "+word1 -word2", "word1)^9", "*:*"])
def test_the_signs_of_a_query_language_are_only_text(tmp_path: Path, query: str) -> None:
    texts = {1: "word1", 2: "word2", 3: "other"}
    wanted = {i for i, s in oracle(texts, query).items() if s}
    assert {i for i, _ in made(tmp_path / "i", texts).search(query, 9)} == wanted


def test_a_very_long_question_is_answered_by_its_rarest_words(tmp_path: Path) -> None:
    texts = {i: f"common{i % 250} shared" for i in range(1, 501)} | {501: "needle shared"}
    index = made(tmp_path / "i", texts)
    query = " ".join(f"common{i} unseen{i}" for i in range(2000)) + " shared needle"
    found = index.search(query, 3)
    assert found[0][0] == 501
    assert index.search("x" * 100_000, 3) == []


def test_an_empty_index_finds_nothing(tmp_path: Path) -> None:
    index = made(tmp_path / "i", {})
    assert len(index) == 0 and index.ids() == set() and index.search("word", 9) == []


def test_chinese_is_found_by_its_character_pairs(tmp_path: Path) -> None:
    texts = {1: "客户可以在三十天内退货", 2: "总部位于上海市", 3: "海上日出"}
    index = made(tmp_path / "i", texts)
    assert [i for i, _ in index.search("上海在哪里", 9)] == [2]
    found = dict(index.search("三十天退货", 9))
    assert found == pytest.approx(oracle(texts, "三十天退货"), rel=1e-4) and list(found) == [1]


def test_a_folder_that_is_no_index_is_refused_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "i").mkdir()
    with pytest.raises(IndexCorrupt, match="doctor --repair"):
        BM25Index(tmp_path / "i")


def test_ids_beyond_32_bits_survive(tmp_path: Path) -> None:
    big = 2**40 + 7
    index = made(tmp_path / "i", {big: "word", 1: "word"})
    assert {i for i, _ in index.search("word", 9, [big])} == {big}
    assert np.int64(big) in index.ids()

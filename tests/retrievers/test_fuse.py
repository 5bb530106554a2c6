"""Reciprocal rank fusion by hand, and its failure policy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.errors import IndexCorrupt, RetrievalFailed, SettingsError
from pilotfish.step import Step, run
from pilotfish.types import Case, Hint, Passage, Question
from retrievers.bm25 import best, queries
from retrievers.fuse import Fuse, fused


def passage(i: int, score: float = 1.0) -> Passage:
    return Passage(i, f"text {i}", "d", 0, 6, score=score)


def finding(*ids: int) -> Step:
    def found(case: Case, /) -> Case:
        return replace(case, passages=tuple(passage(i) for i in ids), notes={"ids": ids})

    return found


def broken(case: Case, /) -> Case:
    raise ZeroDivisionError("a bug")


def damaged(case: Case, /) -> Case:
    raise IndexCorrupt("the index is damaged")


CASE = Case(Question("what?"))


def test_two_rankings_are_fused_as_by_hand() -> None:
    found = fused([[passage(1), passage(2), passage(3)], [passage(3), passage(1)]])
    assert [p.id for p in found] == [1, 3, 2]
    wanted = [1 / 61 + 1 / 62, 1 / 63 + 1 / 61, 1 / 62]
    assert [p.score for p in found] == pytest.approx(wanted)


def test_equal_scores_are_ordered_by_id() -> None:
    assert [p.id for p in fused([[passage(9)], [passage(4)]])] == [4, 9]


def test_the_constant_decides_whether_two_middling_ranks_beat_one_first() -> None:
    rankings = [[passage(1), passage(2)], [passage(3), passage(4), passage(2)]]
    assert fused(rankings, 60)[0].id == 2
    assert fused(rankings, 0)[0].id == 1  # 1/1 against 1/2 + 1/3


@given(st.lists(st.lists(st.integers(0, 30), unique=True, max_size=12), max_size=4))
def test_fusion_is_the_sum_over_the_lists(rankings: list[list[int]]) -> None:
    found = fused([[passage(i) for i in ids] for ids in rankings])
    wanted = {
        i: sum(1 / (61 + ids.index(i)) for ids in rankings if i in ids)
        for i in {i for ids in rankings for i in ids}
    }
    assert {p.id: p.score for p in found} == pytest.approx(wanted)
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)


def test_the_k_best_are_kept_and_each_retriever_is_traced() -> None:
    done = run(Fuse((finding(1, 2, 3), finding(2, 4)), k=2), CASE)
    assert [p.id for p in done.passages] == [2, 1]
    assert [(e.step, dict(e.detail)) for e in done.trace] == [
        ("found", {"ids": (1, 2, 3)}), ("found", {"ids": (2, 4)}), ("fuse", {})
    ]  # fmt: skip


@pytest.mark.parametrize("bad", [broken, damaged])
def test_a_retriever_that_fails_is_left_out_and_traced(bad: Step) -> None:
    done = Fuse((bad, finding(5, 6)))(CASE)
    assert [p.id for p in done.passages] == [5, 6]
    assert [bool(event.error) for event in done.trace] == [True, False]


def test_a_retriever_that_finds_nothing_has_not_failed() -> None:
    done = Fuse((broken, finding()))(CASE)
    assert done.passages == ()


def test_passages_that_were_there_before_are_no_result() -> None:
    old = replace(CASE, passages=(passage(99),))
    with pytest.raises(RetrievalFailed):
        Fuse((broken,))(old)
    assert [p.id for p in Fuse((finding(1), broken))(old).passages] == [1]


@pytest.mark.parametrize("all_bad", [(broken, damaged), (broken,), (damaged,)])
def test_when_all_fail_the_item_has_failed_and_says_why(all_bad: tuple[Step, ...]) -> None:
    with pytest.raises(RetrievalFailed) as caught:
        run(Fuse(all_bad), CASE)
    assert ("a bug" in str(caught.value)) is (broken in all_bad)
    assert ("the index is damaged" in str(caught.value)) is (damaged in all_bad)
    assert caught.value.trace[-1].step == "fuse"


def test_no_retriever_at_all_is_a_failure() -> None:
    with pytest.raises(RetrievalFailed, match="none is set"):
        Fuse(())(CASE)


def test_a_wrong_setting_is_not_swallowed() -> None:
    def unset(case: Case, /) -> Case:
        raise SettingsError("no encoder")

    with pytest.raises(SettingsError):
        Fuse((finding(1), unset))(CASE)


def test_the_question_and_each_distinct_query_hint_are_searched() -> None:
    hints = (Hint("query", "other?"), Hint("demo", "no"), Hint("query", "what?"))
    assert queries(replace(CASE, hints=hints)) == ["what?", "other?"]


def test_of_several_lists_the_highest_score_of_each_passage_counts() -> None:
    assert best([[(1, 0.2), (2, -0.5)], [(3, 0.2), (1, 0.9)]]) == [(1, 0.9), (3, 0.2), (2, -0.5)]
    assert best([]) == []

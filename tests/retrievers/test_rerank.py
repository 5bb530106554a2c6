"""Reranking: a cross-encoder's order blended with the rank that passages came with."""

from __future__ import annotations

from collections.abc import Sequence

from models.pilot.reading import Pair, Reading
from pilotfish.step import run
from pilotfish.types import Case, Passage, Question
from retrievers.rerank import Rerank, blended


def passages(count: int) -> tuple[Passage, ...]:
    return tuple(
        Passage(n, f"text {n}", f"d{n}", 0, 6, score=1 / (n + 1), title="T") for n in range(count)
    )


def retrieve(case: Case, /) -> Case:
    return Case(case.question, passages(30), trace=case.trace)


def likes(*wanted: int):
    def model(pairs: Sequence[Pair]) -> list[Reading]:
        return [Reading(8.0 if int(t.split()[-1]) in wanted else -8.0, 0, 0, 1) for _, t in pairs]

    return model


def ids(case: Case) -> list[int]:
    return [passage.id for passage in case.passages]


def test_a_passage_that_the_model_likes_moves_up() -> None:
    done = run(Rerank(retrieve, likes(15)), Case(Question("q")))
    assert ids(done).index(15) < 3 and len(ids(done)) == 10


def test_the_first_hit_stays_near_the_top_whatever_the_model_says() -> None:
    done = run(Rerank(retrieve, likes(5, 6)), Case(Question("q")))
    assert ids(done).index(0) <= 2


def test_with_the_whole_weight_the_model_decides_alone() -> None:
    done = run(Rerank(retrieve, likes(7, 9), weight=1.0), Case(Question("q")))
    assert ids(done)[:2] == [7, 9]


def test_without_weight_nothing_moves() -> None:
    done = run(Rerank(retrieve, likes(7, 9), k=30, weight=0.0), Case(Question("q")))
    assert ids(done) == list(range(30))


def test_passages_beyond_the_depth_keep_their_order_behind() -> None:
    done = run(Rerank(retrieve, likes(19, 25), k=30, depth=20), Case(Question("q")))
    assert ids(done)[20:] == list(range(20, 30))


def test_scores_fall_with_the_new_order() -> None:
    scores = [p.score for p in run(Rerank(retrieve, likes(3)), Case(Question("q"))).passages]
    assert scores == sorted(scores, reverse=True) and len(set(scores)) == len(scores)


def test_the_model_reads_the_title_before_the_text() -> None:
    seen: list[Pair] = []

    def noting(pairs: Sequence[Pair]) -> list[Reading]:
        seen.extend(pairs)
        return likes()(pairs)

    run(Rerank(retrieve, noting), Case(Question("what?")))
    assert seen[0] == ("what?", "T. text 0") and len(seen) == 20


def test_equal_relevance_keeps_the_retrieved_order() -> None:
    assert blended([0.0, 0.0, 0.0], [0.3, 0.2, 0.1], 0.7) == [0, 1, 2]


def test_how_sure_the_model_is_of_all_passages_alike_moves_nothing() -> None:
    logits, scores = [0.5, -1.0, 2.0, 0.0], [0.9, 0.5, 0.4, 0.1]
    moved = blended(logits, scores, 0.5)
    assert moved == blended([logit + 9.0 for logit in logits], scores, 0.5) != [0, 1, 2, 3]

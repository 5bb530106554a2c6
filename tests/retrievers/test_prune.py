"""Pruning: which sentences stay, and that what stays are exact slices of their documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.pilot.reading import Judge, Pair, Reading
from pilotfish.step import run
from pilotfish.types import Case, Passage, Place, Question
from retrievers.odds import RULES
from retrievers.prune import LEAD, Prune

READ = {**RULES, "span": 2.0, "relevance": 0.5}
START = 40  # where every passage begins in its document
WALL = "The wall is of brick. Ada Lund painted the tower in May. It was red. Ropes are long."


def count(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def passage(text: str, number: int = 1, **more: Any) -> Passage:
    return Passage(number, text, f"d{number}", START, START + len(text), **more)


def case(*passages: Passage, question: str = "Who painted the tower?") -> Case:
    return Case(Question(question), passages)


def pruned(share: float, *passages: Passage, model: Judge | None = None, **more: str) -> Case:
    return run(Prune(share, count, model, READ), case(*passages, **more))


def texts(done: Case) -> list[str]:
    return [one.text for one in done.passages]


def reads(word: str) -> Judge:
    """A cross-encoder that is sure of one word wherever it stands, and of "no answer" elsewhere."""

    def model(pairs: Sequence[Pair]) -> list[Reading]:
        found = []
        for _, text in pairs:
            at = text.find(word)
            spans = ((at, at + len(word), 9.0),) if at >= 0 else ()
            found.append(Reading(6.0 if at >= 0 else -6.0, 0, 0, 1, spans, 0.0))
        return found

    return model


def test_the_sentence_that_shares_the_rare_words_stays() -> None:
    assert texts(pruned(0.4, passage(WALL))) == ["Ada Lund painted the tower in May."]


def test_what_is_kept_lies_where_its_offsets_say() -> None:
    (kept,) = pruned(0.4, passage(WALL)).passages
    assert WALL[kept.start - START : kept.end - START] == kept.text
    assert (kept.id, kept.document) == (1, "d1")


def test_kept_neighbours_are_one_slice_with_what_lies_between_them() -> None:
    text = "Ropes are long.  The tower was painted.\nAda Lund painted the tower. Walls stand."
    done = pruned(0.7, passage(text))
    assert texts(done) == ["The tower was painted.\nAda Lund painted the tower."]


def test_what_is_kept_apart_are_two_pieces_of_one_passage() -> None:
    text = "Ada Lund painted it. Ropes are so very long here. The tower is high."
    done = pruned(0.6, passage(text))
    assert texts(done) == ["Ada Lund painted it.", "The tower is high."]
    assert [one.id for one in done.passages] == [1, 1]


def test_the_best_sentence_stays_even_where_nothing_fits() -> None:
    assert texts(pruned(0.0, passage(WALL))) == ["Ada Lund painted the tower in May."]


def test_with_the_whole_share_nothing_changes() -> None:
    whole = case(passage(WALL), passage("", 2))
    assert run(Prune(1.0, count), whole).passages == whole.passages


def test_a_question_that_shares_no_word_keeps_what_was_ranked_first() -> None:
    done = pruned(0.3, passage("One. Two.", 1), passage("Three. Four.", 2), question="¿?")
    assert [one.document for one in done.passages] == ["d1"]


def test_a_sentence_that_opens_with_a_pronoun_brings_the_one_before_it_along() -> None:
    text = "Ada Lund lived in Bergen. She painted the tower. Ropes are long and walls are of brick."
    assert texts(pruned(0.6, passage(text))) == ["Ada Lund lived in Bergen. She painted the tower."]
    long = "Ada Lund " + "sailed and " * LEAD + "slept. She painted the tower. Ropes are long."
    assert texts(pruned(0.9, passage(long)))[0].startswith("She painted the tower.")


def test_no_context_is_kept_that_the_budget_does_not_hold() -> None:
    text = "Ada Lund lived in Bergen. She painted the tower. Ropes are long and walls are of brick."
    assert texts(pruned(0.3, passage(text))) == ["She painted the tower."]


def test_the_title_speaks_for_its_sentences_and_stays() -> None:
    place = Place(heading=("Painted in May",))
    passages = (
        passage("Ropes are long."),
        passage("It is red.", 2, title="The tower", place=place),
    )
    (kept,) = pruned(0.5, *passages).passages
    assert (kept.title, kept.place, kept.text) == ("The tower", place, "It is red.")


def test_a_row_of_a_table_is_kept_whole_or_dropped() -> None:
    row = passage("painter: Ada Lund. b. 1901; tower: north. of town", 1, kind="table")
    other = passage("Ropes are long. Walls are of brick. Doors are of wood. Roofs leak.", 2)
    assert pruned(0.5, row, other).passages[0] == row
    assert row not in pruned(0.5, row, other, question="Are ropes long?").passages


def test_an_equal_sentence_is_kept_once() -> None:
    said = "The tower was painted by Ada Lund."
    done = pruned(1 - 1e-9, passage(said), passage(said, 2), passage("Ropes are long.", 3))
    assert texts(done) == [said, "Ropes are long."]


def test_the_cross_encoders_span_decides_between_sentences_of_like_words() -> None:
    text = "The tower was painted in May. The tower was painted in oil. Bo painted the tower."
    for word in ("May", "oil", "Bo"):
        (kept,) = texts(pruned(0.3, passage(text), model=reads(word)))
        assert word in kept


def test_a_span_counts_for_its_own_sentence_against_shared_words() -> None:
    text = "Ropes are long. That was May. The tower was painted in oil."
    assert texts(pruned(0.3, passage(text), model=reads("May"))) == ["That was May."]


def test_a_span_of_the_title_counts_for_no_sentence() -> None:
    titled = passage("The tower is red. Bo painted the tower.", 1, title="Ada Lund")
    assert texts(pruned(0.5, titled, model=reads("Ada Lund"))) == ["Bo painted the tower."]


def test_a_passage_that_the_cross_encoder_finds_relevant_outweighs_its_rank() -> None:
    passages = (passage("The tower was painted.", 1), passage("The tower was so painted.", 2))
    first, second = reads("nothing"), reads("so")
    assert texts(pruned(0.5, *passages, model=first)) == ["The tower was painted."]
    assert texts(pruned(0.5, *passages, model=second)) == ["The tower was so painted."]


def test_the_cross_encoder_reads_the_pairs_that_reranking_reads() -> None:
    seen: list[Pair] = []

    def noting(pairs: Sequence[Pair]) -> list[Reading]:
        seen.extend(pairs)
        return reads("x")(pairs)

    pruned(0.5, passage("One. Two.", 1, title="T"), model=noting)
    assert seen == [("Who painted the tower?", "T. One. Two.")]


def test_a_cross_encoder_whose_readings_have_no_say_is_not_asked() -> None:
    def never(pairs: Sequence[Pair]) -> list[Reading]:
        raise AssertionError(pairs)

    done = run(Prune(0.4, count, never, {**RULES, "span": 0.0}), case(passage(WALL)))
    assert done.passages == pruned(0.4, passage(WALL)).passages


def test_the_trace_says_how_many_tokens_were_dropped() -> None:
    detail = pruned(0.4, passage(WALL)).trace[-1].detail
    assert (detail["tokens"], detail["dropped"], detail["sentences"]) == (18, 11, [1, 4])
    assert detail["kept"] == [[1, START + 22, START + 56]]


def test_nothing_comes_of_nothing() -> None:
    assert pruned(0.5).passages == () and pruned(0.5, passage("  ")).passages == (passage("  "),)


def test_other_passages_are_cut_again_after_the_first_were() -> None:
    once = pruned(0.4, passage(WALL))
    wider = replace(once, passages=(passage(WALL), passage(WALL[:40], 2)))
    assert len(run(Prune(0.4, count), wider).passages) < 3
    assert run(Prune(0.2, count), once).trace[-1].detail["share"] == 0.2


WORDS = st.sampled_from(["tower", "Ada", "It", "painted", "red", "12", "塔。", "ropes", "é"])
SENTENCE = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
GAPS = st.sampled_from([". ", ".  ", "!\n\n", "? "])
TEXT = st.lists(st.tuples(SENTENCE, GAPS), max_size=6).map(lambda p: "".join(a + b for a, b in p))
KINDS = st.sampled_from(["text", "text", "table", "manual"])
PASSAGES = st.lists(st.tuples(TEXT, KINDS), max_size=4).map(
    lambda made: [passage(text, n, kind=kind) for n, (text, kind) in enumerate(made)]
)


@given(PASSAGES, st.floats(0, 1), st.sampled_from([None, reads("Ada")]))
def test_every_piece_is_a_slice_of_its_document_and_all_are_in_order(
    passages: list[Passage], share: float, model: Judge | None
) -> None:
    whole = {one.id: one for one in passages}
    done = pruned(share, *passages, model=model)
    for one in done.passages:
        of = whole[one.id]
        assert of.text[one.start - START : one.end - START] == one.text
        assert replace(one, text=of.text, start=of.start, end=of.end) == of
        assert one.kind == "text" or one == of
    places = [(one.id, one.start) for one in done.passages]
    assert places == sorted(places) and len(set(places)) == len(places)
    ends = [(one.id, one.end) for one in done.passages]
    assert all(a[1] <= b[1] for a, b in zip(ends, places[1:], strict=False) if a[0] == b[0])
    assert bool(done.passages) == bool(passages)


@given(PASSAGES, st.floats(0, 0.99))
def test_the_budget_holds_but_for_the_best_sentence(passages: list[Passage], share: float) -> None:
    done = pruned(share, *passages)
    detail = done.trace[-1].detail
    if detail:
        left = sum(count([one.text for one in done.passages]))
        assert detail["sentences"][0] == 1 or left <= share * detail["tokens"] + 1e-9


@given(PASSAGES, st.floats(0, 1), st.sampled_from([None, reads("Ada")]))
def test_what_was_pruned_is_not_pruned_again(
    passages: list[Passage], share: float, model: Judge | None
) -> None:
    step = Prune(share, count, model, READ)
    once = run(step, case(*passages))
    twice = run(step, once)
    assert twice.passages == once.passages == run(step, twice).passages
    assert step(step(case(*passages))) == step(case(*passages))


@pytest.mark.parametrize("question", ["", "¿?", "塔 在哪里", "the of and"])
def test_any_question_leaves_something(question: str) -> None:
    passages = (passage(WALL), passage("塔在北京。它是红色的。", 2))
    assert pruned(0.2, *passages, question=question).passages

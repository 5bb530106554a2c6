"""Reading one passage: by rules and by a model, in long texts too."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from models.pilot.reading import Pair, Reading
from pipeline.answer_types import pick
from pipeline.reader import NOTHING, RUN_WORDS, Reader, runs
from tests.verifiers.fakes import embed

FILLER = "Nothing of note was ever written about that long and quiet year. "


@pytest.mark.parametrize(
    ("question", "sentence", "answer"),
    [
        ("When was the mill built?", "The mill was built in 1750 by a monk.", "1750"),
        ("When did she die?", "She was born in Graz and died on 4 May 1911.", "4 May 1911"),
        ("How many rooms are there?", "It has 48 rooms on three floors.", "48"),
        ("How much is a ticket?", "A ticket is $12.50 for adults.", "$12.50"),
        ("Who wrote Faust?", "Faust was written by Johann Goethe.", "Johann Goethe"),
        ("Where is the Louvre?", "The Louvre is in Paris.", "Paris"),
        ("What does it eat?", "What it does eat is small fish", "is small fish"),
    ],
)
def test_rules_pick_the_value_that_is_asked_for(question: str, sentence: str, answer: str) -> None:
    start, end = pick(question, sentence)
    assert sentence[start:end].startswith(answer.rstrip("."))


def test_rules_answer_from_the_best_sentence_with_its_offsets() -> None:
    text = FILLER * 3 + "The mill was built in 1750. " + FILLER
    (read,) = Reader(embed)([("When was the mill built?", text)])
    assert read.answer == "1750" == text[read.start : read.end]


def test_an_empty_context_gives_no_answer() -> None:
    assert Reader(embed)([("When?", "")]) == [NOTHING]


def finds(word: str):
    """A model that is sure of one word wherever it stands, and of nothing else."""

    def model(pairs: Sequence[Pair]) -> list[Reading]:
        found = []
        for _, text in pairs:
            at = text.find(word)
            span = (at, at + len(word), 9.0) if at >= 0 else (0, 1, -5.0)
            found.append(Reading(4.0 if at >= 0 else -4.0, 0, 0, 1, (span,), 0.0))
        return found

    return model


def test_the_run_that_holds_the_answer_is_found_in_a_long_text() -> None:
    text = FILLER * 70 + "It was Ada. " + FILLER * 70
    (read,) = Reader(embed, finds("Ada"))([("Who was it?", text)])
    assert (read.answer, text[read.start : read.end]) == ("Ada", "Ada")


def test_support_is_higher_where_the_passage_answers() -> None:
    reader = Reader(embed, finds("Ada"))
    there, absent = reader([("Who was it?", "It was Ada."), ("Who was it?", "Nobody knows.")])
    assert there.support > absent.support


@pytest.mark.parametrize("count", [1, 5, 40, 200])
def test_runs_cover_the_text_and_overlap(count: int) -> None:
    text = (FILLER * count).strip()
    spans = list(runs(text))
    assert spans[0][0] == 0 and spans[-1][1] == len(text)
    assert all(len(text[a:b].split()) <= RUN_WORDS for a, b in spans)
    for (_, end), (start, _) in pairwise(spans):
        assert start < end

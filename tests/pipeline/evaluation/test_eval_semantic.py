"""BERTScore over many answers: the best right answer, the baseline, what cannot be compared."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.evaluation.semantic import baseline, bertscores, closeness
from tests.pipeline.evaluation.answers import HashedTokens

ENCODER = HashedTokens()


def test_the_best_right_answer_counts() -> None:
    found = bertscores(ENCODER, ["a b c"], [["x y", "a b c"]])
    assert found.scores[0] is not None and found.scores[0].f1 == pytest.approx(1.0)


def test_precision_and_recall_tell_too_much_from_too_little() -> None:
    (much,) = bertscores(ENCODER, ["a b c d"], [["a b"]]).scores
    (little,) = bertscores(ENCODER, ["a b"], [["a b c d"]]).scores
    assert much is not None and little is not None
    assert much.recall == pytest.approx(1.0) and little.precision == pytest.approx(1.0)
    assert much.precision == pytest.approx(little.recall) and much.precision < 0.8


def test_what_has_no_text_or_no_vocabulary_is_not_scored() -> None:
    found = bertscores(ENCODER, ["", "a", "?机", "a"], [["a"], [], ["a"], ["?学"]])
    assert found.scores == (None, None, None, None)
    assert found.baseline is None


def test_the_baseline_is_the_mean_over_different_answers() -> None:
    texts = ["a b", "c d e", "f"]
    found = baseline(ENCODER, [[text] for text in texts])
    known = ENCODER.encode(texts)
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    precision = np.mean([(known[i].vectors @ known[j].vectors.T).max(axis=1).mean()
                         for i, j in pairs])  # fmt: skip
    assert found is not None and found.precision == pytest.approx(precision, abs=0.02)
    assert baseline(ENCODER, [["a"], ["a"], []]) is None, "one answer is not two"


def test_a_rare_word_weighs_more_than_one_of_every_answer() -> None:
    answers = [["the seine"], ["the loire"], ["the rhone"]]
    (plain, *_) = bertscores(ENCODER, ["the x", "", ""], answers).scores
    (weighed, *_) = bertscores(ENCODER, ["the x", "", ""], answers, weigh=True).scores
    assert plain is not None and weighed is not None
    assert weighed.recall < plain.recall


def test_length_alone() -> None:
    assert closeness("one two three four", ["five six", "seven"]) == 0.5
    assert closeness("", ["x"]) == 0.0 and closeness("x", []) == 0.0

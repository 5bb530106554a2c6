"""Small classifiers against scikit-learn, their explanations, and what is kept of them."""

from __future__ import annotations

import numpy as np
import pytest

from models.classifier.because import explained, left_out
from models.classifier.fit import (
    Labelled,
    calibration_error,
    confidence_for,
    cooled,
    fit,
    folds,
    kept_at,
    softmax,
)
from models.classifier.model import Classifier, unpacked
from models.classifier.words import Words, grams

THINGS = ("meal", "welcome", "reply", "room", "tour", "host")
GOOD = [f"a {word} {thing}" for thing in THINGS for word in ("lovely", "warm")]
BAD = [f"a {word} {thing}" for thing in THINGS for word in ("awful", "cold")]
TEXTS, LABELS = GOOD + BAD, ["good"] * 12 + ["bad"] * 12


def vectors(texts: list[str]) -> np.ndarray:
    """Unit vectors that know nothing of the labels, nearly alike."""
    rng = np.random.RandomState(0)
    rows = 1 + 0.01 * rng.normal(size=(len(texts), 6))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def made() -> Classifier:
    return fit(Labelled(TEXTS, LABELS, vectors(TEXTS)), ("encoder", "f1"))


def test_a_few_texts_that_were_all_right_prove_no_certainty() -> None:
    scores = np.array([[9.0, -9.0], [-9.0, 9.0]] * 8, np.float32)
    chances = softmax(scores / cooled(scores, np.array([0, 1] * 8)))
    assert 0.85 < chances.max() < 0.97


def test_words_weigh_as_scikit_learns_tfidf_does() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = Words.of(TEXTS)
    theirs = TfidfVectorizer(analyzer=grams, min_df=2, sublinear_tf=True).fit(TEXTS)
    matrix = theirs.transform(["a lovely lovely meal"]).toarray()[0]
    columns, values = words("a lovely lovely meal")
    ours = {words.terms[c]: v for c, v in zip(columns.tolist(), values.tolist(), strict=True)}
    names = theirs.get_feature_names_out()
    expected = {names[at]: matrix[at] for at in np.flatnonzero(matrix)}
    assert ours == pytest.approx(expected, abs=1e-6)


def test_words_that_tell_labels_apart_are_learned_and_named(made: Classifier) -> None:
    (found,) = made.predict(["a cold and awful meal"], vectors(["x"]))
    assert found.label == "bad" and found.confidence > 0.5
    assert "cold" in [name for name, _ in found.because]
    assert sum(found.chances.values()) == pytest.approx(1.0, abs=1e-3)


def test_what_the_meaning_told_is_told_by_the_words_that_are_missed_when_left_out() -> None:
    asked: list[str] = []

    def encode(texts: list[str]) -> np.ndarray:
        """One axis for texts about fish, one for the rest."""
        asked.extend(texts)
        return np.array([[1.0, 0.0] if "fish" in t else [0.0, 1.0] for t in texts], np.float32)

    texts = [f"{thing} {n} here" for n in range(12) for thing in ("fish", "bird")]
    labels = ["sea", "sky"] * 12
    model = fit(Labelled(texts, labels, encode(texts)), ("e", "f"), views=("vectors",))
    asked.clear()
    (found,) = explained(model, encode, ["one fish alone"])
    assert asked == ["one fish alone", "fish alone", "one alone", "one fish"]
    assert found.label == "sea" and [name for name, _ in found.because] == ["fish"]
    assert found.because[0][1] > 0
    assert len(left_out("word " * 200)) == 16 and left_out("alone") == []


def test_what_is_kept_says_the_same(made: Classifier) -> None:
    again = unpacked(made.packed())
    asked = ["warm food", "late"]
    before, after = (one.predict(asked, vectors(asked)) for one in (made, again))
    for old, new in zip(before, after, strict=True):
        assert new.label == old.label and new.confidence == pytest.approx(old.confidence, abs=0.01)
    assert again.examples == made.examples and again.measured == made.measured


def test_the_nearest_examples_come_last(made: Classifier) -> None:
    found = made.nearest(vectors(TEXTS)[3], 2)
    assert len(found) == 2 and found[-1].text == TEXTS[3]


def test_one_label_or_one_text_of_a_label_cannot_be_learned() -> None:
    with pytest.raises(ValueError, match="all texts have the label 'a'"):
        fit(Labelled(["x", "y"], ["a", "a"], vectors(["x", "y"])), ("e", "f"))
    with pytest.raises(ValueError, match="only one text has the label 'b'"):
        fit(Labelled(["x", "y", "z"], ["a", "a", "b"], vectors(["x", "y", "z"])), ("e", "f"))


def test_folds_spread_each_label_and_hold_every_text_once() -> None:
    gold = np.array([0] * 9 + [1] * 3)
    dealt = folds(gold)
    assert sorted(np.concatenate(dealt).tolist()) == list(range(12))
    assert all((gold[fold] == 0).sum() >= 2 for fold in dealt)


def test_a_temperature_undoes_scores_that_are_too_loud() -> None:
    rng = np.random.RandomState(1)
    true = rng.normal(size=(4000, 3)) * 1.5
    chances = np.exp(true) / np.exp(true).sum(axis=1, keepdims=True)
    gold = np.array([rng.choice(3, p=row) for row in chances])
    loud = (true * 3).astype(np.float32)
    temperature = cooled(loud, gold)
    assert temperature == pytest.approx(3.0, rel=0.15)
    before, after = (calibration_error(softmax(loud / t), gold) for t in (1.0, temperature))
    assert after < before / 2


def test_what_can_be_kept_is_the_longest_run_that_is_right_enough() -> None:
    chances = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]], np.float32)
    assert kept_at(chances, np.array([0, 0, 1, 0]), 0.98) == 0.5
    assert kept_at(chances, np.array([0, 0, 1, 0]), 0.70) == 1.0
    assert kept_at(chances, np.array([1, 0, 0, 0]), 0.98) == 0.0
    assert confidence_for(chances, np.array([0, 0, 1, 0]), 0.98) == pytest.approx(0.8)
    assert confidence_for(chances, np.array([1, 0, 0, 0]), 0.98) == 1.0

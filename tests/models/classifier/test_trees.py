"""Trees over rows of a table against scikit-learn's own predictions, and what is read of rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.classifier.fit import Labelled
from models.classifier.fit_trees import boosted, fit_rows, flat
from models.classifier.model import Classifier
from models.classifier.rows import Columns, number, row_text
from models.classifier.trees import Trees, unpacked


def rows_of(count: int) -> tuple[list[dict[str, object]], list[str]]:
    """Late where a parcel is heavy and goes by sea, or where its weight is missing."""
    rng = np.random.RandomState(5)
    rows: list[dict[str, object]] = []
    labels = []
    for n in range(count):
        weight = None if rng.rand() < 0.15 else round(float(rng.rand() * 40), 1)
        way = ["sea", "air", "road"][rng.randint(3)]
        rows.append({"Order": f"no {n}", "Weight": weight, "Way": way})
        labels.append("late" if weight is None or (weight > 20 and way == "sea") else "in time")
    return rows, labels


def blank(count: int) -> np.ndarray:
    return np.full((count, 4), 0.5, np.float32)


@pytest.fixture(scope="module")
def made() -> Trees:
    rows, labels = rows_of(300)
    given = Labelled([row_text(row) for row in rows], labels, blank(len(rows)))
    found = fit_rows(given, rows, ("encoder", "f1"))
    assert isinstance(found, Trees)
    return found


@pytest.mark.parametrize("count", [2, 4])
def test_plain_arrays_score_as_scikit_learn_does(count: int) -> None:
    rng = np.random.RandomState(count)
    design = rng.normal(size=(240, 5))
    design[rng.rand(*design.shape) < 0.1] = np.nan
    gold = np.nan_to_num(design[:, 0] * 2 + design[:, 1]).round().astype(int) % count
    theirs = boosted(design, gold)
    nodes, start = flat(theirs, count)
    names = tuple((f"c{n}", ()) for n in range(5))
    ours = Trees(tuple("abcd"[:count]), Columns(names), nodes, start, 1.0, ("", ""))
    asked = rng.normal(size=(50, 5))
    asked[rng.rand(*asked.shape) < 0.2] = np.nan
    scores = np.array([ours.moved(row).sum(axis=1) for row in asked])
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert chances == pytest.approx(theirs.predict_proba(asked), abs=1e-6)


def test_trees_learn_what_needs_two_columns_and_say_which(made: Trees) -> None:
    rows, labels = rows_of(600)
    said = made.predict(rows[300:])
    right = [one.label == label for one, label in zip(said, labels[300:], strict=True)]
    assert np.mean(right) > 0.95 > made.measured["beside"]["commonest label"]
    (found,) = made.predict([{"Weight": 35.0, "Way": "sea"}])
    assert found.label == "late" and found.confidence > 0.8
    assert {name for name, _ in found.because[:2]} == {"Weight = 35", "Way = sea"}


def test_a_row_that_is_written_as_text_is_read_as_the_same_row(made: Trees) -> None:
    row = {"Order": "a; b", "Weight": 35.0, "Way": "sea"}
    assert made.read([row_text(row)]) == made.predict([row])
    assert made.read(["Way: sea; Order: 7"]) == made.predict([{"Way": "sea"}])


def test_a_text_that_holds_no_row_is_as_likely_as_the_labels_were(made: Trees) -> None:
    _, labels = rows_of(300)
    (found,) = made.read(["nothing known"])
    assert found.label == "in time" and not found.because
    assert found.confidence == pytest.approx(labels.count("in time") / 300, abs=0.001)


def test_what_is_kept_says_the_same(made: Trees) -> None:
    again = unpacked(made.packed())
    rows, _ = rows_of(40)
    assert again is not None and again.predict(rows) == made.predict(rows)
    assert again.examples == made.examples and again.measured == made.measured


def test_the_text_of_rows_is_kept_where_trees_are_no_better() -> None:
    rows: list[dict[str, object]] = [
        {"Note": f"{word} {n}"} for n in range(20) for word in ("lovely", "awful")
    ]
    labels = ["good", "bad"] * 20
    given = Labelled([row_text(row) for row in rows], labels, blank(40))
    found = fit_rows(given, rows, ("e", "f"))
    assert isinstance(found, Classifier)
    assert unpacked(found.packed()) is None


def test_columns_are_numbers_values_or_nothing() -> None:
    rows: list[dict[str, object]] = [
        {"Price": "1,200.50", "Way": "sea", "Id": "x1"},
        {"Price": "3 %", "Way": "sea"},
        {"Price": None, "Way": "air", "Id": "x2"},
    ]
    columns = Columns.of(rows)
    assert columns.names == ("Price", "Way = sea")
    assert columns(rows)[:2].tolist() == [[1200.5, 1.0], [3.0, 1.0]]
    assert math.isnan(columns(rows)[2, 0])
    assert columns.read("Way: sea; then air; price: 4") == {"Way": "sea; then air", "Price": "4"}


@pytest.mark.parametrize(
    ("said", "value"),
    [("-3.5", -3.5), (True, 1.0), ("1e3", 1000.0), ("12 kg", None), ("", None), (".", None),
     (float("inf"), None), ("12,5,0", None)],
)  # fmt: skip
def test_a_number_is_read_only_where_it_is_one(said: object, value: float | None) -> None:
    found = number(said)
    assert math.isnan(found) if value is None else found == value

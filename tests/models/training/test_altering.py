"""Alterations change one thing, say what, and leave nothing to alter alone."""

import random

import pytest

from models.training.altering import KINDS, altered, names_of

SENTENCE = "In March 1998 Anna Berg was 12 years old and had increased sales by 3.5 percent."


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_kind_changes_exactly_the_stretch_it_names(kind):
    change = KINDS[kind](SENTENCE, ["Otto Lind"], random.Random(1))
    assert change is not None and change.kind == kind
    assert change.text != SENTENCE
    rest = change.text[: change.start] + change.was + change.text[change.end :]
    assert rest == SENTENCE


@pytest.mark.parametrize("seed", range(30))
def test_a_number_is_never_put_in_the_place_of_itself(seed):
    change = KINDS["number"]("They paid 0 of 1,000 or 2.50 euros", [], random.Random(seed))
    assert change is not None and change.text[change.start : change.end] != change.was


@pytest.mark.parametrize("seed", range(30))
def test_a_year_stays_a_year_that_has_been(seed):
    change = KINDS["date"]("It was built in 2023.", [], random.Random(seed))
    assert change is not None
    assert 1500 < int(change.text[change.start : change.end]) < 2025


def test_a_negation_is_taken_out_as_well_as_put_in():
    rng = random.Random(1)
    assert KINDS["negation"]("Cells cannot divide.", [], rng).text == "Cells can divide."
    assert KINDS["negation"]("Cells can divide.", [], rng).text == "Cells can not divide."
    assert KINDS["negation"]("It contains zinc.", [], rng).text == "It does not contain zinc."


def test_a_name_is_not_replaced_by_one_that_the_sentence_has():
    change = KINDS["name"]("The city of Oslo lies north.", ["Oslo", "Bergen"], random.Random(2))
    assert change is not None and "Bergen" in change.text


def test_what_has_nothing_to_alter_stays_unaltered():
    assert altered("small fish swim", [], random.Random(1)) is None


def test_names_are_found_without_the_word_that_opens_a_sentence():
    assert names_of("The river Rhine passes Cologne. Nobody knows.") == ["Rhine", "Cologne"]

"""Values of the evidence in the place of wrong ones, and where that is refused."""

from __future__ import annotations

import pytest

from verifiers.mend import mended
from verifiers.values import present, values

RIVER = "The bridge over the Aare was opened in May 1883 by Robert Moser and is 173 metres long."


def after(claim: str, evidence: str = RIVER, context: str = "") -> str:
    """The claim with its changes."""
    for change in sorted(mended(claim, evidence, context), key=lambda one: -one.start):
        assert claim[change.start : change.end] == change.before
        claim = claim[: change.start] + change.after + claim[change.end :]
    return claim


@pytest.mark.parametrize(
    ("claim", "right"),
    [
        ("The bridge over the Aare is 273 metres long.",
         "The bridge over the Aare is 173 metres long."),
        ("The bridge was opened in May 1893.", "The bridge was opened in May 1883."),
        ("The bridge was opened in June 1883.", "The bridge was opened in May 1883."),
        ("The bridge over the Aare was opened by Gustave Eiffel.",
         "The bridge over the Aare was opened by Robert Moser."),
        ("The bridge over the Aare was not opened in May 1883.",
         "The bridge over the Aare was opened in May 1883."),
        ("The bridge over the Aare was closed in May 1883 by Robert Moser.",
         "The bridge over the Aare was opened in May 1883 by Robert Moser."),
    ],
)  # fmt: skip
def test_a_wrong_value_or_word_becomes_the_evidences_own(claim: str, right: str) -> None:
    assert after(claim) == right


@pytest.mark.parametrize(
    "claim",
    [
        RIVER,
        "Robert Moser opened the bridge over the Aare in 1883.",
        "The bridge is 173 m long.",
        "Moser's bridge was opened in 1883.",
        "The bridge, some 173 metres long, crosses the river.",
    ],
)
def test_what_the_evidence_says_in_other_words_is_left_alone(claim: str) -> None:
    assert mended(claim, RIVER) == []


def test_two_candidates_are_none() -> None:
    evidence = "Small lamps weigh 3 kg or 4 kg."
    assert mended("Small lamps weigh 7 kg.", evidence) == []


def test_a_written_number_equals_its_digits() -> None:
    assert mended("The house has 5 rooms.", "The house has five rooms and 2 doors.") == []


def test_a_negation_that_was_left_out_comes_back() -> None:
    evidence = "Batteries are not covered by the warranty of the pump."
    assert after("Batteries are covered by the warranty of the pump.", evidence) == evidence


def test_a_name_of_the_title_needs_no_mending() -> None:
    evidence = "He was born in 1879 and moved to Bern with his family."
    claim = "Albert Einstein was born in 1879 and moved to Bern with his family."
    assert mended(claim, evidence, "Albert Einstein") == []


def test_values_are_found_with_their_kind_and_place() -> None:
    text = "In May 2004 Anna Berg paid 1,250 euros; it may rain."
    found = [(v.kind, v.text) for v in values(text)]
    assert found == [("month", "May"), ("year", "2004"), ("name", "Anna Berg"),
                     ("number", "1,250")]  # fmt: skip
    assert all(text[v.start : v.end] == v.text for v in values(text))


@pytest.mark.parametrize(
    ("value", "text"),
    [("Maria Obama", "Obama spoke"), ("42", "forty 42nd"), ("2,000", "2000 people")],
)
def test_presence_looks_at_whole_values(value: str, text: str) -> None:
    (one,) = values(f"It was {value} there")
    assert present(one, text) == (value != "Maria Obama")

"""Hard rules over every judge of claims, and the judge of words."""

from __future__ import annotations

import pytest
from fakes import embed, passage

from verifiers import evidence
from verifiers.evidence import Window
from verifiers.rules import NEGATION_CAP, VALUE_CAP, VERBATIM, by_words, ruling


def window(text: str) -> Window:
    one = passage(text)
    return Window(one, one.start, one.end, text)


@pytest.mark.parametrize(
    ("claim", "text", "cap", "against"),
    [
        ("It lasts 24 months.", "The warranty lasts 24 months.", 1.0, False),
        ("It lasts 36 months.", "The warranty lasts 24 months.", VALUE_CAP, True),
        ("It lasts 36 months.", "The warranty is long.", VALUE_CAP, False),
        ("It lasts 24 weeks.", "The warranty lasts 24 months.", VALUE_CAP, True),
        ("A 24-month warranty.", "The warranty lasts 24 months.", 1.0, False),
        ("It weighs 3 kg.", "It weighs 3 kilograms and costs 3 euros.", 1.0, False),
        ("It opened in May 1990.", "In June 1990 it was opened.", VALUE_CAP, True),
        ("It opened in May 1990.", "It was opened in 1990.", VALUE_CAP, False),
        ("It opened in May 1990.", "Opened: 1990-05-12.", 1.0, False),
        ("You may return it.", "Goods are returned.", 1.0, False),
        ("It is covered.", "It is not covered.", NEGATION_CAP, True),
        ("The TL-40 is new.", "The TL-40 is not old, nor used.", NEGATION_CAP, True),
    ],
)
def test_the_cap_and_whether_the_evidence_says_otherwise(
    claim: str, text: str, cap: float, against: bool
) -> None:
    found = ruling(claim, window(text))
    assert (found.cap, found.against) == (cap, against)
    assert bool(found.reason) == (cap < 1.0)


def test_of_a_copy_its_window_alone_counts() -> None:
    one = passage("Paint is free of charge. Paint dries in an hour. It smells.")
    claim = "Paint dries in an hour."
    ranked = evidence.ranked(claim, list(evidence.windows(one)), embed)
    ((found, support),) = by_words(claim, ranked)
    assert (found.text, support) == (claim, VERBATIM)


def test_the_neighbours_of_a_window_fit_into_the_words_and_come_before_it_first() -> None:
    one = passage("One two three. Four five. Six seven eight. Nine ten.")
    third = list(evidence.windows(one, widths=(1,)))[2]
    assert evidence.around(third, 5).text == "Four five. Six seven eight."
    whole = evidence.around(third, 50)
    assert (whole.text, whole.start, whole.end) == (one.text, one.start, one.end)
    assert evidence.around(third, 1).text == third.text


def test_a_row_of_a_table_stands_alone() -> None:
    row = passage("Pump: TL-40; Price: 12. Or more", kind="table")
    (only,) = evidence.windows(row)
    assert evidence.around(only).text == row.text

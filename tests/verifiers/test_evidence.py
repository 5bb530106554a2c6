import pytest
from fakes import embed, passage

from verifiers import evidence


def test_windows_are_slices_of_their_document() -> None:
    text = "The lamp weighs 40 kg. It is red. It floats."
    stored = " " * 100 + text
    found = list(evidence.windows(passage(text)))
    assert [w.text for w in found][:3] == ["The lamp weighs 40 kg.", "It is red.", "It floats."]
    assert all(stored[w.start : w.end] == w.text for w in found)
    assert any(w.text == "It is red. It floats." for w in found)


def test_a_table_row_is_one_window() -> None:
    row = passage("Name: Ann. B. Lee; Phone: 12", kind="table")
    assert [w.text for w in evidence.windows(row)] == [row.text]


def test_the_window_that_shares_most_comes_first() -> None:
    one = passage("Cats sleep. The warranty of the pump is 24 months. Dogs bark.")
    best = evidence.ranked(
        "How long is the warranty of the pump?", list(evidence.windows(one)), embed
    )
    assert "24 months" in best[0].text


def test_no_windows_rank_to_nothing() -> None:
    assert evidence.ranked("anything", [], embed) == []


def test_words_of_the_title_count_half() -> None:
    window = next(evidence.windows(passage("It weighs 40 kg.")))
    assert evidence.overlap(["weigh", "lamp"], window) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("claim", "text", "missing"),
    [
        ("It costs 1,200.50 EUR", "the price is 1200.5 EUR", 0),
        ("It costs 40 EUR", "the price is 41 EUR", 1),
        ("12 % of 30", "12% of thirty", 1),
        ("no numbers", "7", 0),
    ],
)
def test_numbers_are_compared_in_canonical_form(claim: str, text: str, missing: int) -> None:
    assert evidence.missing_numbers(claim, text) == missing


def test_names_that_the_evidence_lacks_are_counted() -> None:
    assert evidence.missing_names(
        "We met Ada Byron in Turin", "ada byron stayed home"
    ) == pytest.approx(1 / 3)
    assert evidence.missing_names("nobody here", "text") == 0


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        ("It is covered.", "It is not covered.", True),
        ("It isn't covered.", "It is never covered.", False),
        ("电池在保修期内。", "电池不在保修期内。", True),
    ],
)
def test_negation_of_one_side_only_is_seen(one: str, other: str, differs: bool) -> None:
    assert evidence.negation_differs(one, other) is differs

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


@pytest.mark.parametrize(
    ("claim", "heading", "text", "lost"),
    [
        ("It lasts 5 years.", "5. Warranty", "It lasts 3 years.", 1),
        ("It lasts 5 years.", "5. Warranty", "It lasts three years.", 1),
        ("In 2023 sales fell.", "Report 2023", "Sales fell.", 1),
        ("The TL-40 lasts 3 years.", "Pump TL-40", "It lasts 3 years.", 0),
        ("The TL-4 lasts 3 years.", "Pump TL-40", "It lasts 3 years.", 1),
        ("It lasts 40 years.", "Pump TL-40", "It lasts 3 years.", 1),
    ],
)
def test_numbers_stand_in_the_quote_and_a_heading_gives_only_names(
    claim: str, heading: str, text: str, lost: int
) -> None:
    window = next(evidence.windows(passage(text, heading=heading)))
    assert evidence.unquoted_numbers(claim, window) == lost


@pytest.mark.parametrize(
    ("claim", "text", "whole"),
    [
        ("Employees get 25 days of leave.", "- Employees get\n25 days of leave", True),
        ("Employees get 5 days of leave.", "Employees get 25 days of leave.", False),
        ("5 days of paid leave.", "Employees get 25 days of paid leave.", False),
        ("5 days of paid leave.", "5,000 days of paid leave.", False),
        ("40 degrees in hard winters.", "-40 degrees in hard winters.", False),
        ("the deposit is always refundable", "It is wrong that the deposit is always refundable.",
         False),
        ("The deposit is always refundable.", "The deposit is always refundable?", False),
        ("No.", "No.", False),
        ("Yes, employees get leave always.", "Yes, employees get leave always.", False),
        ("No refunds without a receipt.", "No refunds without a receipt.", True),
        ("...", "...", False),
    ],
)  # fmt: skip
def test_only_a_whole_sentence_that_says_something_stands_word_for_word(
    claim: str, text: str, whole: bool
) -> None:
    assert evidence.word_for_word(claim, next(evidence.windows(passage(text)))) is whole


@pytest.mark.parametrize(
    ("claim", "whole"),
    [
        ("Price: 1.5", True),
        ("Price: 1", False),
        ("Price: 1.", False),
        ("Paid: no; Note: Ring twice", True),
        ("Note: Ring twice.", True),
        ("Ask Ann Lee", True),
        ("先打电话。", True),
        ("打电话", False),
        ("no", False),
        ("Unit Price: 1.5", False),
    ],
)
def test_of_a_table_row_whole_cells_stand_word_for_word(claim: str, whole: bool) -> None:
    cells = "Price: 1.5; Paid: no; Note: Ring twice. Ask Ann Lee. 请稍等。先打电话。"
    row = passage(cells, kind="table")
    assert evidence.word_for_word(claim, next(evidence.windows(row))) is whole


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
        ("It is covered.", "It is wrong to say that it is covered.", True),
        ("It is false that it is covered.", "It is untrue that it is covered.", False),
        ("It is not covered.", "It is wrong that it is covered.", False),
    ],
)
def test_negation_of_one_side_only_is_seen(one: str, other: str, differs: bool) -> None:
    assert evidence.negation_differs(one, other) is differs

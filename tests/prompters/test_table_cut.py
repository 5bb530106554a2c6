"""Rows in prompts: narrow ones whole, of wide ones the cells that the question is about."""

from __future__ import annotations

from pilotfish.types import Passage
from prompters.table_cut import cut

WIDE = ("Item: anvil; Code: A-7; Colour: black; Weight: 80 kg; Maker: Fjord; Origin: Norway; "
        "Price: 12.50; Stock: 4; Shelf: B; Note: heavy; see ramp")  # fmt: skip


def shown(text: str, question: str, kind: str = "table") -> str:
    passage = Passage(1, text, "d", 0, len(text), kind=kind)  # type: ignore[arg-type]
    done = cut(passage, question)
    assert (done.id, done.start, done.end) == (passage.id, passage.start, passage.end)
    return done.text


def test_a_narrow_row_and_any_text_stay_as_they_are() -> None:
    assert shown("Item: anvil; Price: 12.50", "What is the stock?") == "Item: anvil; Price: 12.50"
    assert shown(WIDE, "What?", "text") == WIDE


def test_of_a_wide_row_the_names_and_what_is_asked_stay() -> None:
    text = shown(WIDE, "What is the price of the goods on shelf B?")
    assert text.startswith("Item: anvil; ") and text.endswith("; …")
    assert "Price: 12.50" in text and "Shelf: B" in text
    assert "Note" not in text and len(text) < len(WIDE)


def test_the_kind_that_is_asked_for_stays() -> None:
    row = "Name: Ann; Town: Oslo; Team: Red; Boat: Elk; Coach: Bo; Club: Fjord; Flag: N; Born: 1990"
    assert "Born: 1990" in shown(row, "When did the life of Ann begin?")
    assert "Born: 1990" not in shown(row, "Who trains Ann?")


def test_a_value_that_the_question_names_keeps_its_column() -> None:
    assert "Origin: Norway" in shown(WIDE, "Which goods are made in Norway?")


def test_a_cell_with_a_semicolon_stays_one_cell() -> None:
    assert "Note: heavy; see ramp" in shown(WIDE, "What does the note say?")


def test_of_a_long_block_the_rows_that_share_most_stay_in_their_order() -> None:
    rows = "\n".join(f"Town: town{n}; People: {n * 100}" for n in range(20))
    text = shown(rows, "How many people live in town7 and town15?")
    lines = text.split("\n")
    assert "Town: town7; People: 700" in lines and "Town: town15; People: 1500" in lines
    assert lines.index("Town: town7; People: 700") < lines.index("Town: town15; People: 1500")
    assert lines[-1] == "…" and len(lines) < 14


def test_rows_of_one_block_show_the_same_columns() -> None:
    two = f"{WIDE}\n{WIDE.replace('anvil', 'rope').replace('Norway', 'Spain')}"
    first, second = shown(two, "Which goods are made in Spain?").split("\n")
    assert "Origin: Norway" in first and "Origin: Spain" in second

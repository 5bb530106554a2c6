"""A document's passages with an order are set apart; its others stay."""

from __future__ import annotations

from corpus.parsed import Parsed
from corpus.quarantine import sifted
from corpus.record import left_out, record
from corpus.split import Splitter
from tests.corpus.test_orders import ATTACK, LEAVE


def count(texts: object) -> list[int]:
    return [len(text.split()) for text in texts]  # type: ignore[attr-defined]


def cut_of(text: str):  # type: ignore[no-untyped-def]
    parsed = Parsed(None, "Leave", text, "text/plain")
    return parsed, Splitter(count, 24)(parsed)


def test_only_the_passage_with_the_order_is_held_and_people_are_told() -> None:
    text = f"{LEAVE}\n\n{ATTACK}\n\nThe portal is open on weekdays and closed on holidays."
    parsed, whole = cut_of(text)
    cut = sifted(whole, text)
    assert [ATTACK in one.passage.text for one in cut.held] == [True]
    assert len(cut.passages) == len(whole.passages) - 1
    assert text[cut.held[0].start : cut.held[0].end] == ATTACK
    assert "pilotfish quarantine" in left_out(cut)[0]
    stored = record("leave", "leave.txt", "0", parsed, cut)
    assert stored.held == cut.held and stored.warnings == tuple(left_out(cut))


def test_a_document_without_orders_is_cut_as_ever() -> None:
    _, whole = cut_of(LEAVE)
    assert sifted(whole, LEAVE) == whole and left_out(whole) == []

"""Rewriting of questions: spelling, abbreviations, what earlier turns named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.tokens import tokens
from pilotfish.types import Case, Question, Turn
from prompters.abbreviations import commonest, long_form, pairs
from prompters.rewrite import Rewrite, leans, names
from prompters.spelling import Spell, Vocabulary
from tests.store.made import document, fresh_database, put, with_collection

TEXT = (
    "The mitochondrial membrane activates protein kinases.\nProtein synthesis needs energy.\n"
    "Steven lived in Cambridge.\nProteins fold."
)


@pytest.fixture
def spell(tmp_path: Path) -> Spell:
    database = fresh_database(tmp_path)
    put(database, with_collection(database), document("d", TEXT))

    def known(terms: Sequence[str]) -> set[str]:
        return set(terms) & set(tokens(TEXT))

    return Spell(Vocabulary(database, "default"), known)


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("protien", "protein"),  # two letters swapped
        ("Energgy", "energy"),  # one doubled
        ("kinasess", "kinases"),
        ("mitochondral", "mitochondrial"),  # one lost
        ("mytochondrail", "mitochondrial"),  # two edits of a long word
        ("energies", None),  # its stem is known
        ("zebra", None),
        ("Protein", None),
        ("cat", None),  # too short
        ("蛋白质蛋白质", None),
    ],
)
def test_a_slip_becomes_the_nearest_word_of_the_collection(
    spell: Spell, slip: str, meant: str | None
) -> None:
    assert spell(f"What is {slip}?").get(slip.lower()) == meant


def test_of_equally_near_words_the_one_that_is_said_more_often_wins(tmp_path: Path) -> None:
    database = fresh_database(tmp_path)
    put(database, with_collection(database), document("d", "stone stone stone\nstore"))
    spell = Spell(Vocabulary(database, "default"), lambda terms: set())
    assert spell("stoxe") == {"stoxe": "stone"}


def test_a_changed_collection_has_other_words(tmp_path: Path) -> None:
    database = fresh_database(tmp_path)
    collection = with_collection(database)
    put(database, collection, document("d", "stone"))
    spell = Spell(Vocabulary(database, "default"), lambda terms: set())
    assert spell("lantren") == {}
    put(database, collection, document("e", "lantern"))
    assert spell("lantren") == {"lantren": "lantern"}


def test_the_question_stays_and_one_hint_holds_all_changes() -> None:
    turns = (Turn("user", "Who wrote Dubliners?"), Turn("assistant", "James Joyce."))
    step = Rewrite(lambda _: {"borm": "born"}, lambda short: ["World Health Organization"], True)
    done = step(Case(Question("Was he borm at the WHO?", turns=turns)))
    assert done.question.text == "Was he borm at the WHO?"
    text = "Was he born at the WHO? World Health Organization James Joyce Dubliners"
    assert [(hint.kind, hint.text) for hint in done.hints] == [("query", text)]
    assert set(done.notes) == {"spelling", "abbreviations", "turns"}


def test_where_nothing_is_to_be_said_anew_the_case_stays_as_it_is() -> None:
    case = Case(Question("Who wrote Dubliners?"))
    assert Rewrite(lambda _: {}, lambda _: [], True)(case) is case
    assert Rewrite()(case) is case


@pytest.mark.parametrize(
    ("turns", "question", "added"),
    [
        (["Who directed Jaws?", "Steven Spielberg."], "When was he born?",
         ["Steven Spielberg", "Jaws"]),
        (["Where is Oslo?", "In Norway."], "What about Bergen?", ["Norway", "Oslo"]),
        (["Where is Oslo?", "In Norway."], "Who is the mayor of Bergen in Norway today?", []),
        (["what is the refund policy?", "We repay " + "all of it " * 9], "and for shoes?",
         ["refund", "policy"]),
        (["Where is Oslo?", "In Norway.", "Is it big?", "Yes."], "How many live there?",
         ["Norway", "Oslo"]),
    ],
)  # fmt: skip
def test_what_leans_on_earlier_turns_gets_their_names(
    turns: list[str], question: str, added: list[str]
) -> None:
    roles = ("user", "assistant")
    told = tuple(Turn(roles[at % 2], text) for at, text in enumerate(turns))  # type: ignore[arg-type]
    done = Rewrite(turns=True)(Case(Question(question, turns=told)))
    assert [hint.text for hint in done.hints] == ([" ".join((question, *added))] if added else [])


def test_only_a_question_that_needs_it_leans() -> None:
    assert leans("When was she born?") and leans("And in winter?") and leans("How tall?")
    assert not leans("Which company built the bridge over the Tay?")


def test_names_are_runs_of_capitals_without_the_asking_words() -> None:
    assert names("Who was Queen Anne of Great Britain?") == ("Queen Anne of Great Britain",)
    assert names("when was it?") == ()


def test_definitions_are_read_as_schwartz_and_hearst_read_them() -> None:
    text = (
        "We used magnetic resonance imaging (MRI). The heat shock protein 70 (HSP70), and the "
        "World Health Organization (WHO; Geneva). See the table (left) and nothing (XYZ)."
    )
    assert pairs(text) == [
        ("MRI", "magnetic resonance imaging"), ("HSP70", "heat shock protein 70"),
        ("WHO", "World Health Organization"),
    ]  # fmt: skip


def test_the_first_letter_must_begin_a_word() -> None:
    found = long_form("HSF", "of the heat shock transcription factor")
    assert found == "heat shock transcription factor"
    assert long_form("ABC", "xa bd cd") is None


def test_the_commonest_long_form_comes_first() -> None:
    texts = ["acute pain (AP)", "action potential (AP) and", "an action potential (ap)"]
    assert commonest("AP", texts)[0] == "action potential"


def test_a_word_that_the_encoder_reads_in_one_piece_is_no_slip(spell: Spell) -> None:
    text = "The membrance was energy in stevens"
    assert spell(text) == {"membrance": "membrane"}
    assert spell("He was steve") == {"steve": "steven"}
    whole = replace(spell, pieces=lambda words: [1 + (word != "steve") for word in words])
    assert whole("He was steve") == {} and whole(text) == {"membrance": "membrane"}

"""Edges read out of prose: what a sentence says, of whom, and that nothing is said of nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.edge_forms import forms
from corpus.edges import read, subject_of, with_edges
from corpus.parsed import Parsed
from store.incoming import GRAPH
from tests.conftest import Pilotfish

Edge = tuple[str, str, str]


def edges(text: str, title: str = "") -> set[Edge]:
    found = with_edges(Parsed(None, title, text, "text/plain")).triples
    return {(one.subject, one.relation, one.object) for one in found}


def test_a_first_sentence_gives_dates_and_what_its_subject_is() -> None:
    text = "Ada Lund (3 May 1901 – 9 June 1980) was a Danish chemist. She was born in Aarhus."
    assert edges(text, "Ada Lund") >= {
        ("Ada Lund", "date of birth", "3 May 1901"),
        ("Ada Lund", "date of death", "9 June 1980"),
        ("Ada Lund", "is", "a Danish chemist"),
        ("Ada Lund", "nationality", "Danish"),
        ("Ada Lund", "place of birth", "Aarhus"),
    }


@pytest.mark.parametrize(
    ("sentence", "edge"),
    [("Red Sky is a film directed by French director Jo Bell.", ("Red Sky", "director", "Jo Bell")),
     ("Red Sky was written and directed by Jo Bell and Al Dee.", ("Red Sky", "director", "Al Dee")),
     ("Ingrith Vael manages the Service department.",
      ("Ingrith Vael", "manages", "Service department")),
     ("Ingrith Vael is the head of Sales.", ("Sales", "head", "Ingrith Vael")),
     ("The managing director of Fjord Ltd is Bo Dahl.",
      ("Fjord Ltd", "managing director", "Bo Dahl")),
     ("Bo Dahl reports to Ann Berg.", ("Bo Dahl", "reports to", "Ann Berg")),
     ("Fjord Ltd was founded in 1987 by Ann Berg.", ("Fjord Ltd", "founded by", "Ann Berg")),
     ("Bo Dahl was the father of actress Eva Dahl.", ("Eva Dahl", "father", "Bo Dahl")),
     ("Bo Dahl is married to the painter Ann Berg.", ("Bo Dahl", "spouse", "Ann Berg"))],
)  # fmt: skip
def test_a_sentence_says_its_edge(sentence: str, edge: Edge) -> None:
    assert edge in edges(sentence)


@pytest.mark.parametrize(
    "sentence",
    ["It was directed by Jo Bell.", "Lunch costs 9 euros.", "Who manages Sales?",
     "The film was directed by Vietnamese filmmakers.", ""],
)  # fmt: skip
def test_what_is_said_of_nobody_is_no_edge(sentence: str) -> None:
    assert edges(sentence) == set()


def test_a_pronoun_means_what_the_document_is_about_and_a_name_itself() -> None:
    assert subject_of("She was born in Oslo.", "Ada Lund") == "Ada Lund"
    assert subject_of("Lund was born in Oslo.", "Ada Lund") == "Ada Lund"
    assert subject_of("Bo Dahl was born in Oslo.", "Ada Lund") == "Bo Dahl"
    assert subject_of("She was born in Oslo.", "") == ""


def test_an_edge_lies_where_its_sentence_does() -> None:
    text = "A note.\n\nBo Dahl manages Sales. It is late."
    (edge,) = with_edges(Parsed(None, "", text, "text/plain")).triples
    assert text[edge.start : edge.end] == "Bo Dahl manages Sales."


def test_graphs_keep_their_own_edges_only() -> None:
    parsed = Parsed(None, "g", "Bo Dahl manages Sales.", GRAPH)
    assert with_edges(parsed) is parsed


def test_every_form_has_its_groups() -> None:
    assert len(forms()) > 30
    for form in forms():
        assert "o" in form.pattern.groupindex
        assert form.relation or {"r", "s"} <= set(form.pattern.groupindex)


def test_the_same_object_twice_is_one_edge() -> None:
    assert list(read("Bo Dahl reports to Bo Dahl.", "Bo Dahl")) == []
    assert len(edges("Bo Dahl manages Sales. Bo Dahl manages Sales.")) == 1


@pytest.fixture
def pilotfish(tmp_path: Path) -> Pilotfish:
    (tmp_path / "one.md").write_text("# Staff\n\nIngrith Vael manages Sales.\n")
    (tmp_path / "two.md").write_text("# Minutes\n\nIngrith Vael manages Sales. Lunch was late.\n")
    made = Pilotfish(tmp_path, tmp_path / ".pilotfish", {"PILOTFISH_EDGES": "prose"})
    made("add", "one.md", "two.md")
    return made


@pytest.mark.slow
def test_an_edge_of_prose_is_answered_and_cites_its_sentence(pilotfish: Pilotfish) -> None:
    found = pilotfish("ask", "--json", "--topic", "Sales", "Who manages it?").one
    assert found["values"] == ["Ingrith Vael"]
    assert {one["quote"] for one in found["citations"]} == {"Ingrith Vael manages Sales."}


@pytest.mark.slow
def test_an_edge_stays_while_one_document_says_it_and_then_is_gone(pilotfish: Pilotfish) -> None:
    pilotfish("remove", "one.md")
    found = pilotfish("ask", "--json", "--topic", "Sales", "Who manages it?").one
    assert [one["document"] for one in found["citations"]] == ["two.md"]
    pilotfish("remove", "two.md")
    gone = pilotfish("ask", "--json", "--topic", "Sales", "Who manages it?", code=None).one
    assert gone.get("values") in (None, [])


@pytest.mark.slow
def test_a_file_is_read_again_when_edges_are_wanted_now(tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("# Staff\n\nIngrith Vael manages Sales.\n")
    plain = Pilotfish(tmp_path, tmp_path / ".pilotfish")
    assert plain("add", "note.md", "--json").one.get("triples", 0) == 0
    with_prose = plain.having(PILOTFISH_EDGES="prose")
    with_prose("add", "note.md")
    (row,) = with_prose("search", "--json", "--kind", "triple", "Who manages Sales?").lines[:1]
    assert json.dumps(row["place"]["triple"]) == '["Ingrith Vael", "manages", "Sales"]'

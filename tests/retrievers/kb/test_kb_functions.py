"""KnowledGPT's three functions: known answers on a small graph, aliases, several graphs at once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pilotfish.types import Passage
from retrievers.graph.link import names_of
from retrievers.kb import functions
from retrievers.kb.entities import Base
from retrievers.kb.functions import Knowledge, related
from retrievers.kb.results import PlanFailed, Result, count, intersect, union
from tests.retrievers.graph.family import EDGES, family, words_apart

CITIES = [("Oslo", "twin town", "Malmö"), ("OSLO", "mayor", "Eva Lund"), ("Malmo", "size", "12")]


def base(name: str, edges: list[tuple[str, str, str]]) -> Base:
    graph = family(edges)
    return Base(name, graph, names_of(graph))


ONE = Knowledge((base("family", EDGES),), words_apart)
TWO = Knowledge((base("family", EDGES), base("cities", CITIES)), words_apart)


def told(result: Result) -> list[tuple[str, str, str]]:
    return [EDGES[edge - 1] for edge in result.edges]


def test_a_value_is_found_by_any_alias_and_carries_its_edge() -> None:
    found = ONE.find_entity_or_value(["B. Berg", "bo berg"], ["place of birth", "born"])
    assert found.values == ("Oslo",) and told(found) == [("Bo Berg", "born in", "Oslo")]
    assert 0 < found.sure <= 1 and "Bo Berg" in found.message


def test_nested_calls_carry_the_edges_of_the_whole_way() -> None:
    children = ONE.find_entity_or_value(["Anna Berg"], ["parent"])
    found = ONE.find_entity_or_value(children, ["born in"])
    assert set(found.values) == {"Oslo", "Bergen (Norway)"}
    assert [EDGES[e - 1] for e in found.ways["Oslo"]] == [
        ("Anna Berg", "parent", "Bo Berg"), ("Bo Berg", "born in", "Oslo"),
    ]  # fmt: skip


def test_a_relation_is_read_backwards_where_only_that_is_there_or_asked_for() -> None:
    assert ONE.find_entity_or_value(["Cleo Berg"], ["parent"]).values == ("Anna Berg",)
    found = ONE.find_entity_or_value(["Oslo"], ["born in [inverse]"])
    assert set(found.values) == {"Bo Berg", "Erik Dahl"}
    assert ONE.find_entity_or_value(["Oslo"], ["country [inverse]"]).values == ()


def test_several_relations_that_fit_about_as_well_are_kept() -> None:
    scores = related(["born", "spouse"], ["born in", "country", "spouse"], words_apart)
    assert set(scores) == {"born in", "spouse"}
    scores = related(["born in"], ["born in", "born in [inverse]", "country"], words_apart)
    assert list(scores) == ["born in"]


def test_information_is_the_entitys_own_edges_and_passages_that_mention_it() -> None:
    asked: list[str] = []

    def about(name: str) -> list[Passage]:
        asked.append(name)
        return [Passage(7, "Oslo is old.", "oslo.md", 0, 12)]

    found = Knowledge(ONE.bases, words_apart, about).get_entity_info(["oslo"])
    assert asked == ["Oslo"] and [p.id for p in found.passages] == [7]
    assert set(found.lines) == {"Oslo — country — Norway", "Bo Berg — born in — Oslo",
                                "Erik Dahl — born in — Oslo"}  # fmt: skip
    assert found.values == ("Oslo",) and len(found.edges) == 3


def test_relationships_are_direct_or_over_one_entity_between() -> None:
    found = ONE.find_relationship(["Bo Berg"], ["Dana Holm"])
    assert found.values == ("spouse",) and told(found) == [("Bo Berg", "spouse", "Dana Holm")]
    assert ONE.find_relationship(["Dana Holm"], ["Bo Berg"]).values == ("spouse [inverse]",)
    through = ONE.find_relationship(["Erik Dahl"], ["Norway"])
    assert through.values == ("born in → country",)
    assert told(through) == [("Erik Dahl", "born in", "Oslo"), ("Oslo", "country", "Norway")]
    assert ONE.find_relationship(["Anna Berg"], ["Sweden"]).values == ()


def test_several_graphs_are_asked_at_once_and_things_of_one_name_are_all_kept() -> None:
    home = TWO.find_entity_or_value(["Bo Berg"], ["born in"])
    assert TWO.find_entity_or_value(home, ["twin town"]).values == ("Malmö",)
    assert TWO.find_entity_or_value(["Oslo"], ["mayor"]).values == ("Eva Lund",)
    assert TWO.get_entity_info(["Malmö"]).values == ("Malmö", "Malmo")


@pytest.mark.parametrize(
    "call",
    [
        lambda: ONE.get_entity_info(["Zaphod"]),
        lambda: ONE.get_entity_info([]),
        lambda: ONE.find_entity_or_value(["Zaphod"], ["born in"]),
        lambda: ONE.find_entity_or_value(["Oslo"], ["favourite colour"]),
        lambda: ONE.find_entity_or_value(["Oslo"], []),
        lambda: ONE.find_relationship(["Oslo"], ["Zaphod"]),
        lambda: ONE.find_entity_or_value(ONE.get_entity_info(["Zaphod"]), ["born in"]),
        lambda: ONE.get_entity_info(["", " ", "?"]),
    ],
)
def test_what_is_not_found_is_empty_and_said_in_one_line(call) -> None:  # type: ignore[no-untyped-def]
    found = call()
    assert not found.values and not found.edges
    assert found.message and "\n" not in found.message


def test_results_are_met_joined_and_counted_by_their_names() -> None:
    a = Result("entities", {"Oslo": (1,), "Malmö": (2,)}, "a")
    b = Result("entities", {"malmo": (3,), "Bergen": (4,)}, "b", 0.5)
    assert intersect(a, b).ways == {"Malmö": (2, 3)} and intersect(a, b).sure == 0.5
    assert union(a, b).ways == {"Oslo": (1,), "Malmö": (2, 3), "Bergen": (4,)}
    assert count(union(a, b)).ways == {"3": (1, 2, 3, 4)}


def test_more_values_than_fit_are_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "VALUES", 1)
    with pytest.raises(PlanFailed, match="over 1: begin at fewer") as error:
        ONE.find_entity_or_value(["Oslo"], ["born in [inverse]"])
    assert error.value.code == "plan_too_large"


def test_what_no_graph_has_is_looked_for_in_texts() -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []
    text = Passage(7, "Bo Berg wears a green hat.", "d", 0, 26)

    def aspect(entity: str, aspects: Sequence[str]) -> list[Passage]:
        asked.append((entity, tuple(aspects)))
        return [text] if entity in text.text else []

    known = Knowledge(ONE.bases, words_apart, aspect=aspect)
    found = known.find_entity_or_value(["Bo Berg"], ["headgear"])
    assert found.values == () and found.passages == (text,) and "1 texts" in found.message
    assert known.find_entity_or_value(["Nobody"], ["headgear"]).passages == ()
    assert known.find_entity_or_value(["Bo Berg"], ["born in"]).passages == ()
    assert asked == [("Bo Berg", ("headgear",)), ("Nobody", ("headgear",))]

"""StructGPT's seven interfaces over a graph, a table and a schema; choices; several hops."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pilotfish.errors import InputError
from retrievers import structs
from retrievers.choose import Preselect, columns_for, named_in, ranked, tables_for
from retrievers.hops import read_hops
from retrievers.locked.nouns import Column, Join, Schema, Table
from retrievers.struct_sources import DatabaseSource, GraphSource, TableSource
from store.tables import StoredTable
from tests.retrievers.graph.family import EDGES, reader, words_apart

GRAPH = GraphSource.of(reader())
STOCK = TableSource(StoredTable(
    "stock.csv", "stock", "Stock by warehouse", ("Warehouse", "Item", "Units", "Price"),
    (("Oslo", "anvil", "1,200", "12.50"), ("Oslo", "rope", "90", "3.20"),
     ("Bergen", "lamp\nred", "45", "8.75")),
    (2, 3, 4), ((0, 9), (10, 19), (20, 29)),
))  # fmt: skip
SHOP = DatabaseSource(Schema(
    (
        Table("singer", (Column("id", "INT", key=True), Column("name", "TEXT"))),
        Table("concert", (Column("singer_id", "INT"), Column("year", "INT"))),
        Table("stadium", (Column("id", "INT", key=True), Column("capacity", "INT"))),
    ),
    (Join("concert", "singer_id", "singer", "id"),),
))  # fmt: skip


def test_an_entity_offers_its_relations_both_ways() -> None:
    found = structs.neighbour_relations(GRAPH, "Bo Berg")
    assert set(found) == {"spouse", "born in", "parent [inverse]"}


def test_the_triples_of_chosen_relations_are_edges_as_they_are_stored() -> None:
    found = structs.triples_of(GRAPH, "oslo", ["country", "born in [inverse]"])
    told = [(e.subject, e.relation, e.object) for e in found]
    assert told == [("Oslo", "country", "Norway"), ("Bo Berg", "born in", "Oslo"),
                    ("Erik Dahl", "born in", "Oslo")]  # fmt: skip
    assert [EDGES[e.id - 1] for e in found] == told
    assert structs.linearise(found).splitlines()[0] == "Oslo — country — Norway"


def test_columns_and_sub_tables_keep_the_rows_numbers() -> None:
    assert structs.column_names(STOCK) == ("Warehouse", "Item", "Units", "Price")
    assert structs.columns(STOCK, ["Item"]).rows == (("anvil",), ("rope",), ("lamp\nred",))
    part = structs.sub_table(STOCK, ["Price", "Item"], [4, 2])
    assert part.numbers == (4, 2)
    assert structs.linearise(part) == (
        "item 4: (Price, 8.75); (Item, lamp red)\nitem 2: (Price, 12.50); (Item, anvil)"
    )


def test_a_database_tells_its_tables_columns_and_foreign_keys() -> None:
    assert structs.tables_and_columns(SHOP)["concert"] == ("singer_id", "year")
    found = structs.tables_information(SHOP, ["concert", "singer"])
    assert structs.linearise(found).splitlines() == [
        "singer(id, name)", "concert(singer_id, year)", "concert.singer_id = singer.id",
    ]  # fmt: skip
    assert structs.tables_information(SHOP, ["stadium"]).joins == ()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: structs.neighbour_relations(GRAPH, "Nobody"), "no entity 'Nobody'"),
        (lambda: structs.triples_of(GRAPH, "Oslo", ["spouse"]), "'spouse'"),
        (lambda: structs.columns(STOCK, ["Colour"]), "'Colour': there are Warehouse"),
        (lambda: structs.sub_table(STOCK, ["Item"], [1]), "is 1: there are 2, 3, 4"),
        (lambda: structs.tables_information(SHOP, ["band"]), "no table is 'band'"),
        (lambda: structs.column_names(GRAPH), "is a graph: the interface reads a table"),
        (lambda: structs.neighbour_relations(STOCK, "x"), "reads a graph"),
        (lambda: GRAPH.read(["country"], "Oslo", [1]), "a graph has no rows"),
        (lambda: SHOP.read(["singer"], "", [1]), "no rows"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(call: Callable[[], object], told: str) -> None:
    with pytest.raises(InputError) as error:
        call()
    assert told in str(error.value) and "\n" not in str(error.value)


def test_the_small_model_keeps_the_names_that_the_question_speaks_of() -> None:
    names = ["spouse", "born in", "country", "parent [inverse]"]
    assert ranked("Where was @ born?", names, words_apart)[0].name == "born in"
    assert Preselect(words_apart, keep=1)("Who is the spouse of @?", names) == ["spouse"]
    assert Preselect(words_apart)("Why is the sky blue?", names) == []
    assert Preselect(words_apart)("", names) == []


def test_columns_and_tables_are_chosen_by_linking() -> None:
    assert "Price" in columns_for("What is the price of rope?", STOCK.table)
    assert len(columns_for("What is the price of rope?", STOCK.table)) <= 2
    assert tables_for("How large is the capacity of the stadium?", SHOP.schema)[0] == "stadium"


def test_an_llms_reply_is_read_leniently() -> None:
    names = ("born in", "country", "spouse")
    assert named_in("I would take BORN IN, then country.", names) == ["born in", "country"]


def test_several_hops_are_read_until_nothing_is_left_to_ask() -> None:
    hops = read_hops(GRAPH, "In which country was Bo Berg born?", "Bo Berg", words_apart)
    assert [hop.relations for hop in hops] == [("born in",), ("country",)]
    assert hops[-1].entities == ("Norway",)


def test_an_llm_may_choose_instead_and_ends_the_reading_by_choosing_none() -> None:
    said = iter([["parent"], ["spouse", "no such"], []])
    offers: list[tuple[str, ...]] = []

    def choose(question: str, names: object) -> list[str]:
        offers.append(tuple(names))  # type: ignore[arg-type]
        return next(said)

    hops = read_hops(GRAPH, "the spouses of Anna Berg's children", "Anna Berg", words_apart, choose)
    assert [hop.entities for hop in hops] == [("Bo Berg", "Cleo Berg"), ("Dana Holm", "Erik Dahl")]
    assert "parent [inverse]" not in offers[1] and "spouse [inverse]" not in offers[2]

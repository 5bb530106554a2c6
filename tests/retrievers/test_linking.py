"""Which columns a question keeps, and how the prompt shows them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from retrievers.linking import Value, link, parts, scored
from retrievers.locked.nouns import Column, Join, Schema, Table


def text(name: str, *samples: str, key: bool = False) -> Column:
    return Column(name, "TEXT", key, samples)


SHOP = Schema(
    (
        Table(
            "customers",
            (
                Column("customer_id", "INTEGER", True, ("1", "2")),
                text("full_name", "Ada Lovelace", "Alan O'Neill"),
                text("city", "Berlin", "San Francisco"),
                text("shoe_size", "41"),
                text("remarks", "-"),
            ),
        ),
        Table(
            "orders",
            (
                Column("order_id", "INTEGER", True, ("10",)),
                Column("customer_id", "INTEGER", samples=("1",)),
                text("totalPrice", "12.50"),
                text("shipped_on", "2024-05-01"),
                text("carrier", "Post"),
            ),
        ),
        Table("weather", (text("station", "Tegel"), text("rainfall"), text("wind"), text("sun"))),
    ),
    (Join("orders", "customer_id", "customers", "customer_id"),),
)


def test_named_columns_are_kept_with_the_keys_that_join_them() -> None:
    kept = link("What was the total price of orders shipped to Berlin?", SHOP).columns
    assert {("orders", "totalPrice"), ("orders", "shipped_on"), ("customers", "city")} <= set(kept)
    assert {("orders", "customer_id"), ("customers", "customer_id")} <= set(kept)


@pytest.mark.parametrize("keep", [0.0, 0.2, 0.5, 1.0])
def test_never_more_than_the_share_is_kept(keep: float) -> None:
    assert len(link("total price of orders in Berlin", SHOP, keep=keep).columns) <= keep * 14


def test_a_small_schema_may_be_kept_whole() -> None:
    assert len(link("rain", SHOP, at_least=99).columns) == 14


def test_a_value_in_the_question_is_found_and_shown_first() -> None:
    linked = link("orders by customers from san francisco", SHOP)
    assert Value("customers", "city", "San Francisco") in linked.values
    assert "city TEXT,  -- 'San Francisco', 'Berlin'" in linked.text


def test_one_word_of_a_value_counts_less_than_all_of_it() -> None:
    whole = link("orders of ada lovelace", SHOP)
    assert Value("customers", "full_name", "Ada Lovelace") in whole.values
    assert not link("orders of lovelace", SHOP).values
    assert ("customers", "full_name") in link("orders of lovelace", SHOP).columns


def test_words_that_mean_a_column_count() -> None:
    price = ("orders", "totalPrice")
    plain = scored("orders", SHOP)[price]
    for question in ("how much, orders", "the cheapest orders", "the most expensive orders"):
        assert scored(question, SHOP)[price] > plain


def test_the_encoder_is_asked_once_and_moves_columns_up() -> None:
    seen: list[int] = []

    def embed(texts: Sequence[str]) -> NDArray[np.float64]:
        seen.append(len(texts))
        return np.array([[1.0, 5.0 * (i == 0 or "rainfall" in t)] for i, t in enumerate(texts)])

    assert ("weather", "rainfall") not in link("was it wet?", SHOP, keep=0.1).columns
    assert link("was it wet?", SHOP, embed, keep=0.1).columns == (("weather", "rainfall"),)
    assert seen == [15]


def test_the_text_is_compact_and_quotes_what_needs_it() -> None:
    odd = Schema((Table("my sheet", (text("Total, net", "it's", "a\nb" + "c" * 90), text("n"))),))
    assert link("x", odd, keep=1.0).text == (
        'CREATE TABLE "my sheet" (\n'
        f"  \"Total, net\" TEXT,  -- 'it''s', 'a b{'c' * 37}'\n"
        "  n TEXT\n"
        ");"
    )


def test_joins_are_shown_as_foreign_keys() -> None:
    shown = link("price of orders and name of customers", SHOP, keep=1.0).text
    assert "FOREIGN KEY (customer_id) REFERENCES customers (customer_id)\n);" in shown


def test_names_come_apart_at_case_and_underscores() -> None:
    assert parts("homeTeam_ID2") == {"home", "team", "id", "2"}
    assert parts("HTTPServer") == {"http", "server"}


def test_the_same_question_gives_the_same_columns() -> None:
    assert link("who bought what?", SHOP) == link("who bought what?", SHOP)


def test_an_empty_schema_gives_nothing() -> None:
    linked = link("anything", Schema(()), lambda texts: np.ones((len(texts), 2)))
    assert linked.columns == () and linked.text == ""

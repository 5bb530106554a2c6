"""Which rows a query reads, held against SQLite's own row numbers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import duckdb
import pytest

from retrievers.locked.used import columns_said, rows_queries

ROWS = [(1, "oslo", 5), (2, "oslo", 9), (3, "bergen", 2), (4, "voss", 9)]
TOWNS = [(1, "oslo", "east"), (2, "bergen", "west"), (3, "voss", "west")]
READ: dict[str, dict[str, set[int]]] = {
    "SELECT city FROM shops WHERE n > 4": {"shops": {1, 2, 4}},
    "SELECT count(*) FROM shops WHERE city = 'oslo'": {"shops": {1, 2}},
    "SELECT city FROM shops ORDER BY n DESC, id LIMIT 1": {"shops": {2}},
    "SELECT city, n * 2 AS twice FROM shops ORDER BY twice, id LIMIT 2": {"shops": {3, 1}},
    "SELECT id, n FROM shops ORDER BY 2 LIMIT 1": {"shops": {3}},
    "SELECT city FROM shops WHERE n = (SELECT max(n) FROM shops)": {"shops": {2, 4}},
    "SELECT s.city FROM shops s JOIN towns t ON t.name = s.city WHERE t.side = 'west'": {
        "shops": {3, 4}, "towns": {2, 3},
    },
    "SELECT t.side, sum(s.n) FROM shops s, towns t WHERE s.city = t.name AND s.n > 4 "
    "GROUP BY t.side ORDER BY 2 DESC LIMIT 1": {"shops": {1, 2, 4}, "towns": {1, 3}},
    "WITH big AS (SELECT * FROM shops WHERE n > 4) SELECT count(*) FROM big": {"shops": {1, 2, 4}},
    "WITH big AS (SELECT city FROM shops WHERE n > 8) SELECT t.side FROM towns t JOIN big b "
    "ON b.city = t.name": {"towns": {1, 3}, "shops": {2, 4}},
    "SELECT count(*) FROM (SELECT DISTINCT city FROM shops WHERE n > 4) AS x": {
        "shops": {1, 2, 4},
    },
    "SELECT city FROM shops WHERE n = 2 UNION SELECT name FROM towns WHERE side = 'east'": {
        "shops": {3}, "towns": {1},
    },
    "SELECT a.city FROM shops a JOIN shops b ON a.city = b.city AND a.id < b.id": {"shops": {1, 2}},
    "SELECT city FROM shops GROUP BY city HAVING count(*) > 1": {"shops": {1, 2, 3, 4}},
}  # fmt: skip


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE shops (id INTEGER PRIMARY KEY, city TEXT, n INTEGER)")
    connection.execute("CREATE TABLE towns (id INTEGER PRIMARY KEY, name TEXT, side TEXT)")
    connection.executemany("INSERT INTO shops VALUES (?, ?, ?)", ROWS)
    connection.executemany("INSERT INTO towns VALUES (?, ?, ?)", TOWNS)
    yield connection
    connection.close()


@pytest.mark.parametrize("sql", READ)
def test_the_rows_that_a_query_reads_are_found(database: sqlite3.Connection, sql: str) -> None:
    database.execute(sql)  # it is a query
    found: dict[str, set[int]] = {}
    for one in rows_queries(sql, "sqlite", lambda table: ("id",), 50):
        found.setdefault(one.table, set()).update(i for (i,) in database.execute(one.sql))
    assert found == READ[sql]


def test_a_part_that_wears_a_tables_name_reads_that_table() -> None:  # SQLite refuses it
    with duckdb.connect(":memory:") as connection:
        connection.execute("CREATE TABLE shops (id INTEGER, n INTEGER)")
        connection.execute("INSERT INTO shops VALUES (1, 5), (2, 9), (4, 9)")
        sql = "WITH shops AS (SELECT * FROM shops WHERE n > 8) SELECT count(*) FROM shops"
        (one,) = rows_queries(sql, "duckdb", lambda table: ("id",), 50)
        assert {i for (i,) in connection.execute(one.sql).fetchall()} == {2, 4}


def test_what_cannot_be_read_has_no_rows() -> None:
    assert rows_queries("SELECT FROM WHERE", "sqlite", lambda table: ("id",), 50) == []
    assert rows_queries("SELECT 1", "sqlite", lambda table: ("id",), 50) == []
    assert rows_queries("SELECT a FROM t", "sqlite", lambda table: (), 50) == []


def test_the_columns_that_a_query_speaks_of_are_told() -> None:
    assert columns_said('SELECT "City", count(*) FROM t WHERE n > 2', "duckdb") == {"city", "n"}
    assert columns_said("SELECT * FROM t WHERE n > 2", "duckdb") == {"*", "n"}
    assert columns_said("no query (", "duckdb") == frozenset()

"""Databases that are read where they lie, a DuckDB file or a Postgres: schema, values, errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest

from pilotfish.errors import InputError, NotFound
from retrievers.locked.nouns import Database, QueryFailed
from retrievers.locked.reader import Reader
from tests.retrievers.locked.made_databases import SHOP, reading, running
from tests.service.servers import Postgres

pytestmark = pytest.mark.slow
JOINED = """SELECT c.name, sum(o.total) AS spent FROM customers c JOIN orders o ON o.customer = c.id
GROUP BY c.name ORDER BY spent DESC"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    other = """CREATE SCHEMA "Other"; CREATE TABLE "Other"."Odd Name" ("a b" INT);
        CREATE ROLE reads LOGIN; GRANT USAGE ON SCHEMA "Other" TO reads;
        GRANT SELECT ON customers, orders, "Other"."Odd Name" TO reads"""
    with running(tmp_path_factory.mktemp("server"), SHOP, other) as made:
        yield made


@pytest.fixture(scope="module", params=["duckdb_file", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Database:
    if request.param == "postgres":
        found: Postgres = request.getfixturevalue("server")
        return Database("postgres", url=reading(found))
    path = tmp_path_factory.mktemp("duck") / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(SHOP)
    return Database("duckdb_file", path)


def test_keys_joins_and_values_are_read_from_the_place_itself(shop: Database) -> None:
    with Reader(shop) as reader:
        schema = reader.schema
    tables = {table.name: {c.name: c for c in table.columns} for table in schema.tables}
    assert set(tables) == {"customers", "orders"}
    assert tables["customers"]["id"].key and not tables["customers"]["name"].key
    assert set(tables["customers"]["name"].samples) == {"Anna Berg", "Ben Ode"}
    (join,) = [one for one in schema.joins if one.declared]
    assert (join.table, join.column, join.to_table, join.to_column) == (
        "orders", "customer", "customers", "id",
    )  # fmt: skip


def test_a_join_is_answered_in_plain_cells(shop: Database) -> None:
    with Reader(shop) as reader:
        assert reader.run(JOINED).rows == (("Ben Ode", 99.9), ("Anna Berg", 19.5))
        rows = reader.run("SELECT number, paid, note FROM orders ORDER BY number").rows
        assert rows == ((10, True, None), (11, False, ""), (12, True, "a"))
        assert reader.run("SELECT min(since) FROM customers").rows == (("2019-03-01",),)


def test_more_rows_than_a_message_holds_come_all_the_same(server: Postgres) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE many AS SELECT i FROM generate_series(1, 5000) i;"
                           "GRANT SELECT ON many TO reads")  # fmt: skip
    with Reader(Database("postgres", url=reading(server))) as reader:
        found = reader.run("SELECT i FROM many ORDER BY i")
        assert found.truncated and [row[0] for row in found.rows] == [*range(1, 1001)]
        assert reader.run("SELECT sum(i) FROM many").rows == ((12502500,),)


def test_only_what_was_granted_is_there(shop: Database) -> None:
    narrow = Database(
        shop.engine, shop.path, granted=frozenset({"customers"}), url=shop.url, schema=shop.schema
    )
    with Reader(narrow) as reader:
        assert [table.name for table in reader.schema.tables] == ["customers"]
        with pytest.raises(QueryFailed, match="there is no table 'orders'"):
            reader.run("SELECT * FROM orders")


def test_another_schema_can_be_named(server: Postgres) -> None:
    with Reader(Database("postgres", url=reading(server), schema="Other")) as reader:
        assert [table.name for table in reader.schema.tables] == ["Odd Name"]
        assert reader.run('SELECT count("a b") FROM "Odd Name"').rows == ((0,),)
        with pytest.raises(QueryFailed):
            reader.run("SELECT * FROM customers")


def test_a_superuser_is_refused(server: Postgres) -> None:
    with (
        pytest.raises(InputError, match=r"superuser.*role may only SELECT"),
        Reader(Database("postgres", url=server.url)) as reader,
    ):
        _ = reader.schema


def test_a_server_that_is_away_is_said_in_one_line() -> None:
    with (
        pytest.raises(InputError, match="cannot be opened") as caught,
        Reader(Database("postgres", url="postgresql://reads@127.0.0.1:1/none")) as reader,
    ):
        _ = reader.schema
    assert "\n" not in str(caught.value)


def test_a_file_that_is_written_to_or_none_is_said(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with (
        duckdb.connect(str(path)) as connection,
        pytest.raises(InputError, match="another process is writing"),
    ):
        connection.execute(SHOP)
        _ = Reader(Database("duckdb_file", path)).schema
    with pytest.raises(NotFound, match="is no file"):
        _ = Reader(Database("duckdb_file", tmp_path / "none.duckdb")).schema
    other = tmp_path / "text.duckdb"
    other.write_text("no database at all")
    with pytest.raises(InputError, match="cannot be opened"):
        _ = Reader(Database("duckdb_file", other)).schema


def test_the_file_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(SHOP)
    before = path.read_bytes()
    with Reader(Database("duckdb_file", path)) as reader:
        reader.run(JOINED)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["shop.duckdb"]


def counted(server: Postgres, query: str) -> int:
    with psycopg.connect(server.url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_no_transaction_stays_open_and_a_lost_connection_is_made_anew(server: Postgres) -> None:
    idle = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
    with Reader(Database("postgres", url=reading(server))) as reader:
        with pytest.raises(QueryFailed, match="division by zero"):
            reader.run("SELECT number / 0 FROM orders")
        assert counted(server, idle) == 0
        many = "SELECT count(*) FROM orders a, orders b"
        assert reader.run(many).rows == ((9,),)
        crossed = ", ".join(f"orders o{n}" for n in range(7))
        assert reader.run(f"SELECT o1.number FROM {crossed}").truncated
        assert counted(server, idle) == 0
        counted(server, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                        "WHERE usename = 'reads'")  # fmt: skip
        assert reader.run(many).rows == ((9,),)


def test_a_backslash_is_what_the_parser_takes_it_for(server: Postgres) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE legacy LOGIN; GRANT SELECT ON customers TO legacy;"
                           "ALTER ROLE legacy SET standard_conforming_strings = off")  # fmt: skip
    url = server.url.replace("postgres@", "legacy@")
    with Reader(Database("postgres", url=url)) as reader:
        found = reader.run("SELECT '\\' AS a, ' , pg_sleep(9), name FROM customers --' AS b "
                           "FROM customers")  # fmt: skip
    assert found.columns == ("a", "b") and found.seconds < 3


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT c.vault AS vault FROM customers c",
        "SELECT c.row_to_json AS row_to_json FROM customers c",
        "SELECT c AS c FROM customers c",
        "SELECT user AS user FROM customers",
        "SELECT current_role AS current_role FROM customers",
        "SELECT c.f FROM customers c, (SELECT 1 AS f) c",
        "SELECT s.row_to_json FROM (SELECT name FROM customers) s",
        "SELECT * FROM (WITH orders AS (SELECT 1 AS name) SELECT name FROM orders) x, orders",
        "WITH a AS (SELECT * FROM orders), orders AS (SELECT 1 AS name) SELECT * FROM a",
        'SELECT * FROM "Customers"',
    ],
)
def test_a_name_that_means_something_else_is_refused(server: Postgres, sql: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("""CREATE OR REPLACE FUNCTION vault(customers) RETURNS text LANGUAGE sql
            VOLATILE SECURITY DEFINER AS 'SELECT ''xyzzy'''; CREATE TABLE IF NOT EXISTS
            "Customers" (word TEXT); GRANT SELECT ON "Customers" TO reads""")
    granted = frozenset({"customers"})
    database = Database("postgres", url=reading(server), granted=granted)
    with Reader(database) as reader, pytest.raises(QueryFailed) as caught:
        reader.run(sql)
    assert caught.value.code == "sql_refused"


def test_names_with_dots_that_are_columns_are_fine(server: Postgres) -> None:
    with Reader(Database("postgres", url=reading(server))) as reader:
        for sql in (
            "SELECT C.name, sum(O.total) FROM Customers C JOIN orders O ON O.customer = C.id "
            "GROUP BY C.name ORDER BY sum(O.total)",
            "SELECT s.n FROM (SELECT name AS n FROM customers) s WHERE s.n LIKE 'A%'",
            "WITH big AS (SELECT * FROM orders WHERE total > 9) SELECT b.number FROM big b "
            "JOIN customers c ON c.id = b.customer ORDER BY b.number",
            "SELECT customers.name FROM customers WHERE customers.id = 1",
            "SELECT q.m FROM (SELECT max(total) AS m FROM orders) q",
        ):
            assert reader.run(sql).rows, sql


def test_a_view_that_reads_files_or_is_broken_tells_nothing_and_harms_nothing(
    tmp_path: Path, server: Postgres
) -> None:
    path = tmp_path / "views.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE plain (a INT); INSERT INTO plain VALUES (7);"
                           "CREATE TABLE gone (b INT); CREATE VIEW lost AS SELECT * FROM gone;"
                           "CREATE VIEW pw AS SELECT content FROM read_text('/etc/passwd');"
                           "CREATE TABLE moments AS SELECT now() AS t;"
                           "DROP TABLE gone")  # fmt: skip
    with Reader(Database("duckdb_file", path)) as reader:
        assert "root:" not in str(reader.schema) and "plain" in str(reader.schema)
        assert reader.run("SELECT a FROM plain").rows == ((7,),)
        assert "20" in str(reader.run("SELECT t FROM moments").rows[0][0])
    other = tmp_path / "views.sqlite"
    with sqlite3.connect(other) as made:
        made.executescript("CREATE TABLE plain (a INT); INSERT INTO plain VALUES (7);"
                           "CREATE TABLE gone (b INT); CREATE VIEW lost AS SELECT * FROM gone;"
                           "DROP TABLE gone")  # fmt: skip
    made.close()
    with Reader(Database("sqlite", other)) as reader:
        assert [table.name for table in reader.schema.tables] == ["plain"]
    with psycopg.connect(server.url, autocommit=True) as postgres:
        postgres.execute("CREATE VIEW broken AS SELECT 1 / (id - 1) AS x FROM customers;"
                         "GRANT SELECT ON broken TO reads")  # fmt: skip
    with Reader(Database("postgres", url=reading(server))) as reader:
        assert "broken" in [table.name for table in reader.schema.tables]
        assert reader.run("SELECT count(*) FROM customers").rows == ((2,),)

"""Databases that are asked where they lie, through the whole line: attached, asked, cited, gone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pilotfish.types import Cells
from retrievers.attached import Attached
from store.workspace import open_workspace
from tests.conftest import Pilotfish
from tests.llm_server import LLMServer
from tests.retrievers.locked.made_databases import READS, SHOP, reading, running
from tests.service.servers import Postgres

pytestmark = pytest.mark.slow
ENGINES = ("sqlite", "duckdb_file", "postgres")
SPENT = "What is the total that customer Ben Ode spent on his orders?"
SQL = """SELECT sum(o.total) AS spent FROM orders AS o JOIN customers AS c ON o.customer = c.id
WHERE c.name = 'Ben Ode'"""
DIALECT = {"sqlite": "SQLite", "duckdb_file": "DuckDB", "postgres": "PostgreSQL"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    grant = f"CREATE ROLE {READS} LOGIN; GRANT SELECT ON customers, orders TO {READS}"
    with running(tmp_path_factory.mktemp("server"), SHOP, grant) as made:
        yield made


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def place(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> str:
    if engine == "postgres":
        found: Postgres = request.getfixturevalue("server")
        return reading(found)
    return str(shop_file(engine, tmp_path_factory.mktemp("shop")))


def shop_file(engine: str, folder: Path) -> Path:
    path = folder / f"shop.{engine}"
    if engine == "sqlite":
        connection = sqlite3.connect(path)
        connection.executescript(SHOP)
        connection.close()
    else:
        with duckdb.connect(str(path)) as made:
            made.execute(SHOP)
    return path


@pytest.fixture(scope="module")
def pilotfish(engine: str, place: str, tmp_path_factory: pytest.TempPathFactory) -> Pilotfish:
    folder = tmp_path_factory.mktemp("attached")
    (folder / "note.md").write_text("# Holidays\n\nThe office is closed on 17 May.\n")
    made = Pilotfish(folder, folder / ".pilotfish")
    made("add", "note.md")
    told = made("attach", "shop", place, "--json").one
    assert told["engine"] == engine and set(told["tables"]) == {"customers", "orders"}
    return made


@pytest.fixture
def asked(pilotfish: Pilotfish) -> Iterator[Callable[..., dict[str, Any]]]:
    servers: list[LLMServer] = []

    def ask(reply: str, question: str = SPENT, *more: str) -> dict[str, Any]:
        server = LLMServer(respond=lambda messages: reply)
        server.__enter__()
        servers.append(server)
        found: dict[str, Any] = pilotfish.asking(server)("ask", "--json", *more, question).one
        found["sent"] = [one.body["messages"] for one in server.requests]
        return found

    yield ask
    for one in servers:
        one.__exit__(None, None, None)


def test_a_question_about_it_becomes_sql_and_cites_the_rows_it_read(
    asked: Callable[..., dict[str, Any]], engine: str
) -> None:
    found = asked(f"```sql\n{SQL}\n```")
    assert found["values"] == ["99.9"] and found["model"] == "sql"
    assert found["receipt"]["llm_calls"] == 1 == len(found["sent"])
    cited = {one["table"]: one for one in found["citations"]}
    assert cited["customers"]["columns"] == ["id", "name"]
    assert cited["customers"]["values"] == [["2", "Ben Ode"]]
    assert cited["orders"]["values"] == [["12", "2", "99.9"]]
    assert cited["orders"]["document"] == "shop"
    system, user = (message["content"] for message in found["sent"][0])
    assert DIALECT[engine] in system and "customers" in user and "'Ben Ode'" in user


def test_it_may_be_named_by_the_caller(asked: Callable[..., dict[str, Any]]) -> None:
    sql = "SELECT name FROM customers ORDER BY since LIMIT 1"
    for name in ("shop", "shop.customers"):
        found = asked(sql, "Who came first?", "--table", name)
        assert found["values"] == ["Anna Berg"]
        assert found["citations"][0]["values"] == [["1", "Anna Berg", "2019-03-01"]]


def test_a_question_about_the_documents_is_not_asked_of_it(
    asked: Callable[..., dict[str, Any]],
) -> None:
    found = asked("The office is closed on 17 May.", "When is the office closed?")
    assert found["model"] != "sql" and "CREATE TABLE" not in json.dumps(found["sent"])


@pytest.mark.parametrize(
    "sql", ["DROP TABLE orders", "SELECT * FROM no_such", "SELECT pg_sleep(100)", "NONE"]
)
def test_what_may_not_run_is_an_abstention(asked: Callable[..., dict[str, Any]], sql: str) -> None:
    found = asked(sql)
    assert found["status"] == "abstained" and found["receipt"]["llm_calls"] == 1


def test_batch_lines_may_name_it(pilotfish: Pilotfish) -> None:
    source = pilotfish.folder / "in.jsonl"
    source.write_text(json.dumps({"id": "a", "question": "Who spent most?", "table": "shop"}))
    sql = ("SELECT c.name FROM customers c JOIN orders o ON o.customer = c.id "
           "GROUP BY c.name ORDER BY sum(o.total) DESC LIMIT 1")  # fmt: skip
    with LLMServer(respond=lambda messages: sql) as server:
        pilotfish.asking(server)("batch", source, "-o", "out.jsonl")
    (line,) = map(json.loads, (pilotfish.folder / "out.jsonl").read_text().splitlines())
    assert line["values"] == ["Ben Ode"] and line["status"] == "answered"


def test_what_an_outer_join_found_nothing_for_is_no_row(
    asked: Callable[..., dict[str, Any]],
) -> None:
    sql = ("SELECT c.name, count(o.number) AS n FROM customers c LEFT JOIN orders o "
           "ON o.customer = c.id AND o.total > 50 GROUP BY c.name ORDER BY n LIMIT 1")  # fmt: skip
    found = asked(sql, "Which customer has fewest large orders?", "--table", "shop")
    assert found["values"] == ["Anna Berg, 0"] and found["status"] == "answered"
    second = asked("SELECT name FROM customers ORDER BY since LIMIT 1 OFFSET 1", "Who was second?",
                   "--table", "shop")  # fmt: skip
    assert second["citations"][0]["values"] == [["2", "Ben Ode", "2021-07-15"]]


def test_cited_rows_are_read_again_cell_by_cell(pilotfish: Pilotfish) -> None:
    workspace = open_workspace(pilotfish.workspace, create=False, url=None)
    attached = Attached(workspace.database, "default")
    columns = ("number", "customer", "total", "paid", "note")
    rows = (
        ("10", "1", "12.5", "yes", ""),
        ("11", "1", "7", "no", ""),
        ("12", "2", "99.9", "yes", "a"),
    )
    if attached.known()[0].engine == "sqlite":  # it has no type for yes and no
        rows = tuple((*row[:3], {"yes": "1", "no": "0"}[row[3]], row[4]) for row in rows)
    for names, values, there in (
        (columns, rows, True),
        (columns[1:], tuple(row[1:] for row in rows), True),  # without its key
        (columns, ((*rows[0][:2], "12.6", *rows[0][3:]),), False),
        (columns, (("13", *rows[0][1:]),), False),
        (("number", "gone"), (("10", "1"),), False),
    ):
        assert attached.stands(Cells("shop", "orders", (), names, values)) is there, values
    assert not attached.stands(Cells("none", "orders", (), columns, rows))
    attached.close()


def test_a_list_shows_it_and_a_detached_one_is_not_asked(pilotfish: Pilotfish, place: str) -> None:
    assert pilotfish("attach", "other", place, "--table", "customers", "--json").one["granted"] == [
        "customers"
    ]
    assert [one["name"] for one in pilotfish("attached", "--json").lines] == ["other", "shop"]
    pilotfish("detach", "other")
    assert "no table 'other'" in pilotfish("ask", "--table", "other", "Who?", code=8).err
    assert "there are shop" in pilotfish("detach", "other", code=8).err


def test_a_table_that_it_does_not_have_is_told(pilotfish: Pilotfish) -> None:
    told = pilotfish("ask", "--table", "shop.none", "Who?", code=8).err
    assert "there are customers, orders" in told


def test_what_cannot_be_attached_is_one_line_with_a_mend(tmp_path: Path) -> None:
    own = Pilotfish(tmp_path, tmp_path / ".pilotfish")
    (tmp_path / "note.md").write_text("The harbour opens at seven.\n")
    own("add", "note.md")
    shop = shop_file("sqlite", tmp_path)
    for arguments, code, told in (
        (("x", "none.sqlite"), 8, "no file"),
        (("x", "note.md"), 4, "pilotfish add"),
        (("a b", shop), 4, "no name"),
        (("note.md", shop), 4, "no name"),
        (("x", shop, "--table", "gone"), 4, "no table 'gone'"),
        (("x", "postgresql://reads:secret@host/db"), 4, ".pgpass"),
        (("x", "postgresql://reads:sec#secret@host/db"), 4, ".pgpass"),
        (("x", "postgresql://host/db?passwor%64=secret"), 4, ".pgpass"),
        (("x", "postgresql://reads@127.0.0.1:1/db"), 4, "cannot be opened"),
    ):
        done = own("attach", *arguments, code=code)
        assert told in done.err and "secret" not in done.err and len(done.err.splitlines()) == 2


def test_a_collection_of_nothing_but_a_database_is_asked(tmp_path: Path) -> None:
    own = Pilotfish(tmp_path, tmp_path / ".pilotfish")
    told = own("attach", "shop", shop_file("duckdb_file", tmp_path))
    assert "attached shop: 2 tables, 8 columns" in told.out and "no LLM" in told.err
    with LLMServer(respond=lambda messages: SQL) as server:
        assert own.asking(server)("ask", "--json", SPENT).one["values"] == ["99.9"]
        shown = own.asking(server)("ask", SPENT).out
    assert "shop, customers, 1 row of it" in shown and "name: Ben Ode" in shown


def test_one_that_went_away_is_told_and_the_rest_is_answered(tmp_path: Path) -> None:
    own = Pilotfish(tmp_path, tmp_path / ".pilotfish")
    (tmp_path / "note.md").write_text("# Holidays\n\nThe office is closed on 17 May.\n")
    shop = shop_file("sqlite", tmp_path)
    own("add", "note.md")
    own("attach", "shop", shop)
    shop.unlink()
    assert "is no file" in own("ask", "--table", "shop", "Who?", code=None).err
    with LLMServer(respond=lambda messages: "The office is closed on 17 May.") as server:
        found = own.asking(server)("ask", "--json", "When is the office closed?").one
    assert found["citations"][0]["document"] == "note.md"


def test_views_long_texts_and_big_numbers_are_read_again_too(tmp_path: Path) -> None:
    path = tmp_path / "odd.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        """CREATE TABLE facts (name TEXT, said TEXT, big REAL, small REAL);
        CREATE VIEW totals AS SELECT name, big * 2 AS twice, length(said) AS size FROM facts;
        CREATE TABLE pairs (a INTEGER, b INTEGER, "odd name" TEXT, PRIMARY KEY (a, b))"""
    )
    long = "word " * 3000
    connection.execute("INSERT INTO facts VALUES ('x', ?, 12345678901.25, 0.1 + 0.2)", (long,))
    connection.execute("INSERT INTO pairs VALUES (1, 2, 'it''s'), (1, 3, NULL)")
    connection.execute("CREATE TABLE staff (id INTEGER PRIMARY KEY, who TEXT, pay REAL)")
    connection.executemany("INSERT INTO staff VALUES (?, ?, ?)",
                           [(n, f"p{n}", 123456780.99 + n) for n in range(1, 901)])  # fmt: skip
    connection.commit()
    connection.close()
    own = Pilotfish(tmp_path, tmp_path / ".pilotfish")
    own("attach", "odd", path)
    for sql, answer in (
        ("SELECT twice FROM totals WHERE name = 'x'", "24691357802.5"),
        ("SELECT big, small, said FROM facts", None),
        ('SELECT "odd name" FROM pairs WHERE b = 2', "it's"),
        ("SELECT count(*) FROM pairs WHERE a = 1", "2"),
        ("SELECT size FROM totals", "15000"),
        ("SELECT s.who FROM (SELECT * FROM staff) s WHERE s.id = 777", "p777"),
        ("SELECT pay FROM staff WHERE id = 9", "123456789.99"),
    ):
        with LLMServer(respond=lambda messages, sql=sql: sql) as server:  # type: ignore[misc]
            found = own.asking(server)("ask", "--json", "--table", "odd", "What is it?").one
        assert found["status"] == "answered", (sql, found["trace"])
        assert answer is None or found["values"] == [answer]
        if answer == "p777":  # of hundreds of rows that were read, the one that says it
            assert found["citations"][0]["values"] == [["777", "p777", "123457557.99"]]

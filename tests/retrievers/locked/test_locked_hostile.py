"""Hostile SQL on every engine: a typed line each, nothing read, nothing written, nothing left."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pilotfish.errors import InputError
from retrievers.locked.nouns import Database, QueryFailed
from retrievers.locked.reader import Child, Reader
from tests.retrievers.locked.hostile_sql import DEEP, REFUSED, STOPPED
from tests.retrievers.locked.made_databases import HONEST, HONEST_ROWS, MADE, TIGHT, in_postgres

pytestmark = pytest.mark.slow
BYPASSING_SQLITE = (
    "SELECT * FROM secret",
    "SELECT count(*) FROM secret",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM pragma_table_info('secret')",
    "SELECT * FROM json_each('[1]')",
    "SELECT count(*) FROM json_each('[1]')",
    "SELECT * FROM papers",
    "SELECT load_extension('/tmp/x.so')",
    "SELECT zeroblob(1000000000)",
    "INSERT INTO sales VALUES (1000, 'x', 1, 'x')",
    "DROP TABLE sales",
    "PRAGMA query_only = OFF",
    "ATTACH '/tmp/hostile-sql-x.db' AS x",
    "VACUUM INTO '/tmp/hostile-sql-stolen'",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "SELECT 1; SELECT 2",
)
BYPASSING_DUCKDB = (
    "SELECT * FROM secret",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM given",  # a name in the child's Python
    "COPY sales TO '/tmp/hostile-sql-stolen'",
    "EXPORT DATABASE '/tmp/hostile-sql-stolen'",
    "ATTACH '/tmp/hostile-sql-x.db' AS x",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '100GB'",
    "SET enable_external_access = true",
    "DROP TABLE sales",
    "CREATE TABLE x AS SELECT 1",
    "WITH x AS (INSERT INTO sales SELECT * FROM sales RETURNING 1) SELECT * FROM x",
    "SELECT length(repeat('x', 3000000000))",
    "SELECT length(list(range)::VARCHAR) FROM range(1000000000)",
    "SELECT getenv('HOME')",
    "SELECT 1; SELECT 2",
)
# Its role may read sales, and no more: the server says so, whatever reaches it.
BYPASSING_POSTGRES = (
    "SELECT * FROM secret",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT nextval('counter')",
    "SELECT pg_sleep(100)",
    "SELECT 1; SELECT 2",
    "SELECT 1; COMMIT; DROP TABLE sales",
    "INSERT INTO sales VALUES (1000, 'x', 1, '2024-01-01')",
    "WITH x AS (DELETE FROM sales RETURNING 1) SELECT * FROM x",
    "SELECT * INTO stolen FROM sales",
    "DROP TABLE sales",
    "SELECT * FROM sales FOR UPDATE",
    "COPY sales TO '/tmp/hostile-sql-stolen'",
    "SELECT repeat('x', 2000000000)",
    "SELECT string_agg(a.t || b.t || c.t, ',') FROM numbers a, numbers b, numbers c",
    "SELECT count(*) FROM generate_series(1, 100000000000)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
)
BYPASSING = {
    "sqlite": BYPASSING_SQLITE,
    "duckdb": BYPASSING_DUCKDB,
    # it holds the table that was not granted: only the parser keeps that away
    "duckdb_file": ("SELECT * FROM stolen()", *BYPASSING_DUCKDB[1:]),
    "postgres": BYPASSING_POSTGRES,
}


@pytest.fixture(scope="module", params=[*sorted(MADE), "postgres"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("company")
    if request.param in MADE:
        yield MADE[request.param](folder)
        return
    with in_postgres(folder) as made:
        yield made


@pytest.fixture(scope="module")
def reader(database: Database) -> Iterator[Reader]:
    with Reader(database, TIGHT) as reader:
        yield reader


def failure(reader: Reader, sql: str) -> QueryFailed:
    with pytest.raises(InputError) as caught:
        reader.run(sql)
    assert isinstance(caught.value, QueryFailed)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
    assert "xyzzy" not in str(caught.value)
    return caught.value


def gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_is_no_plain_reading_is_refused(reader: Reader, number: int) -> None:
    assert failure(reader, REFUSED[number]).code == "sql_refused", REFUSED[number][:80]


@pytest.mark.parametrize("number", range(len(STOPPED)))
def test_what_costs_too_much_is_stopped_and_the_next_query_works(
    database: Database, reader: Reader, number: int
) -> None:
    reader.run(HONEST)
    if database.engine == "postgres" and STOPPED[number] is DEEP:
        assert reader.run(DEEP).rows == ((2401,),)  # no depth at all to Postgres
        return
    group, begun = reader.pid, time.monotonic()
    error = failure(reader, STOPPED[number])
    assert time.monotonic() - begun < 3
    assert error.code in {"sql_too_slow", "sql_too_much_memory", "sql_too_large", "sql_error"}
    assert group and (error.code == "sql_error" or gone(group))
    assert reader.run(HONEST).rows == HONEST_ROWS


def test_there_is_nothing_new_afterwards(database: Database, reader: Reader) -> None:
    assert reader.run(HONEST).rows == HONEST_ROWS
    assert not list(Path("/tmp").glob("hostile-sql-*"))
    if database.path is not None:
        assert [one.name for one in database.path.parent.iterdir()] == [database.path.name]
    if database.engine == "sqlite":
        with sqlite3.connect(database.path) as connection:
            assert connection.execute("SELECT count(*) FROM secret").fetchone() == (1,)
        connection.close()


def test_what_passes_the_guard_by_meets_a_second_wall(database: Database) -> None:
    hostile = BYPASSING[database.engine]
    child = Child(database, TIGHT)
    try:
        for sql in hostile:
            if child.idle_for() == float("inf"):
                child.end()
                child = Child(database, TIGHT)
            reply = child.ask({"sql": sql}, 3)
            assert "failed" in reply, (sql, reply)
            assert "xyzzy" not in str(reply) and "root:" not in str(reply)
    finally:
        child.end()
    assert not list(Path("/tmp").glob("hostile-sql-*"))


def test_what_a_read_only_transaction_lets_through_is_rolled_back(tmp_path: Path) -> None:
    with in_postgres(tmp_path) as database:
        child = Child(database, TIGHT)
        off = "SELECT set_config('default_transaction_read_only', 'off', false)"
        try:  # Postgres 15 makes large objects there, 16 does not
            for sql in ("SELECT lo_create(0)", off):
                child.ask({"sql": sql}, 3)
        finally:
            child.end()
        with Reader(database, TIGHT) as reader:
            assert reader.run(HONEST).rows == HONEST_ROWS
        with psycopg.connect(database.url) as connection:
            count = connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone()
        assert count == (0,)


def test_the_group_is_gone_when_the_reader_is_closed(database: Database) -> None:
    with Reader(database, TIGHT) as reader:
        reader.run(HONEST)
        group = reader.pid
        assert group and not gone(group)
    assert gone(group)


def test_the_child_has_no_files_to_open_and_a_network_of_its_own(database: Database) -> None:
    with Reader(database, TIGHT) as reader:
        reader.run(HONEST)
        limits = Path(f"/proc/{reader.pid}/limits").read_text()
        network = os.readlink(f"/proc/{reader.pid}/ns/net")
    most = "1" if database.engine == "postgres" else "0"  # the socket that it has, and no other
    assert [line.split()[3:5] for line in limits.splitlines() if line.startswith("Max open")] == [
        [most, most]
    ]
    if (
        os.geteuid() == 0 and database.engine != "postgres"
    ):  # elsewhere the system may not grant one; sockets cannot be opened anyway
        assert network != os.readlink("/proc/self/ns/net")

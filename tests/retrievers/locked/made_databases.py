"""One small company on every engine, with a table that nobody was granted.

Not here: any test.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg

from retrievers.locked.nouns import Database, Limits, Sheet
from tests.service.processes import Watch
from tests.service.servers import Postgres

REGIONS = ("north", "south")
SALES = [(i, REGIONS[i % 2], i * 1.5, f"2024-01-{i % 28 + 1:02}") for i in range(100)]
NUMBERS = [(i, f"row {i}") for i in range(3000)]
# A shop for every engine: keys, a reference, money, a flag, nothing and an empty text.
SHOP = """CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, since DATE);
CREATE TABLE orders (number INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers (id),
    total NUMERIC(8, 2), paid BOOLEAN, note TEXT);
INSERT INTO customers VALUES (1, 'Anna Berg', '2019-03-01'), (2, 'Ben Ode', '2021-07-15');
INSERT INTO orders VALUES (10, 1, 12.50, true, NULL), (11, 1, 7, false, ''),
    (12, 2, 99.90, true, 'a')
"""  # fmt: skip
TIGHT = Limits(wall_s=0.3, cpu_s=1)
HONEST = "SELECT region, count(*) FROM sales GROUP BY region ORDER BY region"
HONEST_ROWS = (("north", 50), ("south", 50))


def sqlite_file(folder: Path) -> Path:
    """Tables sales, numbers and secret, a view over sales, a full-text index."""
    path = folder / "company's data.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        """CREATE TABLE sales (id INTEGER PRIMARY KEY, region TEXT, amount REAL, day TEXT);
        CREATE TABLE numbers (i INTEGER, t TEXT);
        CREATE TABLE secret (word TEXT);
        CREATE VIEW northern AS SELECT id, amount FROM sales WHERE region = 'north';
        CREATE VIRTUAL TABLE papers USING fts5(body);
        INSERT INTO secret VALUES ('xyzzy')"""
    )
    connection.executemany("INSERT INTO sales VALUES (?, ?, ?, ?)", SALES)
    connection.executemany("INSERT INTO numbers VALUES (?, ?)", NUMBERS)
    connection.commit()
    connection.close()
    return path


def in_sqlite(folder: Path) -> Database:
    """Everything but the secret is granted."""
    granted = frozenset({"sales", "numbers", "northern"})
    return Database("sqlite", sqlite_file(folder), granted=granted)


def in_duckdb(folder: Path) -> Database:
    """The same two tables as sheets; the third is not granted."""
    del folder
    sheets = (
        Sheet("sales", ("id", "region", "amount", "day"), [[*map(str, row)] for row in SALES]),
        Sheet("numbers", ("i", "t"), [[*map(str, row)] for row in NUMBERS]),
        Sheet("secret", ("word",), [["xyzzy"]]),
    )
    return Database("duckdb", tables=sheets, granted=frozenset({"sales", "numbers"}))


def duckdb_file(folder: Path) -> Path:
    """The same tables and the view in a file of DuckDB's, keys and a macro with them."""
    path = folder / "company.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE sales (id INTEGER PRIMARY KEY, region TEXT, amount DOUBLE,"
                           "day DATE)")  # fmt: skip
        connection.execute("CREATE TABLE numbers (i INTEGER, t TEXT)")
        connection.execute("CREATE TABLE secret (word TEXT)")
        connection.execute("INSERT INTO secret VALUES ('xyzzy')")
        connection.execute(
            "CREATE VIEW northern AS SELECT id, amount FROM sales WHERE region = 'north'"
        )
        connection.execute("CREATE MACRO stolen() AS TABLE SELECT * FROM read_text('/etc/passwd')")
        connection.executemany("INSERT INTO sales VALUES (?, ?, ?, ?)", SALES)
        connection.execute("INSERT INTO numbers SELECT i, 'row ' || i FROM range(3000) r(i)")
    return path


def in_duckdb_file(folder: Path) -> Database:
    """Everything but the secret is granted."""
    granted = frozenset({"sales", "numbers", "northern"})
    return Database("duckdb_file", duckdb_file(folder), granted=granted)


MADE = {"sqlite": in_sqlite, "duckdb": in_duckdb, "duckdb_file": in_duckdb_file}
READS = "reads"  # a role that may read what is granted, with nobody asking for more


@contextlib.contextmanager
def running(folder: Path, *statements: str) -> Iterator[Postgres]:
    """A server of its own, after these statements."""
    watch = Watch()
    server = Postgres(watch, folder)
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            for one in statements:
                connection.execute(one.encode())
        yield server
    finally:
        watch.close()
        server.stop()


def reading(server: Postgres) -> str:
    """Its URL, by the role that may only read."""
    return server.url.replace("postgres@", f"{READS}@")


@contextlib.contextmanager
def in_postgres(folder: Path) -> Iterator[Database]:
    """A server of its own; the role may read all but the secret, and write nothing."""
    with running(folder) as server:
        fill_postgres(server.url)
        yield Database("postgres", url=reading(server))


def fill_postgres(url: str) -> None:
    """The company in schema `public`, and a role to read it with."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("""CREATE TABLE sales (id INTEGER PRIMARY KEY, region TEXT,
            amount DOUBLE PRECISION, day DATE);
            CREATE TABLE numbers (i INTEGER, t TEXT);
            CREATE TABLE secret (word TEXT);
            INSERT INTO secret VALUES ('xyzzy');
            CREATE VIEW northern AS SELECT id, amount FROM sales WHERE region = 'north';
            INSERT INTO numbers SELECT i, 'row ' || i FROM generate_series(0, 2999) i;
            CREATE SEQUENCE counter;
            CREATE ROLE reads LOGIN;
            GRANT SELECT ON sales, numbers, northern TO reads""")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO sales VALUES (%s, %s, %s, %s)", SALES)

"""One small company in SQLite and in DuckDB, with a table that nobody was granted.

Not here: any test.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from retrievers.locked.nouns import Database, Limits, Sheet

REGIONS = ("north", "south")
SALES = [(i, REGIONS[i % 2], i * 1.5, f"2024-01-{i % 28 + 1:02}") for i in range(100)]
NUMBERS = [(i, f"row {i}") for i in range(3000)]
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


MADE = {"sqlite": in_sqlite, "duckdb": in_duckdb}

"""The locked reader and schema linking on a real database: gold SQL, columns kept, speed.

The database has 12 columns, of which most questions need more than half, so that linking is
measured in wider catalogues too: tables of WikiTableQuestions beside it. Not here: SQL by a model.
"""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.data import Row, lines
from benchmarks.ground import Ground
from retrievers.linking import Embed, Place, link
from retrievers.locked.nouns import Column, Csv, Database, QueryFailed, Schema, Table
from retrievers.locked.reader import Reader

CSV_ROWS, WIDTHS, SHARES = 2_000_000, (12, 30, 60, 120), (0.5, 0.125)
SUMS = "SELECT region, count(*), sum(units * price) FROM sales GROUP BY region ORDER BY region"
SMALL = "SELECT name FROM restaurant WHERE city_name = 'alameda' LIMIT 5"


def measure(here: Ground) -> dict[str, Any]:
    """All figures; seconds unless the name says otherwise."""
    folder = here.data / "sql" / "restaurants"
    questions = lines(folder / "questions.jsonl.gz")
    with Reader(Database("sqlite", folder / "database.sqlite")) as reader:
        begun = time.perf_counter()
        schema = reader.schema
        cold = time.perf_counter() - begun
        found = {
            "gold": gold(reader, questions),
            "small_query": small(reader) | {"cold_start": cold},
        }
    found |= {"linking": linking(schema, questions, folder), "csv": csv()}
    return found | {"bars": _bars(found)}


def _bars(found: dict[str, Any]) -> dict[str, bool]:
    alone, *wider = (
        row for row in found["linking"] if row["kept_at_most"] * 2 >= row["columns"] - 1
    )
    whole = found["gold"]
    return {
        "SQL: every gold query gives the gold rows": whole["equal"] == whole["questions"],
        "schema linking, restaurants alone, half of 12 columns: 0.95": alone["names_and_values"]
        >= 0.95,
        "schema linking, in wider catalogues, half of the columns: 0.95": min(
            row["names_and_values"] for row in wider
        )
        >= 0.95,
        "2,000,000 rows of CSV loaded and aggregated in 2 s": found["csv"][
            "start_load_and_aggregate"
        ]
        < 2,
    }


def gold(reader: Reader, questions: Sequence[Row]) -> dict[str, int]:
    """Gold SQL whose rows in the reader equal the gold rows; those not empty counted apart."""
    equal = [question for question in questions if _same(reader, question)]
    return {
        "questions": len(questions),
        "equal": len(equal),
        "not_empty": sum(bool(question["rows"]) for question in questions),
        "not_empty_equal": sum(bool(question["rows"]) for question in equal),
    }


def small(reader: Reader, count: int = 200) -> dict[str, float]:
    """Milliseconds of a small query from `run` to its rows, warm, the check included."""
    spent = []
    for _ in range(count):
        begun = time.perf_counter()
        reader.run(SMALL)
        spent.append((time.perf_counter() - begun) * 1000)
    return {
        "p50_ms": statistics.median(spent),
        "p95_ms": statistics.quantiles(spent, n=20)[-1],
    }


def linking(schema: Schema, questions: Sequence[Row], folder: Path) -> list[dict[str, Any]]:
    """By catalogue width and share kept: how often all gold columns are among the kept ones.

    `possible`: the share of questions whose gold columns are no more than may be kept.
    """
    needed = [gold_columns(folder / "database.sqlite", one["sql"]) for one in questions]
    asked = [one["question"] for one in questions]
    embed = encoder()
    rows = []
    for width, share in ((width, share) for width in WIDTHS for share in SHARES):
        wide = widened(schema, width, folder.parents[1] / "tables" / "wtq.tables.jsonl.gz")
        most = int(share * _width(wide))
        row: dict[str, Any] = {"columns": _width(wide), "kept_at_most": most}
        row["possible"] = statistics.fmean(len(gold) <= most for gold in needed)
        for name, kept in ways(wide, asked, share, embed).items():
            assert all(len(one) <= most for one in kept)
            row[name] = statistics.fmean(g <= k for g, k in zip(needed, kept, strict=True))
        rows.append(row)
    return rows


def ways(
    schema: Schema, asked: Sequence[str], share: float, embed: Embed | None
) -> dict[str, list[set[Place]]]:
    """The columns that each way of linking keeps, question by question."""
    places = [(table.name, column.name) for table in schema.tables for column in table.columns]
    most, bare = int(share * len(places)), _without_values(schema)
    found = {
        "random": [set(random.Random(text).sample(places, most)) for text in asked],
        "names_only": [set(link(text, bare, keep=share).columns) for text in asked],
        "names_and_values": [set(link(text, schema, keep=share).columns) for text in asked],
    }
    if embed is not None:
        found["with_encoder"] = [set(link(text, schema, embed, share).columns) for text in asked]
    return found


def widened(schema: Schema, columns: int, tables_at: Path) -> Schema:
    """The schema with tables of people's spreadsheets beside it, up to that many columns."""
    tables = list(schema.tables)
    count = sum(len(table.columns) for table in tables)
    for given in lines(tables_at):
        if count >= columns:
            break
        if 3 <= len(given["columns"]) <= 8:
            tables.append(_sheet(f"sheet_{len(tables)}", given))
            count += len(given["columns"])
    return Schema(tuple(tables), schema.joins)


def _width(schema: Schema) -> int:
    return sum(len(table.columns) for table in schema.tables)


def _without_values(schema: Schema) -> Schema:
    tables = tuple(
        replace(table, columns=tuple(replace(column, samples=()) for column in table.columns))
        for table in schema.tables
    )
    return Schema(tables, schema.joins)


def gold_columns(path: Path, sql: str) -> set[Place]:
    """The columns that SQLite itself says a query reads."""
    found: set[Place] = set()

    def note(action: int, table: str | None, column: str | None, *_: object) -> int:
        if action == sqlite3.SQLITE_READ and table and column:
            found.add((table, column))
        return sqlite3.SQLITE_OK

    with sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True) as connection:
        connection.set_authorizer(note)
        connection.execute(sql).fetchone()
    connection.close()
    return found


def encoder() -> Embed | None:
    """The packaged encoder, each text encoded once; None where it cannot be had."""
    from models.encoder import Encoder
    from pilotfish.errors import SettingsError

    try:
        model = Encoder()
    except SettingsError as error:
        print(f"without the encoder: {error}", file=sys.stderr)
        return None
    known: dict[str, Any] = {}

    def embed(texts: Sequence[str]) -> Any:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, model.encode(new), strict=True))
        return [known[text] for text in texts]

    return embed


def csv() -> dict[str, float]:
    """Seconds from nothing to a loaded CSV of 2,000,000 rows and an aggregation over it.

    `bare_duckdb`: the same aggregation straight over the file, without a child or a lock.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sales.csv"
        write_csv(path)
        with Reader(Database("duckdb", tables=(Csv("sales", path),))) as reader:
            begun = time.perf_counter()
            reader.run("SELECT 1")
            loaded = time.perf_counter()
            counted = sum(int(row[1] or 0) for row in reader.run(SUMS).rows)
            done = time.perf_counter()
            warm = statistics.median(reader.run(SUMS).seconds for _ in range(5))
        assert counted == CSV_ROWS
        bare = _bare_duckdb(path)
        return {
            "rows": CSV_ROWS,
            "megabytes": round(path.stat().st_size / 1e6),
            "start_and_load": loaded - begun,
            "start_load_and_aggregate": done - begun,
            "aggregate_once_loaded": warm,
            "bare_duckdb": bare,
        }


def write_csv(path: Path) -> None:
    """Six typed columns with a header, the same on every machine."""
    regions = ("north", "south", "east", "west")
    with path.open("w", encoding="utf-8") as stream:
        stream.write("id,day,region,product,units,price\n")
        stream.writelines(
            f"{i},2024-{i % 12 + 1:02}-{i % 28 + 1:02},{regions[i % 4]},p{i % 1000},{i % 97},"
            f"{i % 10007 / 100:.2f}\n"
            for i in range(CSV_ROWS)
        )


def _bare_duckdb(path: Path) -> float:
    import duckdb

    begun = time.perf_counter()
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.execute(SUMS.replace("FROM sales", f"FROM read_csv('{path}')")).fetchall()
    return time.perf_counter() - begun


def _same(reader: Reader, question: Row) -> bool:
    try:
        found = [list(row) for row in reader.run(question["sql"]).rows]
    except QueryFailed as error:
        print(f"{question['id']}: {error}", file=sys.stderr)
        return False
    if question["ordered"]:
        return bool(found == question["rows"])
    return Counter(map(json.dumps, found)) == Counter(map(json.dumps, question["rows"]))


def _sheet(name: str, given: Row) -> Table:
    def samples(place: int) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row[place] for row in given["rows"] if place < len(row)))

    columns = given["columns"]
    return Table(
        name,
        tuple(
            Column(header or f"column_{place + 1}", "VARCHAR", samples=samples(place))
            for place, header in enumerate(columns)
        ),
    )

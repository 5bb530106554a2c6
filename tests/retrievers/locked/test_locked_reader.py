"""What comes back from honest queries, and what the child does between them."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from pilotfish.errors import InputError, NotFound
from retrievers.locked.nouns import Csv, Database, Join, Limits, QueryFailed, Sheet
from retrievers.locked.reader import Reader
from tests.retrievers.locked.made_databases import (
    HONEST,
    HONEST_ROWS,
    MADE,
    SALES,
    in_sqlite,
    sqlite_file,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("engine", sorted(MADE))
def test_rows_equal_what_was_put_in(engine: str, tmp_path: Path) -> None:
    with Reader(MADE[engine](tmp_path)) as reader:
        found = reader.run("SELECT id, region, amount, day FROM sales ORDER BY id")
    assert found.columns == ("id", "region", "amount", "day")
    assert found.rows == tuple(SALES) and not found.truncated


@pytest.mark.parametrize("engine", sorted(MADE))
def test_what_is_beyond_the_limit_is_cut_and_said(engine: str, tmp_path: Path) -> None:
    with Reader(MADE[engine](tmp_path), Limits(rows=7)) as reader:
        assert reader.run("SELECT id FROM sales LIMIT 7").truncated is False
        found = reader.run("SELECT id FROM sales")
    assert len(found.rows) == 7 and found.truncated


@pytest.mark.parametrize("engine", sorted(MADE))
def test_a_result_of_many_bytes_is_cut_and_a_long_cell_refused(engine: str, tmp_path: Path) -> None:
    limits = Limits(result_mb=1, cell_characters=2_000)
    grown = "replace(replace('aaaaaaaaaa', 'a', 'bbbbbbbbbb'), 'b', 'cccccccccc')"
    with Reader(MADE[engine](tmp_path), limits) as reader:
        found = reader.run(f"SELECT i, {grown} FROM numbers LIMIT 1500")
        assert found.truncated and 900 < len(found.rows) <= 1_000
        with pytest.raises(QueryFailed, match="a cell of 10000 characters, the cap is 2000"):
            reader.run(f"SELECT replace({grown}, 'c', 'dddddddddd')")


@pytest.mark.parametrize("engine", sorted(MADE))
def test_one_child_serves_many_queries_and_outlives_an_ordinary_error(
    engine: str, tmp_path: Path
) -> None:
    with Reader(MADE[engine](tmp_path)) as reader:
        reader.run(HONEST)
        first = reader.pid
        with pytest.raises(QueryFailed) as caught:
            reader.run("SELECT sum(sum(id)) FROM sales")
        assert caught.value.code == "sql_error"
        assert reader.run(HONEST).rows == HONEST_ROWS and reader.pid == first


@pytest.mark.parametrize("engine", sorted(MADE))
def test_a_child_that_was_killed_is_replaced(engine: str, tmp_path: Path) -> None:
    with Reader(MADE[engine](tmp_path)) as reader:
        reader.run(HONEST)
        assert reader.pid
        os.kill(reader.pid, signal.SIGKILL)
        time.sleep(0.1)
        assert reader.run(HONEST).rows == HONEST_ROWS


def test_a_child_is_replaced_after_its_number_of_queries(tmp_path: Path) -> None:
    with Reader(in_sqlite(tmp_path), Limits(queries=2)) as reader:
        reader.run(HONEST)
        first = reader.pid
        assert first and reader.run(HONEST).rows == HONEST_ROWS
        assert reader.run(HONEST).rows == HONEST_ROWS and reader.pid != first


def test_an_idle_child_is_replaced(tmp_path: Path) -> None:
    with Reader(in_sqlite(tmp_path), Limits(idle_s=0)) as reader:
        assert reader.run(HONEST).rows == reader.run(HONEST).rows == HONEST_ROWS


def test_views_are_read_and_their_tables_need_no_grant(tmp_path: Path) -> None:
    database = Database("sqlite", sqlite_file(tmp_path), granted=frozenset({"northern"}))
    with Reader(database) as reader:
        assert [table.name for table in reader.schema.tables] == ["northern"]
        assert reader.run("SELECT count(*), max(id) FROM northern").rows == ((50, 98),)
        with pytest.raises(QueryFailed, match="no table 'sales'"):
            reader.run("SELECT * FROM sales")


def test_a_file_that_is_being_written_is_read_without_touching_it(tmp_path: Path) -> None:
    path = sqlite_file(tmp_path)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("UPDATE sales SET region = 'east' WHERE id = 0")
    with Reader(Database("sqlite", path)) as reader:
        assert reader.run("SELECT region FROM sales WHERE id = 0").rows == (("east",),)
        writer.execute("UPDATE sales SET region = 'west' WHERE id = 0")
        assert reader.run("SELECT region FROM sales WHERE id = 0").rows == (("west",),)
    writer.close()


def test_blobs_numbers_beyond_range_and_broken_text_come_back_as_something(tmp_path: Path) -> None:
    path = tmp_path / "odd.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE odd (a, b, c, d)")
    connection.execute(
        "INSERT INTO odd VALUES (x'00ff', 9e999, CAST(x'ff41' AS TEXT), 9223372036854775807)"
    )
    connection.commit()
    connection.close()
    with Reader(Database("sqlite", path)) as reader:
        assert reader.run("SELECT * FROM odd").rows == (("00ff", math.inf, "\ufffdA", 2**63 - 1),)


def test_a_csv_is_typed_and_codes_keep_their_zeros(tmp_path: Path) -> None:
    path = tmp_path / "people's.csv"
    path.write_text('zip,paid,on,n\n00501,"$1,200.50",3 May 2021,1\n10001,(7),2021-05-04,2\n')
    with Reader(Database("duckdb", tables=(Csv("people", path),))) as reader:
        assert [column.type for column in reader.schema.tables[0].columns] == [
            "VARCHAR", "DOUBLE", "DATE", "BIGINT",
        ]  # fmt: skip
        assert reader.run("SELECT * FROM people ORDER BY n").rows == (
            ("00501", 1200.5, "2021-05-03", 1),
            ("10001", -7.0, "2021-05-04", 2),
        )


def test_a_csvs_name_is_no_pattern_and_its_folder_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "year=2024"
    folder.mkdir()
    (folder / "x1.csv").write_text("n\n7\n")
    for name in ("x*.csv", "x[1].csv", "x?.csv"):
        (folder / name).write_text("n\n1\n2\n")
        with Reader(Database("duckdb", tables=(Csv("x", folder / name),))) as reader:
            assert reader.run("SELECT * FROM x ORDER BY n").rows == ((1,), (2,))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_reads_the_files_of_others(tmp_path: Path) -> None:
    path = sqlite_file(tmp_path)
    path.chmod(0o600)
    os.chown(path, 12_345, 12_345)
    with Reader(Database("sqlite", path)) as reader:
        assert reader.run(HONEST).rows == HONEST_ROWS


def test_a_csv_that_changes_its_mind_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text("n,t\n" + "".join(f"{i},x\n" for i in range(30_000)) + "many,y\n")
    with Reader(Database("duckdb", tables=(Csv("late", path),))) as reader:
        assert reader.run("SELECT count(*), max(n_number) FROM late").rows == ((30_001, 29_999.0),)


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="is no file"):
        Reader(Database("sqlite", tmp_path / "none.sqlite")).run("SELECT 1")
    with pytest.raises(NotFound, match="no file"):
        Reader(Database("duckdb", tables=(Csv("x", tmp_path / "x.csv"),))).run("SELECT 1")
    (tmp_path / "text.sqlite").write_text("this is no database, although it has the name of one")
    with pytest.raises(InputError, match="cannot be opened") as caught:
        Reader(Database("sqlite", tmp_path / "text.sqlite")).run("SELECT 1")
    assert "\n" not in str(caught.value)


def test_joins_are_declared_or_inferred_and_samples_taken(tmp_path: Path) -> None:
    sheets = (
        Sheet("orders", ("order_id", "customer_id"), [["1", "7"]]),
        Sheet("customers", ("customer_id", "name"), [["7", "Ada"]]),
    )
    with Reader(Database("duckdb", tables=sheets)) as reader:
        schema = reader.schema
    assert schema.joins == (
        Join("orders", "customer_id", "customers", "customer_id", declared=False),
    )
    assert schema.tables[1].columns[1].samples == ("Ada",)

"""What the guard lets through, what it adds, and how it says no."""

from __future__ import annotations

import pytest

from retrievers.locked.guard import Checked, Dialect, allowed
from retrievers.locked.nouns import Column, QueryFailed, Schema, Table

SCHEMA = Schema(
    (
        Table("sales", tuple(Column(name, "") for name in ("id", "region", "amount", "day"))),
        Table("Big Table", (Column("Total Amount", ""), Column("id", ""))),
    )
)
HONEST = (
    "SELECT count(*) FROM sales",
    "select * from SALES;",
    "SELECT region, sum(amount) AS s FROM sales GROUP BY region HAVING sum(amount) > 3 ORDER BY s",
    "WITH a AS (SELECT * FROM sales), b AS (SELECT * FROM a) SELECT * FROM b JOIN a ON a.id = b.id",
    "SELECT id FROM sales UNION SELECT id FROM sales EXCEPT SELECT id FROM sales",
    "SELECT * FROM (SELECT id FROM sales) AS s WHERE id IN (SELECT max(id) FROM sales)",
    "SELECT CASE WHEN amount > 3 THEN 'x' ELSE 'y' END FROM sales WHERE NOT region IS NULL",
    "SELECT row_number() OVER (PARTITION BY region ORDER BY id DESC) FROM sales",
    "SELECT CAST(amount AS INTEGER), CAST(id AS DECIMAL(10, 2)) FROM sales",
    "SELECT * FROM sales WHERE day BETWEEN '2024-01-01' AND '2024-02-01' AND region LIKE 'n%'",
    'SELECT "Total Amount" FROM "Big Table"',
    "SELECT 'DROP TABLE sales; -- /* ' FROM sales",
    "SELECT region -- by region\nFROM sales /* all of it */",
    "SELECT count(DISTINCT region) FILTER (WHERE amount > 1) FROM sales",
    "SELECT s.id FROM sales AS s LEFT JOIN sales AS t USING (id) LIMIT 5 OFFSET 2",
    "SELECT 1",
)
HONEST_IN_DUCKDB = (
    "SELECT date_trunc('month', day) AS m, median(amount) FROM sales GROUP BY ALL",
    "SELECT extract(year FROM day), day + INTERVAL 1 DAY FROM sales",
    "SELECT * EXCLUDE (day) FROM sales QUALIFY row_number() OVER (ORDER BY id) = 1",
    "FROM sales SELECT region",
    "SELECT max_by(region, amount), string_agg(region, ',') FROM sales WHERE region ILIKE 'N%'",
)
REFUSED_IN_DUCKDB = (
    "SELECT [1, 2]",
    "SELECT abs([1, 2][1])",
    "SELECT {'a': 1}",
    "SELECT MAP {'a': 1}",
    "SELECT $$x$$ FROM secret",
    "SELECT 'x'::regtype",
    "SELECT session_user",
    "SELECT current_schema",
    "FROM secret",
    "SELECT * FROM sales POSITIONAL JOIN secret",
)


def checked(sql: str, dialect: Dialect = "sqlite", rows: int = 10) -> Checked:
    found = allowed(sql, dialect, SCHEMA, rows)
    assert isinstance(found, Checked), str(found)
    return found


def refused(sql: str, dialect: Dialect = "sqlite") -> str:
    found = allowed(sql, dialect, SCHEMA)
    assert isinstance(found, QueryFailed) and found.code == "sql_refused", sql
    return str(found)


@pytest.mark.parametrize("sql", HONEST)
@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
def test_plain_reading_is_allowed(sql: str, dialect: Dialect) -> None:
    assert checked(sql, dialect).sql


@pytest.mark.parametrize("sql", HONEST_IN_DUCKDB)
def test_duckdbs_own_ways_of_reading_are_allowed(sql: str) -> None:
    assert checked(sql, "duckdb").sql.endswith("LIMIT 11")


@pytest.mark.parametrize("sql", REFUSED_IN_DUCKDB)
def test_duckdbs_own_ways_around_are_refused(sql: str) -> None:
    refused(sql, "duckdb")


def test_sqlite_runs_the_text_as_it_was_given() -> None:
    given = 'SELECT  id FROM sales WHERE region = "north" ;'
    assert checked(given).sql == 'SELECT  id FROM sales WHERE region = "north"\nLIMIT 11'


def test_sqlite_runs_text_with_comments_written_out_again() -> None:
    assert checked("SELECT id -- x\nFROM sales").sql == "SELECT id FROM sales LIMIT 11"


def test_a_smaller_limit_stays_and_a_larger_one_is_lowered() -> None:
    assert checked("SELECT id FROM sales LIMIT 3", "duckdb").sql.endswith("LIMIT 3")
    assert checked("SELECT id FROM sales LIMIT 99", "duckdb").sql.endswith("LIMIT 11")
    assert checked("SELECT id FROM sales LIMIT 99 OFFSET 5", "duckdb").sql.endswith("OFFSET 5")


def test_it_says_which_tables_are_read() -> None:
    sql = 'WITH a AS (SELECT * FROM Sales) SELECT * FROM a, "Big Table" AS b'
    assert checked(sql).tables == {"sales", "Big Table"}


def test_a_refusal_names_the_value_and_the_mend_in_one_line() -> None:
    assert refused("SELECT * FROM sale") == (
        "refused: there is no table 'sale', did you mean 'sales': "
        "write one SELECT over sales, Big Table"
    )
    assert "did you mean 'amount'" in refused("SELECT amont FROM sales", "duckdb")
    assert "the function 'getenv'" in refused("SELECT getenv('x')")
    assert "2 statements" in refused("SELECT 1; SELECT 2")
    assert "DROP is not a SELECT" in refused("DROP TABLE sales")

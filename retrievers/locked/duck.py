"""Sheets and CSV files in an in-memory DuckDB in the child: loaded, typed, then locked for good.

DuckDB has no privilege boundary of its own, so this database holds the granted tables and nothing
else. Not here: the parser (`guard`), the limits of the process (`jail`), the types (`typed`).
https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import duckdb

from retrievers.locked.engine import (
    SAMPLE_CHARACTERS,
    SAMPLED_ROWS,
    EngineError,
    Raw,
    inferred,
    plain,
    quoted,
    samples_each,
)
from retrievers.locked.nouns import Code, Column, Limits, Schema, Table
from retrievers.locked.typed import Typed, names, typed

START: dict[str, str | bool | int | float | list[str]] = {
    "threads": 4,  # to load; one afterwards
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "temp_directory": "",
}
_RAW = "pilotfish_raw"
_SNIFFED = 20_000  # rows
_ADVICE = re.compile(r"(Use \"SET|Database is launched).*", re.S)  # what nobody here may do
_CODES: tuple[tuple[type[Exception], Code], ...] = (
    (MemoryError, "sql_too_much_memory"),
    (duckdb.OutOfMemoryException, "sql_too_much_memory"),
    (duckdb.PermissionException, "sql_refused"),
    (duckdb.InterruptException, "sql_too_slow"),
)


class Duck:
    """An in-memory database of the granted tables."""

    def open(self, given: dict[str, Any], limits: Limits) -> Schema:
        """Load every table, type its strings, lock the configuration."""
        settings = START | {"memory_limit": f"{limits.load_mb}MB"}
        self._connection = duckdb.connect(":memory:", config=settings)
        try:
            loaded = {one["name"]: self._load(one) for one in given["tables"]}
            each = samples_each(sum(map(len, loaded.values())))
            tables = {
                name: tuple(replace(c, samples=self._samples(name, c.name, each)) for c in columns)
                for name, columns in loaded.items()
            }
            self._lock(limits)
        except (duckdb.Error, MemoryError) as error:
            raise sorted_out(error) from None
        found = tuple(Table(name, columns) for name, columns in tables.items())
        return Schema(found, tuple(inferred(tables, [])))

    def run(self, sql: str) -> Raw:
        """Run one SELECT, as DuckDB's own parser has it; its LIMIT bounds what is kept of it."""
        try:
            statements = self._connection.extract_statements(sql)
            if [one.type for one in statements] != [duckdb.StatementType.SELECT]:
                raise EngineError("sql_refused", "refused: not one SELECT")
            self._connection.execute("BEGIN TRANSACTION READ ONLY")  # an INSERT may hide in a WITH
            cursor = self._connection.execute(statements[0])
            described = cursor.description or []
            rows = cursor.fetchall()
        except (duckdb.Error, MemoryError) as error:
            raise sorted_out(error) from None
        finally:
            with suppress(duckdb.Error):  # there is none when it never began
                self._connection.execute("ROLLBACK")
        shown = [one[0].replace("count_star()", "count(*)") for one in described]
        return shown, [str(one[1]) for one in described], plain(rows)

    def _lock(self, limits: Limits) -> None:
        (used,) = self._one("SELECT sum(memory_usage_bytes) FROM duckdb_memory()")
        most = int(used) + limits.memory_mb * 3 * 2**18  # three quarters: the rest is for malloc
        for setting in (
            "threads = 1",
            f"memory_limit = '{most}B'",
            "max_expression_depth = 200",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            self._connection.execute(f"SET {setting}")

    def _one(self, sql: str) -> Sequence[Any]:
        row: Sequence[Any] = self._connection.execute(sql).fetchone() or ()
        return row

    def _load(self, one: dict[str, Any]) -> tuple[Column, ...]:
        if "path" in one:
            self._read(re.sub(r"[*?\[]", r"[\g<0>]", one["path"]))  # a name, not a pattern
        else:
            self._fill(names(one["columns"]), one["rows"])
        decided = self._decided()
        self._name(one["name"], decided)
        return self._columns(one["name"], {each.name: each.unit for each in decided})

    def _fill(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A raw table of strings; short rows are filled up, long ones cut."""
        width = len(columns)
        even = [[*row[:width], *[None] * (width - len(row))] for row in rows]
        lists = [list(cells) for cells in zip(*even, strict=True)] or [[] for _ in columns]
        shown = ", ".join(f"unnest(?::VARCHAR[]) AS {quoted(name)}" for name in columns)
        self._connection.execute(f"CREATE TABLE {_RAW} AS SELECT {shown}", lists)

    def _read(self, path: str) -> None:
        """A raw table of what DuckDB takes for whole numbers, numbers, ISO dates, or else text.

        Codes with leading zeros stay text; a file that is not of one mind is read as text.
        """
        source = "read_csv(?, header = true, hive_partitioning = false, sample_size = ?"
        plain = f"{source}, all_varchar = true)"
        described = self._connection.execute(
            f"SELECT * FROM {plain} LIMIT 0", [path, _SNIFFED]
        ).description
        columns = [one[0] for one in described or []]
        tests = ", ".join(f"bool_or(regexp_matches({quoted(c)}, '^0[0-9]'))" for c in columns)
        coded = self._connection.execute(
            f"SELECT {tests} FROM (FROM {plain} LIMIT {_SNIFFED})", [path, _SNIFFED]
        ).fetchone()
        codes = {
            name: "VARCHAR" for name, is_code in zip(columns, coded or (), strict=True) if is_code
        }
        options = ", dateformat = '%Y-%m-%d'" + (", types = ?" if codes else "") + ")"
        arguments = [path, _SNIFFED, *([codes] if codes else [])]
        create = f"CREATE TABLE {_RAW} AS SELECT * FROM "
        try:
            self._connection.execute(create + source + options, arguments)
        except (duckdb.ConversionException, duckdb.InvalidInputException):
            self._connection.execute(create + plain, [path, _SNIFFED])

    def _decided(self) -> list[Typed]:
        described = self._connection.execute(f"DESCRIBE {_RAW}").fetchall()
        strings = [row[0] for row in described if row[1] == "VARCHAR"]
        found = {one.name: one for one in typed(self._one, _RAW, strings)}
        return [found.get(row[0]) or Typed(row[0], row[1], quoted(row[0])) for row in described]

    def _name(self, name: str, decided: Sequence[Typed]) -> None:
        """The raw table under its name, its columns as decided, shadows behind theirs."""
        if all(each.sql == quoted(each.name) and each.shadow is None for each in decided):
            self._connection.execute(f"ALTER TABLE {_RAW} RENAME TO {quoted(name)}")
            return
        shown = [f"{each.sql} AS {quoted(each.name)}" for each in decided]
        taken = names([*(each.name for each in decided),
                       *(f"{each.name}_number" for each in decided if each.shadow)])  # fmt: skip
        shadows = [each.shadow for each in decided if each.shadow]
        for sql, shadow in zip(shadows, taken[len(decided) :], strict=True):
            shown.append(f"{sql} AS {quoted(shadow)}")
        self._connection.execute(
            f"CREATE TABLE {quoted(name)} AS SELECT {', '.join(shown)} FROM {_RAW}"
        )
        self._connection.execute(f"DROP TABLE {_RAW}")

    def _columns(self, table: str, units: dict[str, str]) -> tuple[Column, ...]:
        described = self._connection.execute(f"DESCRIBE {quoted(table)}").fetchall()
        return tuple(Column(row[0], row[1], unit=units.get(row[0], "")) for row in described)

    def _samples(self, table: str, column: str, most: int) -> tuple[str, ...]:
        rows = self._connection.execute(
            f"SELECT DISTINCT left(CAST(v AS VARCHAR), {SAMPLE_CHARACTERS}) AS v FROM "
            f"(SELECT {quoted(column)} AS v FROM {quoted(table)} LIMIT {SAMPLED_ROWS}) "
            f"WHERE v IS NOT NULL ORDER BY v LIMIT {most}"
        ).fetchall()
        return tuple(value for (value,) in rows)


def sorted_out(error: Exception) -> EngineError:
    """DuckDB's error, sorted by what can be done about it."""
    code: Code = next((code for kind, code in _CODES if isinstance(error, kind)), "sql_error")
    said = str(error).split("\n\n")[0]
    return EngineError(code, _ADVICE.sub("", said))

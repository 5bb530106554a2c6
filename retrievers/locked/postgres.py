"""A Postgres in the child, by URL: read-only transactions of one SELECT, by no superuser.

The wall is the role that the URL names: what it may not read, nobody here can. Before it stands the
parser (`guard`), behind it `BEGIN READ ONLY`, one statement a message (the extended protocol knows
no more), the server's clock and a cursor that gives no more rows than are asked for. Memory at the
server is the server's to limit. Values come as text, so that no driver's type does anything.
https://www.postgresql.org/docs/current/sql-set-transaction.html
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import ConnStatus, ExecStatus

from retrievers.locked.engine import (
    SAMPLE_CHARACTERS,
    SAMPLING_S,
    EngineError,
    Raw,
    inferred,
    quoted,
    samples_each,
)
from retrievers.locked.nouns import Cell, Code, Column, Join, Limits, Schema, Table

PUBLIC = "public"
_CONNECT_S, _SAMPLE_MS = 3, 2_000
_SAMPLED_ROWS = 20_000
_FETCHED = 200  # rows of one message
_WHOLE, _REAL, _EXACT, _BOOLEAN = (20, 21, 23, 26), (700, 701), 1700, 16  # oids of pg_type
_TABLES = """SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
ORDER BY c.relname"""
_COLUMNS = """SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnum,
coalesce(a.attnum = ANY (i.indkey), false) FROM pg_attribute a
LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
WHERE a.attrelid = ANY (%s) AND a.attnum > 0 AND NOT a.attisdropped
AND has_column_privilege(a.attrelid, a.attnum, 'SELECT') ORDER BY a.attrelid, a.attnum"""
_JOINS = """SELECT conrelid, conkey[1], confrelid, confkey[1] FROM pg_constraint
WHERE contype = 'f' AND cardinality(conkey) = 1 AND conrelid = ANY (%s)"""
_SORTED: tuple[tuple[type[Exception], Code], ...] = (
    (psycopg.errors.QueryCanceled, "sql_too_slow"),
    (psycopg.errors.LockNotAvailable, "sql_too_slow"),
    (psycopg.errors.InsufficientResources, "sql_too_much_memory"),
    (psycopg.errors.ProgramLimitExceeded, "sql_too_large"),
    (psycopg.errors.InsufficientPrivilege, "sql_refused"),
    (psycopg.errors.ReadOnlySqlTransaction, "sql_refused"),
    (MemoryError, "sql_too_much_memory"),
)


class Postgres:
    """One connection of its own; its password is libpq's to find (PGPASSWORD, ~/.pgpass)."""

    def open(self, given: dict[str, Any], limits: Limits) -> Schema:
        """Connect, read the schema with a few values of each column, set the session's limits."""
        try:
            self._connection = psycopg.connect(
                given["url"], autocommit=True, connect_timeout=_CONNECT_S, prepare_threshold=None,
                client_encoding="UTF8",
            )  # fmt: skip
            self._start(given["schema"] or PUBLIC, limits)
            schema = self._schema(given["schema"] or PUBLIC, given["granted"])
            self._do(f"SET statement_timeout = {int(limits.wall_s * 1000)}")
        except (psycopg.Error, MemoryError) as error:
            raise EngineError("sql_error", _line(error)) from None
        return schema

    def run(self, sql: str) -> Raw:
        """Start a query behind a cursor; rows come as they are taken."""
        try:
            self._one("BEGIN READ ONLY")
            self._one(f"DECLARE asked NO SCROLL CURSOR FOR {sql}")
            first = self._one(f"FETCH {_FETCHED} FROM asked")
        except (psycopg.Error, MemoryError) as error:
            raise self._ended(error) from None
        places = range(first.nfields)
        names = [(first.fname(at) or b"").decode("utf-8", "replace") for at in places]
        return names, [self._types.get(first.ftype(at), "?") for at in places], self._rows(first)

    def _rows(self, page: Any) -> Iterator[tuple[Cell, ...]]:
        """Every row; the transaction ends with them, also where nobody takes the last."""
        try:
            while page.ntuples:
                for row in range(page.ntuples):
                    yield tuple(
                        _cell(page.get_value(row, at), page.ftype(at)) for at in range(page.nfields)
                    )
                if page.ntuples < _FETCHED:
                    break
                page = self._one(f"FETCH {_FETCHED} FROM asked")
        except (psycopg.Error, MemoryError) as error:
            raise self._ended(error) from None
        finally:
            with suppress(psycopg.Error):
                self._one("ROLLBACK")

    def _ended(self, error: Exception) -> EngineError:
        """The error, its transaction ended: the server closes one that stays open for long."""
        with suppress(psycopg.Error):
            self._one("ROLLBACK")
        if self._connection.pgconn.status != ConnStatus.OK:
            return EngineError("sql_crashed", "the server closed the connection")
        return _sorted(error)

    def _start(self, schema: str, limits: Limits) -> None:
        (superuser,) = self._all("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")[0]
        if superuser:
            raise EngineError("sql_refused", "its role is a superuser, whom nothing holds back")
        for setting in (
            "default_transaction_read_only = on",
            f"statement_timeout = {_SAMPLE_MS}",
            f"lock_timeout = {_SAMPLE_MS}",
            f"idle_in_transaction_session_timeout = {int(limits.wall_s * 4000)}",
            f"search_path = {quoted(schema)}",
            "standard_conforming_strings = on",  # the parser reads a backslash as nothing else
            "datestyle = 'ISO, YMD'",
            "timezone = 'UTC'",
            "jit = off",
            "max_parallel_workers_per_gather = 0",
        ):
            self._do(f"SET {setting}")
        self._types = dict(self._all("SELECT oid::int, typname FROM pg_type"))

    def _schema(self, schema: str, granted: list[str] | None) -> Schema:
        named = {
            oid: name
            for oid, name in self._all(_TABLES, schema)
            if granted is None or name in granted
        }
        columns: dict[int, list[Column]] = defaultdict(list)
        numbers: dict[tuple[int, int], str] = {}
        for oid, name, type_, number, key in self._all(_COLUMNS, list(named)):
            columns[oid].append(Column(name, type_, key))
            numbers[(oid, number)] = name
        found = self._sampled({named[oid]: tuple(columns[oid]) for oid in named})
        joins = [
            Join(named[oid], numbers[(oid, at)], named[to], numbers[(to, to_at)])
            for oid, at, to, to_at in self._all(_JOINS, list(named))
            if to in named and (oid, at) in numbers and (to, to_at) in numbers
        ]
        tables = tuple(Table(name, its) for name, its in found.items() if its)
        return Schema(tables, tuple(inferred(found, joins)))

    def _sampled(self, tables: dict[str, tuple[Column, ...]]) -> dict[str, tuple[Column, ...]]:
        """The columns with values of theirs, as far as time goes: a view may be slow."""
        each = samples_each(sum(map(len, tables.values())))
        ends = time.monotonic() + SAMPLING_S
        return {
            name: tuple(
                Column(c.name, c.type, c.key, self._samples(name, c, each, ends)) for c in columns
            )
            for name, columns in tables.items()
        }

    def _samples(self, table: str, column: Column, most: int, ends: float) -> tuple[str, ...]:
        if time.monotonic() > ends or column.type in ("bytea", "json", "jsonb", "xml"):
            return ()
        name = quoted(column.name)
        query = (
            f"SELECT DISTINCT left({name}::text, {SAMPLE_CHARACTERS}) FROM (SELECT {name} FROM "
            f"{quoted(table)} LIMIT {_SAMPLED_ROWS}) s WHERE {name} IS NOT NULL LIMIT {most}"
        )
        try:
            return tuple(value for (value,) in self._all(query))
        except psycopg.Error:  # it takes too long, or its view divides by zero
            return ()

    def _all(self, query: str, *values: Any) -> list[Any]:
        return self._connection.execute(query.encode(), values or None).fetchall()

    def _do(self, statement: str) -> None:
        self._connection.execute(statement.encode())

    def _one(self, statement: str) -> Any:
        """The result of one statement as the server sends it: text; a second one is an error.

        libpq waits in it by itself, which needs no file but the socket it has.
        """
        done = self._connection.pgconn.exec_params(statement.encode(), [])
        if done.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
            raise psycopg.errors.error_from_result(done)
        return done


def has_password(url: str) -> bool:
    """Whether libpq would find a password in a URL, however it is written; ValueError: no URL."""
    try:
        found = conninfo_to_dict(url)
    except psycopg.Error as error:
        raise ValueError(_line(error)) from None
    return bool(found.get("password") or found.get("sslpassword"))


def _cell(value: bytes | None, oid: int) -> Cell:
    if value is None:
        return None
    text = bytes(value).decode("utf-8", "replace")
    if oid in _WHOLE:
        return int(text)
    if oid in _REAL or oid == _EXACT:
        number = float(text)
        return int(text) if oid == _EXACT and text.lstrip("-").isdecimal() else number
    return text == "t" if oid == _BOOLEAN else text


def _sorted(error: Exception) -> EngineError:
    code: Code = next((code for kind, code in _SORTED if isinstance(error, kind)), "sql_error")
    return EngineError(code, _line(error))


def _line(error: Exception) -> str:
    """What the server says, without where in the text it stands."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    return " ".join(str(primary or error or "out of memory").split())[:300]

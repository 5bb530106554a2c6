"""Prepared statements give what SQLAlchemy gives for the same statement, for both databases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import JSON, Connection, Float, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql

from pilotfish.errors import PilotfishError
from store import budgets, collections, documents, items, ledger, passages, rates
from store.database import Database
from store.prepared import Prepared
from store.schema import rates as table

MADE = [
    (module.__name__, name, one)
    for module in (budgets, collections, documents, items, ledger, passages, rates)
    for name, one in vars(module).items()
    if isinstance(one, Prepared)
]
FACTOR = bindparam("least", type_=Float)
FOUND = select(table.c.model, table.c.factor, func.count().over()).where(table.c.factor >= FACTOR)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(tmp_path / "w" / "pilotfish.db", create=True)
    with made.write() as connection:
        for n, model in enumerate("abc"):
            row = {"model": model, "minute": 0.0, "requests": 0, "tokens": 0, "failures": 0}
            connection.execute(insert(table).values(**row, factor=n / 2))
    return made


def rows(connection: Connection, least: float) -> list[tuple[object, ...]]:
    ordered = FOUND.order_by(table.c.model)
    mine = Prepared(ordered).all(connection, {"least": least})
    theirs = connection.execute(ordered, {"least": least}).all()
    assert [tuple(row) for row in mine] == [tuple(row) for row in theirs]
    assert [row.model for row in mine] == [row.model for row in theirs]
    return [tuple(row) for row in mine]


def test_rows_are_those_of_sqlalchemy(database: Database) -> None:
    with database.read() as connection:
        assert rows(connection, 0.5) == [("b", 0.5, 2), ("c", 1.0, 2)]
        assert rows(connection, 9.0) == []
        none, found = {"least": 9.0}, {"least": 1.0}
        assert Prepared(FOUND).first(connection, none) is None
        assert Prepared(FOUND).scalar(connection, none) is None
        assert Prepared(FOUND).first(connection, found).factor == 1.0
        assert Prepared(FOUND).scalar(connection, found) == "c"


def test_a_change_is_part_of_the_transaction(database: Database) -> None:
    change = Prepared(update(table).where(table.c.factor >= FACTOR).values(failures=7))
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        assert change.run(connection, {"least": 0.5}) == 2
        assert 1 / 0
    with database.write() as connection:
        assert connection.scalar(select(func.sum(table.c.failures))) == 0
        assert change.run(connection, {"least": 1.0}) == 1
    with database.read() as connection:
        assert connection.scalar(select(func.sum(table.c.failures))) == 7


def test_a_parameter_that_is_missing_is_a_bug(database: Database) -> None:
    with database.read() as connection, pytest.raises(KeyError):
        Prepared(FOUND).all(connection, {})


def test_what_sqlite_complains_of_is_explained(database: Database) -> None:
    with pytest.raises(PilotfishError, match="cannot use"), database.read() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
        Prepared(update(table).values(failures=1)).run(connection, {})


@pytest.mark.parametrize("made", MADE, ids=[f"{module}{name}" for module, name, _ in MADE])
def test_none_needs_a_type_of_sqlalchemys_and_all_are_known_to_postgres(
    made: tuple[str, str, Prepared],
) -> None:
    statement = made[2]._postgres
    columns = getattr(statement, "selected_columns", ())
    assert not [column.name for column in columns if isinstance(column.type, JSON)]
    assert "POSTCOMPILE" not in made[2]._text
    text = str(statement.compile(dialect=postgresql.dialect()))  # type: ignore[attr-defined]
    assert re.match(r"SELECT|UPDATE|INSERT", text)


def test_all_families_are_looked_at() -> None:
    assert len(MADE) >= 10

"""The database: its schema, its file, and readers beside a writer."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, insert, inspect, select

from pilotfish.errors import NotFound, SettingsError
from store.database import HEAD, MIGRATIONS, Database, locked
from store.schema import collections, metadata
from tests.store.made import document, fresh_database, put, with_collection

ROW = {"name": "c", "revision": 0, "encoder": "e", "split_tokens": 1, "created": 0.0}


def test_the_migrations_make_exactly_the_schema(tmp_path: Path) -> None:
    database = Database(tmp_path / "pilotfish.db", create=True)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        made = set(inspect(connection).get_table_names()) - {"alembic_version", "sqlite_sequence"}
    assert made == set(metadata.tables)
    database.close()


def test_the_migrations_keep_ids_from_being_used_twice(tmp_path: Path) -> None:
    """AUTOINCREMENT is not seen by compare_metadata; a tombstone relies on it."""
    database = fresh_database(tmp_path)
    with sqlite3.connect(database.path) as plain:
        made = dict(plain.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    plain.close()
    for name, table in metadata.tables.items():
        wanted = bool(table.dialect_options["sqlite"]["autoincrement"])
        assert ("AUTOINCREMENT" in made[name]) is wanted, name
        assert ("ON DELETE CASCADE" in made[name]) is bool(table.foreign_keys), name
    database.close()


def test_the_newest_migration_is_the_head_that_the_code_knows() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_migrated_database_is_at_the_head_and_sound(tmp_path: Path) -> None:
    database = fresh_database(tmp_path)
    assert database.version() == HEAD
    assert database.check() == "ok"
    database.close()


def test_a_missing_workspace_is_not_found_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="pilotfish add"):
        Database(tmp_path / "none" / "pilotfish.db", create=False)
    assert not (tmp_path / "none").exists()


def test_a_newer_schema_is_refused_with_the_mend(tmp_path: Path) -> None:
    database = fresh_database(tmp_path)
    database.close()
    with sqlite3.connect(database.path) as plain:
        plain.execute("UPDATE alembic_version SET version_num = '9999'")
    plain.close()
    with pytest.raises(SettingsError, match=r"schema 9999.*upgrade pilotfish"):
        Database(database.path, create=False)


def test_a_file_that_is_no_database_is_refused_with_the_mend(tmp_path: Path) -> None:
    path = tmp_path / "pilotfish.db"
    path.write_bytes(b"this is a shopping list, not a database\n" * 200)
    with pytest.raises(SettingsError, match=r"pilotfish\.db is damaged.*restore a backup"):
        Database(path, create=False)
    assert path.read_bytes().startswith(b"this is a shopping list")


def test_a_path_with_a_percent_sign_and_a_space_can_be_migrated(tmp_path: Path) -> None:
    path = tmp_path / "50% of it" / "pilotfish.db"
    database = Database(path, create=True)
    assert database.version() == HEAD and path.is_file()
    database.close()


def test_readers_see_their_snapshot_while_a_writer_writes(tmp_path: Path) -> None:
    database = fresh_database(tmp_path)
    query = select(func.count()).select_from(collections)
    with database.write() as writer:
        writer.execute(insert(collections).values(**ROW))
        with database.read() as reader:
            assert reader.scalar(query) == 0
            assert writer.scalar(query) == 1
    with database.read() as reader:
        assert reader.scalar(query) == 1
        with database.write() as writer:
            writer.execute(insert(collections).values(**ROW | {"name": "d"}))
        assert reader.scalar(query) == 1  # its snapshot has not moved
    database.close()


def test_a_transaction_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    database = fresh_database(tmp_path)
    with pytest.raises(ZeroDivisionError):
        with database.write() as connection:
            connection.execute(insert(collections).values(**ROW))
            1 / 0  # noqa: B018
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(collections)) == 0
    database.close()


def test_two_writers_wait_for_each_other_and_lose_no_count(tmp_path: Path) -> None:
    database = fresh_database(tmp_path)
    collection = with_collection(database)
    texts = [document(f"d{i}", f"text {i}") for i in range(20)]

    def work(mine: int) -> None:
        for one in texts[mine::2]:
            put(database, collection, one)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.scalar(select(collections.c.revision)) == len(texts)
    database.close()


def test_a_lock_that_is_taken_is_told_apart_from_one_that_is_free(tmp_path: Path) -> None:
    path = tmp_path / "new" / "one.lock"
    with locked(path) as first, locked(path, wait=False) as second:
        assert (first, second) == (True, False)
    with locked(path, wait=False) as again:
        assert again is True

"""The database: its schema, its file, and readers beside a writer."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, TimeoutError

from pilotfish.errors import NotFound, SettingsError, Unavailable
from store.database import _PRAGMAS, HEAD, MIGRATIONS, Database, locked, use_lock
from store.schema import collections, metadata
from store.trouble import explained
from tests.store.made import document, drop, fresh_database, put, with_collection

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


@pytest.mark.parametrize("name", ["50% of it", "what?mode=memory", "a#b", "100%20", "c:\\d@e"])
def test_a_path_of_any_signs_holds_the_database_itself(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "pilotfish.db"
    database = Database(path, create=True)
    assert database.version() == HEAD and path.is_file()
    assert [one.name for one in tmp_path.iterdir()] == [name]
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


def test_a_write_inside_a_write_of_one_thread_is_a_bug_told_at_once(tmp_path: Path) -> None:
    database = fresh_database(tmp_path)
    with database.write() as connection:
        with pytest.raises(RuntimeError, match="inside write"):
            with database.write():
                pass
        connection.execute(insert(collections).values(**ROW))
    with database.write() as connection:  # the lock is free again
        assert connection.scalar(select(func.count()).select_from(collections)) == 1
    database.close()


def test_many_threads_write_at_once_and_read_inside_without_waiting_for_ever(
    tmp_path: Path,
) -> None:
    database = fresh_database(tmp_path)
    query = select(func.count()).select_from(collections)

    def work(mine: int) -> int:
        for turn in range(3):
            with database.write() as writer:
                writer.execute(insert(collections).values(**ROW | {"name": f"{mine}-{turn}"}))
                with database.read() as reader, database.read() as another:
                    assert reader.scalar(query) == another.scalar(query) < 96
        return mine

    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(work, range(32))) == list(range(32))
    with database.read() as reader:
        assert reader.scalar(query) == 96
    database.close()


def complaint(code: int, kind: type[sqlite3.Error] = sqlite3.OperationalError) -> sqlite3.Error:
    error = kind("the driver's words")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (sqlite3.SQLITE_BUSY, "another process holds the write lock: try again"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "another process holds the write lock: try again"),
        (sqlite3.SQLITE_LOCKED, "another process holds the write lock: try again"),
        (sqlite3.SQLITE_FULL, "make room"),
        (sqlite3.SQLITE_IOERR_WRITE, "check its disk"),
        (sqlite3.SQLITE_CANTOPEN, "permissions"),
        (sqlite3.SQLITE_READONLY, "permissions"),
        (sqlite3.SQLITE_CORRUPT_INDEX, r"is damaged .*restore a backup"),
        (sqlite3.SQLITE_NOTADB, r"is damaged .*restore a backup"),
    ],
)
def test_each_trouble_of_sqlite_has_its_own_mend(tmp_path: Path, code: int, said: str) -> None:
    for error in (complaint(code), DBAPIError.instance("", None, complaint(code), sqlite3.Error)):
        kind = Unavailable if "try again" in said else SettingsError
        with pytest.raises(kind, match=said):
            with explained(tmp_path / "x.db"):
                raise error


def test_a_mistake_in_our_sql_is_no_trouble_of_the_disk(tmp_path: Path) -> None:
    database = fresh_database(tmp_path)
    with pytest.raises(OperationalError, match="no such table"):
        with database.read() as connection:
            connection.execute(text("SELECT 1 FROM nowhere"))
    with pytest.raises(IntegrityError):
        with database.write() as connection:
            for _ in range(2):
                connection.execute(insert(collections).values(**ROW))
    database.close()


def test_a_full_disk_and_a_foreign_writer_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "store.database._PRAGMAS", ("journal_mode=WAL", "busy_timeout=10", "max_page_count=1")
    )
    database = fresh_database(tmp_path)
    with pytest.raises(SettingsError, match="make room on its disk"):
        with database.write() as connection:
            connection.execute(insert(collections).values(**ROW | {"name": "x" * 500_000}))
    foreign = sqlite3.connect(database.path, isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="another process holds the write lock"):
        with database.write():
            pass
    foreign.close()
    database.close()


def test_text_that_is_no_utf8_is_damage(tmp_path: Path) -> None:
    database = fresh_database(tmp_path)
    with pytest.raises(SettingsError, match="is damaged"):
        with database.read() as connection:
            connection.execute(text("SELECT CAST(x'FFFE' AS TEXT)")).scalar()
    database.close()


def test_connections_that_all_stay_in_use_name_the_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="PILOTFISH_CONCURRENCY"):
        with explained(tmp_path / "x.db"):
            raise TimeoutError


def test_removed_text_is_overwritten_in_the_file_whatever_sqlite_was_built_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.database._PRAGMAS", ("secure_delete=OFF", *_PRAGMAS))
    database = fresh_database(tmp_path)
    with database.read() as connection:
        assert connection.execute(text("PRAGMA secure_delete")).scalar() == 1
    collection = with_collection(database)
    put(database, collection, document("a", "unforgettable words " * 500))
    drop(database, collection, "a")
    database.close()
    assert b"unforgettable" not in database.path.read_bytes()


def test_an_open_database_is_in_use_until_it_is_closed_and_opens_again(tmp_path: Path) -> None:
    first = fresh_database(tmp_path)
    second = Database(first.path, create=False)
    lock = use_lock(first.path)
    for one in (first, second):
        with locked(lock, wait=False) as alone:
            assert not alone
        one.close()
    with locked(lock, wait=False) as alone:
        assert alone
        with pytest.raises(SettingsError, match="is being restored: try again"):
            Database(first.path, create=False)


def test_a_database_that_cannot_be_opened_is_not_in_use(tmp_path: Path) -> None:
    path = tmp_path / "pilotfish.db"
    path.write_bytes(b"a shopping list, not a database\n" * 200)
    with pytest.raises(SettingsError) as caught:
        Database(path, create=False)
    with locked(use_lock(path), wait=False) as alone:
        assert alone, caught


def test_a_lock_that_is_taken_is_told_apart_from_one_that_is_free(tmp_path: Path) -> None:
    path = tmp_path / "new" / "one.lock"
    with locked(path) as first, locked(path, wait=False) as second:
        assert (first, second) == (True, False)
    with locked(path, wait=False) as again:
        assert again is True

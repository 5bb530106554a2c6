"""Opens the database, brings its schema up to date, and hands out connections.

SQLite in WAL mode: one writer beside any number of readers, safe to kill at any point.
Not here: statements, which live with their family (documents.py, jobs.py, ledger.py, ...).
"""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, OperationalError

from pilotfish.errors import NotFound, SettingsError

HEAD = "0002"  # newest revision in store/migrations/versions; a test keeps it true
MIGRATIONS = Path(__file__).parent / "migrations"
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=60000")


class Database:
    """One SQLite file. `read()` and `write()` give connections inside a transaction."""

    def __init__(self, path: Path, *, create: bool) -> None:
        if not create and not path.exists():
            raise NotFound(
                f"no workspace at {path.parent}: add documents first (pilotfish add PATH)"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._engine = _engine(path)
        self._writer = threading.Lock()  # SQLite's own waiting is by polling, and unfair
        with self._usable():
            self._upgrade()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent snapshot."""
        with self._usable(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; commits at the end."""
        with self._writer, self._usable(), self._engine.connect() as plain:
            connection = plain.execution_options(pilotfish_write=True)
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        """A file that cannot be read, written or trusted is the user's to mend; a bug is not."""
        try:
            yield
        except OperationalError as error:
            mend = "check its permissions and the space on its disk"
            raise SettingsError(f"cannot use {self.path}: {error.orig}: {mend}") from None
        except DatabaseError as error:
            if type(error.orig) is not sqlite3.DatabaseError:
                raise
            mend = "restore a backup (pilotfish restore FILE)"
            raise SettingsError(f"{self.path} is damaged ({error.orig}): {mend}") from None

    def close(self) -> None:
        self._engine.dispose()

    def version(self) -> str | None:
        """The schema's revision, None for an empty database."""
        with self.read() as connection:
            known = connection.execute(
                text("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
            ).scalar()
            if not known:
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    def check(self) -> str:
        """SQLite's own integrity check: 'ok' or its first complaint."""
        with self.read() as connection:
            return str(connection.execute(text("PRAGMA quick_check(1)")).scalar())

    def _upgrade(self) -> None:
        version = self.version()
        if version == HEAD:
            return
        if version is not None and version > HEAD:
            raise SettingsError(
                f"{self.path} has schema {version}, this pilotfish knows {HEAD}: upgrade pilotfish"
            )
        with locked(self.path.with_suffix(".migrate.lock")):
            if self.version() != HEAD:
                _migrate(self.path)


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold an advisory lock on a file; gives False at once when not waiting and it is taken."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a")
    except OSError as error:
        mend = "make the workspace writable"
        raise SettingsError(f"cannot lock {path}: {error.strerror}: {mend}") from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"timeout": 60}, pool_size=16, max_overflow=112
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("pilotfish_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _migrate(path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{path}".replace("%", "%%"))
    command.upgrade(config, "head")

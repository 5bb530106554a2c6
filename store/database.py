"""Opens the database, brings its schema up to date, and hands out connections.

SQLite in WAL mode: one writer beside any number of readers, safe to kill at any point.
Not here: statements, which live with their family (documents.py, jobs.py, ledger.py, ...).
"""

from __future__ import annotations

import contextlib
import fcntl
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

from pilotfish.errors import NotFound, SettingsError
from store.trouble import explained

HEAD = "0008"  # newest revision in store/migrations/versions; a test keeps it true
MIGRATIONS = Path(__file__).parent / "migrations"
WAIT_SECONDS = 60.0
_PRAGMAS = (
    "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=60000",
    "secure_delete=ON",  # removed text is overwritten, and so in no backup
)  # fmt: skip


class Database:
    """One SQLite file. `read()` and `write()` give connections inside a transaction."""

    def __init__(self, path: Path, *, create: bool) -> None:
        if not create and not path.exists():
            raise NotFound(
                f"no workspace at {path.parent}: add documents first (pilotfish add PATH)"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._used = contextlib.ExitStack()
        if not self._used.enter_context(locked(use_lock(path), wait=False, shared=True)):
            raise SettingsError(f"{path.parent} is being restored: try again when that is done")
        weakref.finalize(self, self._used.close)  # also when nobody calls close()
        self._engine = _engine(path)
        self._writer = threading.Lock()  # SQLite's own waiting is by polling, and unfair
        self._writing: int | None = None  # the thread that holds it
        self._gate: TextIO | None = None
        try:
            with explained(path):
                self._upgrade()
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent snapshot."""
        with explained(self.path), self._engine.connect() as connection, connection.begin():
            _say(connection, "BEGIN")
            yield connection

    @contextlib.contextmanager
    def write(self, lock: str | None = "", *, durable: bool = True) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; commits at the end.

        lock: whom it keeps out, where a database can do better than one writer at a time: ""
        all that say so too, a name those of that name, None nobody (statements that hold by
        themselves). SQLite has one writer whatever is said.
        durable: on the disk when it ends, which costs milliseconds. What is done again when it
        is lost need not be: a power cut may take it back, a killed process never does.
        """
        mode = "FULL" if durable else "NORMAL"
        with self._alone(), explained(self.path), self._engine.connect() as connection:
            with connection.begin():
                if connection.info.get("synchronous") != mode:
                    _say(connection, f"PRAGMA synchronous={mode}")
                    connection.info["synchronous"] = mode
                _say(connection, "BEGIN IMMEDIATE")
                yield connection

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        me = threading.get_ident()
        if self._writing == me:
            raise RuntimeError("write() inside write() would wait for itself: pass the connection")
        with self._writer, self._turn():
            self._writing = me
            try:
                yield
            finally:
                self._writing = None

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Among processes. SQLite's own waiting sleeps up to 100 ms at a time; this one, half a
        millisecond. After WAIT_SECONDS SQLite's lock decides, which also is the real guard.
        """
        if self._gate is None:
            gate = self.path.with_suffix(".write.lock")
            with contextlib.suppress(OSError):  # a workspace that only lets itself be read
                self._gate = self._used.enter_context(gate.open("a"))
        if self._gate is None:
            yield
            return
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            try:
                fcntl.flock(self._gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.0005)
        try:
            yield
        finally:
            fcntl.flock(self._gate, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file; a restore may then replace it."""
        self._engine.dispose()
        self._gate = None
        self._used.close()

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
        if is_current(self.version(), self.path):
            return
        with locked(self.path.with_suffix(".migrate.lock")):
            if self.version() != HEAD:
                upgrade_to_head(_url(self.path))


def use_lock(path: Path) -> Path:
    """Held shared by whoever has the database open, alone by what replaces it (backup.py)."""
    return path.with_suffix(".use.lock")


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True, shared: bool = False) -> Iterator[bool]:
    """Hold an advisory lock on a file; gives False at once when not waiting and it is taken."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a")
    except OSError as error:
        mend = "make the workspace writable"
        raise SettingsError(f"cannot lock {path}: {error.strerror}: {mend}") from None
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    with handle:
        try:
            fcntl.flock(handle, kind | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


def _engine(path: Path) -> Engine:
    engine = create_engine(_url(path), connect_args={"timeout": 60}, pool_size=16, max_overflow=112)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _say(connection: Connection, statement: str) -> None:
    """To the driver itself: each transaction begins so, and a listener of the engine's "begin"
    would make SQLAlchemy look for listeners at each statement.
    """
    driver: Any = connection.connection.driver_connection
    driver.execute(statement)


def _url(path: Path) -> URL:
    return URL.create("sqlite", database=str(path))  # quotes ? % # itself


def is_current(version: str | None, name: object) -> bool:
    """Whether the schema is ours; SettingsError when a later pilotfish made it."""
    if version is not None and version > HEAD:
        raise SettingsError(
            f"{name} has schema {version}, this pilotfish knows {HEAD}: upgrade pilotfish"
        )
    return version == HEAD


def upgrade_to_head(url: URL) -> None:
    """Run the migrations that the database lacks, in one transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    text_of_url = url.render_as_string(hide_password=False)
    config.set_main_option("sqlalchemy.url", text_of_url.replace("%", "%%"))
    command.upgrade(config, "head")

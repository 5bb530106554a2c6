"""The same tables in Postgres, by URL: for more than one machine, or many writers at once.

Transactions of `write` keep each other out by advisory locks, as far as they say they must;
`read` sees one snapshot. Not here: statements, which are the same for both databases.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError, TimeoutError

from pilotfish.errors import SettingsError, Unavailable
from store.database import HEAD, Database, is_current, upgrade_to_head

POOL, OVERFLOW = 16, 48
_DRIVER = "postgresql+psycopg"


class PostgresDatabase(Database):
    """One Postgres database. `url` as `postgresql://user:password@host/name`."""

    def __init__(self, url: str) -> None:
        self.path = Path("postgres")
        self.url = _parsed(url)
        self._used = contextlib.ExitStack()
        self._engine = _engine(self.url)
        try:
            self._upgrade()
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """The URL without its password, for messages."""
        return self.url.render_as_string(hide_password=True)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent snapshot."""
        with self._explained(), self._engine.connect() as plain:
            connection = plain.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def write(self, lock: str | None = "", *, durable: bool = True) -> Iterator[Connection]:
        """A transaction; it waits for those that hold the same lock, see Database.write."""
        with self._explained(), self._engine.connect() as connection, connection.begin():
            if not durable:
                connection.execute(text("SET LOCAL synchronous_commit = off"))
            if lock is not None:
                _hold(connection, lock)
            yield connection

    def version(self) -> str | None:
        """The schema's revision, None for an empty database."""
        with self.read() as connection:
            if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
                return None
            found = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return None if found is None else str(found)

    def check(self) -> str:
        """'ok': Postgres checks its own pages."""
        return "ok"

    def _upgrade(self) -> None:
        if is_current(self.version(), self.name):
            return
        with self.write("migrate"):  # another process may be at it
            if self.version() != HEAD:
                upgrade_to_head(self.url)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """An unreachable server, and a full pool, pass; a bug of ours is raised as it is."""
        try:
            yield
        except (OperationalError, InterfaceError, TimeoutError) as error:
            reason = " ".join(str(getattr(error, "orig", None) or error).split())[:200]
            raise Unavailable(f"{self.name}: {reason}: is the database running?") from None
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            raise Unavailable(f"{self.name}: the connection broke: try again") from None


def _hold(connection: Connection, lock: str) -> None:
    """Wait for the advisory lock of that name; the end of the transaction frees it."""
    number = int.from_bytes(hashlib.sha256(lock.encode()).digest()[:8], "big", signed=True)
    connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": number})


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError(f"PILOTFISH_DATABASE {_EXAMPLE}") from None
    if parsed.get_backend_name() != "postgresql":
        raise SettingsError(f"PILOTFISH_DATABASE names {parsed.get_backend_name()!r}: {_EXAMPLE}")
    return parsed.set(drivername=_DRIVER)


_EXAMPLE = "give it as postgresql://user:password@host/name"


def _engine(url: URL) -> Engine:
    try:
        return create_engine(
            url, pool_size=POOL, max_overflow=OVERFLOW, pool_pre_ping=True,
            connect_args={"connect_timeout": 10},
        )  # fmt: skip
    except ModuleNotFoundError:
        raise SettingsError('psycopg is missing: pip install "pilotfish[engine]"') from None

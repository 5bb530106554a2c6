"""What SQLite complains of, as an error with its mend. Anything else is a bug and passes on."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.exc import DatabaseError, TimeoutError

from pilotfish.errors import PilotfishError, SettingsError, Unavailable

_PERMISSIONS = "check its permissions, and those of its folder"
_RESTORE = "restore a backup (pilotfish restore FILE)"
_AGAIN = "another process holds the write lock: try again when it is done"
_MENDS = {
    sqlite3.SQLITE_BUSY: _AGAIN,
    sqlite3.SQLITE_LOCKED: _AGAIN,
    sqlite3.SQLITE_PROTOCOL: _AGAIN,
    sqlite3.SQLITE_FULL: "make room on its disk",
    sqlite3.SQLITE_IOERR: "check its disk",
    sqlite3.SQLITE_CANTOPEN: _PERMISSIONS,
    sqlite3.SQLITE_READONLY: _PERMISSIONS,
    sqlite3.SQLITE_PERM: _PERMISSIONS,
    sqlite3.SQLITE_CORRUPT: _RESTORE,
    sqlite3.SQLITE_NOTADB: _RESTORE,
}


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """A database that cannot be read, written or trusted is the user's to mend; a bug is not."""
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as error:
        cause = error.orig if isinstance(error, DatabaseError) else error
        told = _told(path, cause)
        if told is None:
            raise
        raise told from None
    except TimeoutError:
        raise SettingsError(
            f"{path}: all connections stayed in use: lower PILOTFISH_CONCURRENCY"
        ) from None


def damaged(cause: BaseException | None) -> bool:
    """Whether the bytes of the database are wrong, rather than its surroundings."""
    return _MENDS.get(_code(cause)) == _RESTORE


def _code(cause: BaseException | None) -> int:
    """SQLite's primary error code."""
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return int(code) & 0xFF
    # The driver's own complaint: text that is no UTF-8 was never ours.
    broken = str(cause).startswith("Could not decode to UTF-8")
    return sqlite3.SQLITE_CORRUPT if broken else sqlite3.SQLITE_ERROR


def _told(path: Path, cause: BaseException | None) -> PilotfishError | None:
    if damaged(cause):
        return SettingsError(f"{path} is damaged ({cause}): {_RESTORE}")
    mend = _MENDS.get(_code(cause))
    if mend == _AGAIN:
        return Unavailable(f"cannot use {path}: {cause}: {mend}")
    return SettingsError(f"cannot use {path}: {cause}: {mend}") if mend else None

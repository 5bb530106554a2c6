"""A workspace folder: the database, the secret, one folder a collection.

Not here: what lies in the collections' folders (retrievers/generation.py).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pilotfish.errors import SettingsError
from store.database import Database

DATABASE = "pilotfish.db"
SECRET = "secret"
COLLECTIONS = "collections"
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Workspace:
    """An opened workspace."""

    root: Path
    database: Database
    secret: bytes

    def index_root(self, collection: str) -> Path:
        """Where the index generations of a collection lie."""
        return self.root / COLLECTIONS / collection / "index"


def open_workspace(root: Path, *, create: bool, url: str | None = None) -> Workspace:
    """Open a workspace; NotFound when there is none and it may not be created.

    url: of a Postgres database that is used instead of a file in the workspace.
    """
    if root.exists() and not root.is_dir():
        raise SettingsError(f"workspace {root} is a file: name a folder (--workspace DIR)")
    try:
        database = _database(root, create, url)
        try:
            return Workspace(root, database, _secret(root / SECRET))
        except BaseException:
            database.close()
            raise
    except OSError as error:
        raise SettingsError(
            f"workspace {root}: {error.strerror}: choose one you may write"
        ) from None


def _database(root: Path, create: bool, url: str | None) -> Database:
    if url is None:
        return Database(root / DATABASE, create=create)
    from store.postgres import PostgresDatabase

    root.mkdir(parents=True, exist_ok=True)
    return PostgresDatabase(url)


def exists(root: Path) -> bool:
    """Whether a workspace lies there."""
    return (root / DATABASE).is_file()


def _secret(path: Path) -> bytes:
    """The workspace's 32 random bytes; made once, readable by its owner only."""
    if not path.exists():
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".secret-")
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first: theirs counts
            os.link(name, path)
        os.unlink(name)
    found = path.read_bytes()
    if len(found) != _SECRET_BYTES:
        raise SettingsError(
            f"{path} holds {len(found)} bytes, not {_SECRET_BYTES}: delete it to have a new one "
            "made, or restore a backup (pilotfish restore FILE)"
        )
    return found

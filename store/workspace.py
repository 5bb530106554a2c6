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

from pilotfish.errors import NotFound, SettingsError
from store.database import Database

DATABASE = "pilotfish.db"
SECRET = "secret"


@dataclass(frozen=True, slots=True)
class Workspace:
    """An opened workspace."""

    root: Path
    database: Database
    secret: bytes

    def index_root(self, collection: str) -> Path:
        """Where the index generations of a collection lie."""
        return self.root / "collections" / collection / "index"


def open_workspace(root: Path, *, create: bool) -> Workspace:
    """Open a workspace; NotFound when there is none and it may not be created."""
    if root.exists() and not root.is_dir():
        raise SettingsError(f"workspace {root} is a file: name a folder (--workspace DIR)")
    try:
        database = Database(root / DATABASE, create=create)
        return Workspace(root, database, _secret(root / SECRET))
    except OSError as error:
        raise SettingsError(
            f"workspace {root}: {error.strerror}: choose one you may write"
        ) from None


def exists(root: Path) -> bool:
    """Whether a workspace lies there."""
    return (root / DATABASE).is_file()


def require(root: Path) -> None:
    """NotFound unless a workspace lies there."""
    if not exists(root):
        raise NotFound(f"no workspace at {root}: add documents first (pilotfish add PATH)")


def _secret(path: Path) -> bytes:
    """The workspace's 32 random bytes; made once, readable by its owner only."""
    if not path.exists():
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".secret-")
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
        with contextlib.suppress(FileExistsError):  # another process was first: theirs counts
            os.link(name, path)
        os.unlink(name)
    return path.read_bytes()

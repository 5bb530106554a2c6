"""Uploaded files: their bytes in the workspace under a random id, their names in the database.

Not here: what is done with them.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select

from pilotfish.errors import InputError, NotFound
from store.schema import files

FOLDER = "uploads"


@dataclass(frozen=True, slots=True)
class Upload:
    """A stored file. `name` is what the user called it, and is never used as a path."""

    id: str
    tenant: str
    name: str
    purpose: str
    bytes: int
    sha256: str
    created: float


_COLUMNS = [files.c[name] for name in Upload.__slots__]


def place(root: Path, file_id: str) -> Path:
    """Where the bytes of that id lie."""
    return root / FOLDER / file_id


def save(root: Path, blocks: Iterable[bytes], limit: int) -> tuple[str, int, str]:
    """Write blocks under a new id; (id, bytes, sha256). InputError over `limit` bytes."""
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    file_id = f"file-{secrets.token_hex(12)}"
    path, digest, size = folder / file_id, hashlib.sha256(), 0
    try:
        with path.open("xb") as handle:
            for block in blocks:
                size += len(block)
                if size > limit:
                    raise InputError(f"the file is over {limit:,} bytes: send it in parts")
                digest.update(block)
                handle.write(block)
            handle.flush()
            os.fsync(handle.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return file_id, size, digest.hexdigest()


def record(
    connection: Connection, tenant: str, name: str, purpose: str, saved: tuple[str, int, str]
) -> Upload:
    """Note a saved file."""
    row = Upload(saved[0], tenant, name, purpose, saved[1], saved[2], time.time())
    values = {column: getattr(row, column) for column in Upload.__slots__}
    connection.execute(insert(files).values(**values))
    return row


def find(connection: Connection, file_id: str, tenant: str) -> Upload:
    """The tenant's file of that id; NotFound else, as for a guessed one."""
    query = select(*_COLUMNS).where(files.c.id == file_id, files.c.tenant == tenant)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"no file {file_id!r}")
    return Upload(*row)


def listing(connection: Connection, tenant: str, limit: int) -> list[Upload]:
    """The tenant's files, newest first."""
    mine = select(*_COLUMNS).where(files.c.tenant == tenant)
    return [
        Upload(*r) for r in connection.execute(mine.order_by(files.c.created.desc()).limit(limit))
    ]


def drop(connection: Connection, root: Path, file_id: str, tenant: str) -> None:
    """Forget a file and remove its bytes."""
    find(connection, file_id, tenant)
    connection.execute(delete(files).where(files.c.id == file_id))
    place(root, file_id).unlink(missing_ok=True)

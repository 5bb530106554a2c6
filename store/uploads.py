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

from sqlalchemy import Connection, delete, insert, or_, select

from pilotfish.errors import InputError, NotFound
from store.items import AGAIN
from store.passages import chunks
from store.schema import files, items, jobs

FOLDER, DOCUMENTS = "uploads", "documents"
ARRIVING = 3600.0  # seconds in which a new file finds its way into a job


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


def discard(connection: Connection, root: Path, row: Upload) -> None:
    """Forget a file that may be gone already, and remove its bytes."""
    connection.execute(delete(files).where(files.c.id == row.id))
    place(root, row.id).unlink(missing_ok=True)


def unneeded(connection: Connection, before: float) -> list[Upload]:
    """Files of index jobs that will not be read again: their item has ended well, was forgotten
    or removed, or had failed in a job that ended before that moment.
    """
    arrived = (files.c.purpose == DOCUMENTS) & (files.c.created < time.time() - ARRIVING)
    left = [Upload(*row) for row in connection.execute(select(*_COLUMNS).where(arrived))]
    if not left:
        return []
    recent = or_(jobs.c.finished.is_(None), jobs.c.finished >= before)
    failed = items.c.state.in_((*AGAIN, "cancelled")) & recent
    wanted = jobs.c.kind == "index", or_(items.c.state.in_(("pending", "leased")), failed)
    names = select(items.c.question["file"].as_string())
    query = names.join_from(items, jobs, jobs.c.id == items.c.job_id).where(*wanted)
    needed = set(connection.scalars(query))
    return [row for row in left if row.id not in needed]


def older(connection: Connection, before: float) -> list[Upload]:
    """Files of batches, given and made, of before that moment: questions and answers stand in
    them.
    """
    old = (files.c.purpose != DOCUMENTS) & (files.c.created < before)
    return [Upload(*row) for row in connection.execute(select(*_COLUMNS).where(old))]


def sweep(connection: Connection, root: Path) -> int:
    """Remove bytes that a crash left without a row; gives how many files."""
    found = {path.name: path for path in (root / FOLDER).glob("file-*") if _has_arrived(path)}
    for some in chunks(list(found)):
        for name in connection.scalars(select(files.c.id).where(files.c.id.in_(some))):
            found.pop(name, None)
    for path in found.values():
        path.unlink(missing_ok=True)
    return len(found)


def _has_arrived(path: Path) -> bool:
    try:
        return path.stat().st_mtime < time.time() - ARRIVING
    except FileNotFoundError:
        return False

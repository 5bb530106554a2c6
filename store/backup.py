"""A workspace in one file, and back. Indexes are left out: they are rebuilt from the database.

The file is a zip of the database (SQLite's own online copy, consistent beside writers), the
secret, and a manifest with their hashes, written last.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pilotfish.errors import InputError, NotFound
from store.database import locked, use_lock
from store.files import file_sha256, fsync
from store.trouble import damaged, explained
from store.workspace import COLLECTIONS, DATABASE, SECRET, Workspace, exists

MANIFEST = "manifest.json"
FORMAT = 1
_BLOCK = 1 << 20
_RESTORING, _COPYING = ".restore-", ".backup-"  # folders that last as long as the work
_DAMAGED = (  # what zipfile and json raise on bytes that are not what backup wrote
    zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, OSError,
    NotImplementedError, RuntimeError, AttributeError,
)  # fmt: skip


def backup(workspace: Workspace, target: Path) -> int:
    """Write the backup beside `target`, then rename; give its size in bytes."""
    with _told(f"write {target}", "choose another file"):
        if target.exists() and not target.is_file():
            raise InputError(f"cannot write {target}: it is no plain file: choose another file")
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".pilotfish-")
        try:
            with os.fdopen(handle, "wb") as file, _copied_database(workspace.root) as copy:
                _pack(file, {DATABASE: copy, SECRET: workspace.root / SECRET})
                _settle(file)
            os.replace(name, target)
            fsync(target.parent)
        finally:
            Path(name).unlink(missing_ok=True)
        return target.stat().st_size


def restore(source: Path, root: Path, *, force: bool) -> None:
    """Put a backup in place of the workspace at `root`; refuses to overwrite unless forced.

    The folder itself and other files in it stay: it may be a link or a mount point. Killed at
    any point, the old documents are whole or the new ones are.
    """
    with _told(f"restore into {root}", "name another folder, or make this one writable"):
        root = root.resolve()
        _check(source, root, force)
        made, lock = not root.exists(), use_lock(root / DATABASE)
        with locked(lock, wait=False) as alone:
            if not alone:
                raise InputError(f"another process uses {root}: stop it, then restore again")
            try:
                _restore(source, root)
            except BaseException:
                if made:
                    with contextlib.suppress(OSError):
                        lock.unlink()
                        root.rmdir()
                raise


def _check(source: Path, root: Path, force: bool) -> None:
    if not source.is_file():
        raise NotFound(f"no backup at {source}: check the path")
    if root.exists() and not root.is_dir():
        raise InputError(f"{root} is a file: name a folder (--workspace DIR)")
    if exists(root) and not force:
        raise InputError(f"{root} already holds a workspace: add --force to replace it")
    if root.exists() and not force and any(root.iterdir()):
        raise InputError(f"{root} holds other files: name another folder, or add --force")


def _restore(source: Path, root: Path) -> None:
    """Alone on the workspace: whole beside the old files first, then over them."""
    for left in (*root.glob(f"{_RESTORING}*"), *root.glob(f"{_COPYING}*")):  # by a kill
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=root, prefix=_RESTORING) as folder:
        fresh = Path(folder)
        _unpack(source, fresh)
        _fold_log(root / DATABASE)
        if (root / COLLECTIONS).exists():  # indexes of the old documents: only caches
            os.replace(root / COLLECTIONS, fresh / COLLECTIONS)
        if (root / SECRET).exists():
            os.link(root / SECRET, fresh / "old")
        os.replace(fresh / SECRET, root / SECRET)
        try:
            os.replace(fresh / DATABASE, root / DATABASE)  # the step that counts
        except OSError:
            if (fresh / "old").exists():
                os.replace(fresh / "old", root / SECRET)
            raise
        fsync(root)


def _fold_log(database: Path) -> None:
    """Write SQLite's log into the old database: beside the new one it would be replayed there."""
    with explained(database):
        try:
            if database.exists() and _checkpoint(database):
                raise InputError(f"another program uses {database}: stop it, then restore again")
        except sqlite3.DatabaseError as error:
            if not damaged(error):  # what is damaged is not worth its log
                raise
    for suffix in ("-wal", "-shm", "-journal"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def _checkpoint(database: Path) -> bool:
    """Whether somebody else kept it from being done."""
    with contextlib.closing(sqlite3.connect(database, timeout=1)) as plain:
        return bool(plain.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])


@contextlib.contextmanager
def _copied_database(root: Path) -> Iterator[Path]:
    """A consistent copy of the database, for as long as the context lasts."""
    with contextlib.ExitStack() as stack:
        with _told(f"copy the database in {root}", "make room and make it writable"):
            folder = tempfile.TemporaryDirectory(dir=root, prefix=_COPYING)
            copy = Path(stack.enter_context(folder)) / DATABASE
        with explained(root / DATABASE):
            reader = stack.enter_context(contextlib.closing(sqlite3.connect(root / DATABASE)))
            writer = stack.enter_context(contextlib.closing(sqlite3.connect(copy)))
            reader.backup(writer)
        yield copy


def _pack(file: IO[bytes], files: dict[str, Path]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for name, path in files.items():
            archive.write(path, name)
        hashes = {name: file_sha256(path) for name, path in files.items()}
        archive.writestr(MANIFEST, json.dumps({"format": FORMAT, "files": hashes}))


def _unpack(source: Path, folder: Path) -> None:
    bad = InputError(f"{source} is no whole pilotfish backup: use the file that backup wrote")
    with _told(f"read {source}", "check its permissions"):
        handle = source.open("rb")
    with handle:
        try:
            archive = zipfile.ZipFile(handle)
        except _DAMAGED:
            raise bad from None
        for name, expected in _manifest(archive, bad).items():
            if _extract(archive, name, folder, bad) != expected:
                raise bad


def _manifest(archive: zipfile.ZipFile, bad: InputError) -> dict[str, str]:
    """Name -> sha256 of the two files."""
    try:
        manifest = json.loads(archive.read(MANIFEST))
        files = dict(manifest["files"])
        if manifest["format"] == FORMAT and set(files) == {DATABASE, SECRET}:
            return files
    except _DAMAGED:
        pass
    raise bad


def _extract(archive: zipfile.ZipFile, name: str, folder: Path, bad: InputError) -> str:
    """Write one file, its owner's only; give its sha256. OSError here is the disk's."""
    digest = hashlib.sha256()
    handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        for block in _blocks(archive, name, bad):
            digest.update(block)
            out.write(block)
        _settle(out)
    return digest.hexdigest()


def _blocks(archive: zipfile.ZipFile, name: str, bad: InputError) -> Iterator[bytes]:
    try:
        with archive.open(name) as packed:
            while block := packed.read(_BLOCK):
                yield block
    except _DAMAGED:
        raise bad from None


@contextlib.contextmanager
def _told(what: str, mend: str) -> Iterator[None]:
    """What the disk refuses is the user's to mend."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot {what}: {error.strerror or error}: {mend}") from None


def _settle(file: IO[bytes]) -> None:
    """On the disk, not only on its way there."""
    file.flush()
    os.fsync(file.fileno())

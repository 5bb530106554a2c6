"""A workspace in one file, and back. Indexes are left out: they are rebuilt from the database.

The file is a zip of the database (SQLite's own online copy, consistent beside writers), the
secret, and a manifest with their hashes, written last.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from pathlib import Path

from pilotfish.errors import InputError, NotFound
from store.workspace import DATABASE, SECRET, Workspace, exists

MANIFEST = "manifest.json"
FORMAT = 1
_DAMAGED = (  # what zipfile and json raise on bytes that are not what backup wrote
    zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, OSError,
    NotImplementedError, RuntimeError,
)  # fmt: skip


def backup(workspace: Workspace, target: Path) -> int:
    """Write the backup beside `target`, then rename; give its size in bytes."""
    with tempfile.TemporaryDirectory(dir=workspace.root) as folder:
        copy = Path(folder) / DATABASE
        _copy_database(workspace.root / DATABASE, copy)
        fresh = target.with_name(target.name + ".part")
        try:
            _pack(fresh, {DATABASE: copy, SECRET: workspace.root / SECRET})
            os.replace(fresh, target)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise InputError(
                f"cannot write {target}: {error.strerror}: choose another file"
            ) from None
    return target.stat().st_size


def restore(source: Path, root: Path, *, force: bool) -> None:
    """Put a backup in place of the workspace at `root`; refuses to overwrite unless forced."""
    if not source.is_file():
        raise NotFound(f"no backup at {source}: check the path")
    if exists(root) and not force:
        raise InputError(f"{root} already holds a workspace: add --force to replace it")
    if root.exists() and not force and (not root.is_dir() or any(root.iterdir())):
        raise InputError(f"{root} holds other files: name another folder, or add --force")
    root.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=root.parent, prefix=f".{root.name}-restore-"))
    try:
        _unpack(source, fresh)
        old = fresh.with_name(fresh.name + "-old")
        if root.exists():
            os.replace(root, old)
        os.replace(fresh, root)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _copy_database(source: Path, target: Path) -> None:
    reader, writer = sqlite3.connect(source), sqlite3.connect(target)
    try:
        reader.backup(writer)
    finally:
        reader.close()
        writer.close()


def _pack(target: Path, files: dict[str, Path]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for name, path in files.items():
            archive.write(path, name)
        hashes = {name: _sha256(path) for name, path in files.items()}
        archive.writestr(MANIFEST, json.dumps({"format": FORMAT, "files": hashes}))


def _unpack(source: Path, folder: Path) -> None:
    bad = InputError(f"{source} is no whole pilotfish backup: use the file that backup wrote")
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            if manifest["format"] != FORMAT or set(manifest["files"]) != {DATABASE, SECRET}:
                raise bad
            for name, expected in manifest["files"].items():
                archive.extract(name, folder)
                if _sha256(folder / name) != expected:
                    raise bad
    except _DAMAGED:
        raise bad from None
    (folder / SECRET).chmod(0o600)


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()

"""Generations of index files: built beside the old one, hashed, published by one rename.

`CURRENT` names the live folder and its manifest's sha256; the manifest, written last, carries
the sha256 of every file, the collection's revision and the encoder's fingerprint. What does not
match is refused. Not here: what the indexes hold (bm25.py, dense.py).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pilotfish.errors import IndexCorrupt

FORMAT = 1
CURRENT = "CURRENT"
MANIFEST = "manifest.json"
_POINTER = re.compile(r"(?P<folder>gen-\d+-[0-9a-f]+) (?P<sha256>[0-9a-f]{64})")
_MEND = "run pilotfish doctor --repair"
_KEEP_SECONDS = 600  # a reader that opened the old generation gets to finish


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation was built from. `files` maps a relative path to its sha256.

    `buried`: removed passages whose postings still lie, unreachable, in the lexical files.
    """

    format: int
    revision: int
    encoder: str
    passages: int
    vectors: int
    buried: int
    files: dict[str, str]


def current(root: Path) -> Path | None:
    """The live generation's folder; None before the first build."""
    try:
        text = (root / CURRENT).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise IndexCorrupt(f"{root / CURRENT} cannot be read ({error}): {_MEND}") from None
    named = _POINTER.fullmatch(text)
    if named is None:
        raise IndexCorrupt(f"{root / CURRENT} names no generation ({text[:40]!r}): {_MEND}")
    _same(root / named["folder"] / MANIFEST, named["sha256"])
    return root / named["folder"]


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a generation; IndexCorrupt when missing, unreadable or of another format."""
    try:
        fields = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest(**fields)
    except (OSError, ValueError, TypeError) as error:
        raise IndexCorrupt(f"{folder / MANIFEST} cannot be read ({error}): {_MEND}") from None
    if manifest.format != FORMAT:
        raise IndexCorrupt(f"{folder} has index format {manifest.format}, not {FORMAT}: {_MEND}")
    return manifest


def verify(folder: Path, manifest: Manifest) -> None:
    """Hash every file; IndexCorrupt names the first that differs."""
    for name, expected in manifest.files.items():
        _same(folder / name, expected)


def _same(path: Path, expected: str) -> None:
    try:
        actual = file_sha256(path)
    except OSError as error:
        raise IndexCorrupt(f"index file {path} cannot be read ({error}): {_MEND}") from None
    if actual != expected:
        raise IndexCorrupt(f"index file {path} is damaged (its hash differs): {_MEND}")


def begin(root: Path, revision: int) -> Path:
    """A new empty folder beside the live one."""
    folder = root / f"gen-{revision:08d}-{secrets.token_hex(4)}"
    folder.mkdir(parents=True)
    return folder


def publish(root: Path, folder: Path, manifest: Manifest) -> None:
    """Make a finished folder durable and live; sweep generations nobody reads any more."""
    for path in _files(folder):
        _fsync(path)
    text = json.dumps(asdict(manifest), indent=1)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    _fsync(folder / MANIFEST)
    _fsync(folder)
    fresh = root / f"{CURRENT}.new"
    fresh.write_text(f"{folder.name} {file_sha256(folder / MANIFEST)}", encoding="utf-8")
    _fsync(fresh)
    os.replace(fresh, root / CURRENT)
    _fsync(root)
    _sweep(root, folder.name)


def hashes(folder: Path) -> dict[str, str]:
    """Relative path -> sha256 of every index file in a folder (locks left out)."""
    return {str(path.relative_to(folder)): file_sha256(path) for path in _files(folder)}


def file_sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def clone(source: Path, target: Path) -> None:
    """Hard-link the files of an index folder; files that are rewritten in place are copied."""
    target.mkdir(parents=True)
    for path in _files(source):
        if path.suffix == ".json":
            shutil.copy2(path, target / path.name)
        else:
            os.link(path, target / path.name)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".lock" and path.name != MANIFEST:
            yield path


def _sweep(root: Path, live: str) -> None:
    for folder in root.glob("gen-*"):
        if folder.name != live and time.time() - folder.stat().st_mtime > _KEEP_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Generations of index files: built beside the old one, hashed, published by one rename.

`CURRENT` names the live folder and its manifest's sha256; the manifest, written last, carries
the sha256 of every file, the collection's uid and revision and the encoder's fingerprint. What
does not match is refused. Not here: what the indexes hold (bm25_index.py, dense_index.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pilotfish.errors import IndexCorrupt
from store.collections import Collection
from store.files import file_sha256, fsync

FORMAT = 2
CURRENT = "CURRENT"
FAISS = "faiss"  # the vectors lie in the folder; manifests of before say nothing else
ELSEWHERE = "dense.json"  # in a folder whose vectors do not: where they lie
MANIFEST = "manifest.json"
_POINTER = re.compile(r"(?P<folder>gen-\d+-[0-9a-f]+) (?P<sha256>[0-9a-f]{64})")
_MEND = "run pilotfish doctor --repair"
_KEEP_SECONDS = 600  # after it was replaced: whoever is opening it gets to finish
# Told which folder goes and which stay, lets go of what lies elsewhere; False: the folder waits.
Release = Callable[[Path, Sequence[Path]], bool]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation was built from. `files` maps a relative path to its sha256.

    `buried`: removed passages whose postings still lie, unreachable, in the lexical files.
    `dense`: what keeps the vectors (nearest.py).
    """

    format: int
    collection: str  # its uid
    revision: int
    encoder: str
    passages: int
    vectors: int
    buried: int
    files: dict[str, str]
    dense: str = FAISS


def pointer(root: Path) -> str | None:
    """What CURRENT says, unchecked: changes with each publishing. None before the first build."""
    try:
        return (root / CURRENT).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"unreadable: {error.strerror}"


def named(root: Path, text: str) -> Path:
    """The generation that this pointer names; IndexCorrupt unless its manifest is the one meant."""
    match = _POINTER.fullmatch(text)
    if match is None:
        raise IndexCorrupt(f"{root / CURRENT} names no generation ({text[:40]!r}): {_MEND}")
    _same(root / match["folder"] / MANIFEST, match["sha256"])
    return root / match["folder"]


def current(root: Path) -> Path | None:
    """The live generation's folder; None before the first build."""
    text = pointer(root)
    return None if text is None else named(root, text)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a generation; IndexCorrupt when missing, unreadable or of another format."""
    try:
        fields = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        found = dict(fields).get("format", FORMAT)
        if found != FORMAT:
            raise IndexCorrupt(f"{folder} has index format {found}, not {FORMAT}: {_MEND}")
        return Manifest(**fields)
    except (OSError, ValueError, TypeError) as error:
        raise IndexCorrupt(f"{folder / MANIFEST} cannot be read ({error}): {_MEND}") from None


def must_fit(
    folder: Path, manifest: Manifest, collection: Collection, encoder: str, dense: str = FAISS
) -> None:
    """IndexCorrupt when the generation is another collection's or encoder's, or kept elsewhere.

    `collection` must be read after CURRENT was, `encoder` is a fingerprint.
    """
    if manifest.collection != collection.uid:
        raise IndexCorrupt(f"{folder} was built from another database: {_MEND}")
    if manifest.revision > collection.revision:
        raise IndexCorrupt(f"{folder} is newer than the database ({manifest.revision}): {_MEND}")
    if manifest.encoder != encoder:
        raise IndexCorrupt(
            f"{folder} was built with another encoder ({manifest.encoder[:12]}): {_MEND}"
        )
    if manifest.dense != dense:
        raise IndexCorrupt(
            f"{folder} has its vectors in {manifest.dense}, the settings say {dense}: {_MEND}"
        )


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


def _freely(_: Path, __: Sequence[Path]) -> bool:
    return True


def publish(root: Path, folder: Path, manifest: Manifest, release: Release = _freely) -> None:
    """Make a finished folder durable and live; sweep generations nobody reads any more.

    The caller holds the collection's index lock, as for `sweep`.
    """
    for path in _files(folder):
        fsync(path)
    text = json.dumps(asdict(manifest), indent=1)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    fsync(folder / MANIFEST)
    fsync(folder)
    fresh = root / f"{CURRENT}.new"
    fresh.write_text(f"{folder.name} {file_sha256(folder / MANIFEST)}", encoding="utf-8")
    fsync(fresh)
    with contextlib.suppress(IndexCorrupt, OSError):
        os.utime(current(root) or folder)  # the time of grace begins when it is replaced
    os.replace(fresh, root / CURRENT)
    fsync(root)
    sweep(root, release)


def hashes(folder: Path) -> dict[str, str]:
    """Relative path -> sha256 of every index file in a folder (locks left out)."""
    return {str(path.relative_to(folder)): file_sha256(path) for path in _files(folder)}


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


def outdated(root: Path) -> list[Path]:
    """Generations that were replaced, or left unfinished, longer ago than the time of grace."""
    text = pointer(root)
    if text is not None and not _POINTER.fullmatch(text):
        return []  # which one is live cannot be told
    live = (text or "").split(" ")[0]
    return [
        folder
        for folder in root.glob("gen-*")
        if folder.name != live and time.time() - _changed(folder) > _KEEP_SECONDS
    ]


def sweep(root: Path, release: Release = _freely) -> None:
    """Remove what is outdated: with it go the postings and vectors of removed passages.

    The caller holds the index lock: a generation that is long in the making must not go.
    """
    for folder in outdated(root):
        others = [one for one in root.glob("gen-*") if one != folder]
        if release(folder, others):
            shutil.rmtree(folder, ignore_errors=True)


def _changed(folder: Path) -> float:
    """When the folder last changed; now, if another process has just removed it."""
    try:
        return folder.stat().st_mtime
    except OSError:
        return time.time()

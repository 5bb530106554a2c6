"""Looks for what is wrong with a workspace and says the mend; repairs indexes on request.

Checks the weights' hash, the database, passages against documents, the index against the
database, versions. Not here: rebuilding itself (retrievers/shelf.py).
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from models.weights import DEFAULT_MODEL, verify_weights
from pilotfish.errors import IndexCorrupt, PilotfishError
from pipeline.library import Library
from retrievers import bm25_index, generation
from store import passages, quarantine
from store.database import HEAD

_MEND_INDEX = "run pilotfish doctor --repair"
_PARTS = ("onnxruntime", "faiss-cpu", "tantivy", "litellm", "sqlalchemy", "llama-index-core")


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. `mend` says what to do when it is not ok."""

    check: str
    ok: bool
    detail: str
    mend: str = ""


def examine(library: Library) -> list[Finding]:
    """Every check, in order; a check that cannot be made is a finding too."""
    checks: list[tuple[str, Callable[[Library], Iterator[Finding]]]] = [
        ("versions", _versions),
        ("weights", _weights),
        ("database", _database),
        ("passages", _passages),
        ("index", _index),
    ]
    found: list[Finding] = []
    for name, check in checks:
        try:
            found.extend(check(library))
        except PilotfishError as error:
            mend = _MEND_INDEX if isinstance(error, IndexCorrupt) else ""
            found.append(Finding(name, False, str(error), mend))
    return found


def repair(library: Library) -> None:
    """Encode what has no vector, and rebuild both indexes from the database."""
    library.shelf.refresh(rebuild=True)


def _versions(_: Library) -> Iterator[Finding]:
    installed = ", ".join(f"{part} {importlib.metadata.version(part)}" for part in _PARTS)
    yield Finding("versions", True, f"python {platform.python_version()}, {installed}")


def _weights(library: Library) -> Iterator[Finding]:
    encoder = library.encoder
    if encoder.name == DEFAULT_MODEL:
        verify_weights()
    yield Finding("weights", True, f"{encoder.name}, fingerprint {encoder.fingerprint[:12]}")


def _database(library: Library) -> Iterator[Finding]:
    database = library.database
    state = database.check()
    mend = "" if state == "ok" else "restore a backup (pilotfish restore FILE)"
    yield Finding("database", state == "ok", f"integrity {state}, schema {HEAD}", mend)


def _passages(library: Library) -> Iterator[Finding]:
    collection = library.collection()
    with library.database.read() as connection:
        total = passages.count(connection, collection.id)
        wrong = passages.misquoted(connection, collection.id)
        waiting = passages.count_unembedded(connection, collection.id, library.encoder.fingerprint)
        held, of = quarantine.count(connection, collection.id)
    detail = f"{total} passages, {wrong} of them not equal to their document's text"
    yield Finding("passages", not wrong, detail, "add those documents again" if wrong else "")
    kept = f"{held} passages of {of} documents are held: they seem to give orders"
    yield Finding("quarantine", True, kept, "see pilotfish quarantine" if held else "")
    mend = f"{_MEND_INDEX}, or add again" if waiting else ""
    yield Finding("vectors", not waiting, f"{waiting} passages wait for their vector", mend)


def _index(library: Library) -> Iterator[Finding]:
    library.shelf.sweep()
    folder = generation.current(library.shelf.root)
    if folder is None:
        raise IndexCorrupt("there is no index yet")
    manifest = generation.read_manifest(folder)
    collection = library.collection()
    encoder = library.encoders(collection.encoder, manifest.encoder)
    kind = library.shelf.keeper.kind
    generation.must_fit(folder, manifest, collection, encoder.fingerprint, kind)
    generation.verify(folder, manifest)
    with library.database.read() as connection:
        truth = set(passages.all_ids(connection, collection.id))
    lexical = bm25_index.BM25Index(folder / bm25_index.FOLDER).ids()
    nearest = library.shelf.nearest(folder, manifest, encoder).ids()
    where = "" if kind == generation.FAISS else f" in {kind}"
    for name, held, place in (("lexical index", lexical, ""), ("vector index", nearest, where)):
        detail = f"{len(held)} of {len(truth)} passages{place}"
        if held != truth:
            detail += f"; {len(truth - held)} missing, {len(held - truth)} left over"
        yield Finding(name, held == truth, detail, "" if held == truth else _MEND_INDEX)

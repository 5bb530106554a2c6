"""Databases and documents made for tests of `store/`, `retrievers/` and `corpus/`."""

from __future__ import annotations

import functools
import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from store import collections, documents, submissions
from store.collections import Collection
from store.database import Database
from store.incoming import NewDocument, NewPassage, NewTable
from store.submissions import Submission

ENCODER = "fake-1"


@functools.cache
def _template() -> bytes:
    """A migrated database, made once per session."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pilotfish.db"
        Database(path, create=True).close()
        return path.read_bytes()


def fresh_database(folder: Path) -> Database:
    """An empty database in `folder`."""
    path = folder / "pilotfish.db"
    path.write_bytes(_template())
    return Database(path, create=False)


def with_collection(database: Database, name: str = "default") -> Collection:
    with database.write() as connection:
        return collections.ensure(connection, name, ENCODER, 64)


def passage(text: str, start: int, end: int, *, context: str = "") -> NewPassage:
    """The passage [start, end) of `text`."""
    piece = text[start:end]
    sha = hashlib.sha256(f"{context}\n{piece}".encode()).hexdigest()
    return NewPassage(start, end, "text", None, (), None, None, context, piece, sha)


def document(
    key: str,
    text: str,
    *,
    cuts: Sequence[tuple[int, int]] | None = None,
    metadata: Mapping[str, object] | None = None,
    tables: Sequence[NewTable] = (),
    source: str = "",
) -> NewDocument:
    """A document whose passages are the given cuts; its lines when none are given."""
    spans = _lines(text) if cuts is None else cuts
    return NewDocument(
        key=key, title=key.title(), source=source or f"{key}.txt", media_type="text/plain",
        sha256=hashlib.sha256(text.encode()).hexdigest(), text=text, layout=[],
        metadata=dict(metadata or {}), warnings=(),
        passages=tuple(passage(text, *span) for span in spans), tables=tuple(tables),
    )  # fmt: skip


def _lines(text: str) -> list[tuple[int, int]]:
    spans, at = [], 0
    for line in text.split("\n"):
        if line:
            spans.append((at, at + len(line)))
        at += len(line) + 1
    return spans


def put(database: Database, collection: Collection, *new: NewDocument) -> int:
    """Store documents in one transaction; give the revision."""
    with database.write() as connection:
        revision = collections.bump(connection, collection.id)
        for one in new:
            documents.put(connection, collection.id, revision, one)
    return revision


def drop(database: Database, collection: Collection, *keys: str) -> int:
    """Remove documents in one transaction; give how many there were."""
    with database.write() as connection:
        revision = collections.bump(connection, collection.id)
        return documents.drop(connection, collection.id, revision, keys)


def queued(database: Database, count: int, name: str = "q") -> str:
    """A job of the service of so many questions in the one collection; its id."""
    questions = [(f"{name}{n}", {"question": "?"}) for n in range(count)]
    with database.write() as connection:
        return submissions.submit(connection, Submission(1, "plain", {}, questions))[0]

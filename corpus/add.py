"""Files into the database: walk, parse in the sandbox, cut, store. Items fail alone.

Unchanged content costs nothing; changed content replaces; every chunk is one transaction,
so a kill at any point loses at most what was not yet reported. Not here: vectors and
indexes (retrievers/index.py), which catch up from the database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from corpus.parsed import Parsed, ParsedTable, ParseFailure
from corpus.sandbox import Sandbox
from corpus.split import Splitter, layout
from corpus.walk import Source, walk
from store import collections, documents
from store.database import Database
from store.documents import NewDocument, NewRow, NewTable

CHUNK_DOCUMENTS = 64
CHUNK_CHARACTERS = 2_000_000


@dataclass(slots=True)
class Report:
    """What an `add` did. Lists hold document ids; `failed` one reason a file or line."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: int = 0
    failed: list[ParseFailure] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)
    passages: int = 0
    tables: int = 0
    dropped_short: int = 0
    dropped_duplicate: int = 0


@dataclass(frozen=True, slots=True)
class Adder:
    """Adds to one collection. `progress` hears each document's id as it is stored."""

    database: Database
    collection: collections.Collection
    splitter: Splitter
    sandbox: Sandbox
    progress: Callable[[str], None] = lambda _: None

    def __call__(self, paths: Sequence[str]) -> Report:
        """Add all paths; give the report. Never raises for a bad file."""
        report = Report()
        seen: dict[str, str] = {}
        for source in walk(paths):
            if isinstance(source, ParseFailure):
                report.failed.append(source)
            else:
                self._source(source, report, seen)
        return report

    def _source(self, source: Source, report: Report, seen: dict[str, str]) -> None:
        digest = _file_digest(source)
        if digest and self._known(source.name, digest, report):
            return
        before = len(report.failed)
        for chunk in _chunks(self._parsed(source, report, seen)):
            self._store(chunk, source, report)
        if digest and len(report.failed) == before:
            with self.database.write() as connection:
                documents.put_source(connection, self.collection.id, source.name, digest)

    def _known(self, name: str, digest: str, report: Report) -> bool:
        """Whether this very file is stored whole already."""
        with self.database.read() as connection:
            known = documents.source(connection, self.collection.id, name)
        if known is None or known[0] != digest or known[1] != known[2] or not known[1]:
            return False
        report.unchanged += known[1]
        return True

    def _parsed(
        self, source: Source, report: Report, seen: dict[str, str]
    ) -> Iterator[tuple[str, Parsed]]:
        """(id, document) of each readable document; the others go into the report."""
        for parsed in self.sandbox.parse(source.path, source.data, source.name):
            if isinstance(parsed, ParseFailure):
                report.failed.append(parsed)
                continue
            key = parsed.id or source.name
            if key in seen:
                reason = (
                    f"id {key!r} was already added from {seen[key]}: give each document its own"
                )
                report.failed.append(ParseFailure(source.name, reason))
                continue
            seen[key] = source.name
            report.warnings.extend((key, warning) for warning in parsed.warnings)
            yield key, parsed

    def _store(self, chunk: list[tuple[str, Parsed]], source: Source, report: Report) -> None:
        digests = {key: _digest(parsed) for key, parsed in chunk}
        with self.database.read() as connection:
            known = documents.fingerprints(connection, self.collection.id, list(digests))
        changed = [(key, p) for key, p in chunk if known.get(key) != digests[key]]
        report.unchanged += len(chunk) - len(changed)
        if not changed:
            return
        new = [self._new(key, parsed, source, digests[key], report) for key, parsed in changed]
        with self.database.write() as connection:
            revision = collections.bump(connection, self.collection.id)
            for document in new:
                documents.put(connection, self.collection.id, revision, document)
        for document in new:
            (report.updated if document.key in known else report.added).append(document.key)
            self.progress(document.key)

    def _new(
        self, key: str, parsed: Parsed, source: Source, digest: str, report: Report
    ) -> NewDocument:
        cut = self.splitter(parsed)
        report.passages += len(cut.passages)
        report.tables += len(parsed.tables)
        report.dropped_short += cut.short
        report.dropped_duplicate += cut.duplicate
        warnings = parsed.warnings
        if cut.rows_left_out:
            left = f"{cut.rows_left_out} table rows are kept as a table but not searched one by one"
            warnings = (*warnings, left)
            report.warnings.append((key, left))
        return NewDocument(
            key=key, title=parsed.title, source=source.name, media_type=parsed.media_type,
            sha256=digest, text=parsed.text, layout=layout(parsed), metadata=parsed.metadata,
            warnings=warnings, passages=cut.passages,
            tables=tuple(_table(table) for table in parsed.tables),
        )  # fmt: skip


def _table(table: ParsedTable) -> NewTable:
    rows = zip(table.numbers, table.spans, table.rows, strict=True)
    new = tuple(NewRow(number, *span, cells) for number, span, cells in rows)
    return NewTable(table.name, table.title, table.columns, new)


def _chunks(parsed: Iterable[tuple[str, Parsed]]) -> Iterator[list[tuple[str, Parsed]]]:
    chunk: list[tuple[str, Parsed]] = []
    size = 0
    for key, document in parsed:
        chunk.append((key, document))
        size += len(document.text)
        if len(chunk) >= CHUNK_DOCUMENTS or size >= CHUNK_CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _file_digest(source: Source) -> str | None:
    """sha256 of the file's bytes; None when it cannot be read (the sandbox says why)."""
    if source.path is None:
        return None
    digest = hashlib.sha256()
    try:
        if not source.path.is_file():
            return None
        with source.path.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()


def _digest(parsed: Parsed) -> str:
    """sha256 over everything of a document that is stored."""
    tables = [[t.name, t.title, t.columns, t.rows, t.spans, t.numbers] for t in parsed.tables]
    fields = [parsed.title, parsed.text, parsed.media_type, layout(parsed), parsed.metadata, tables]
    return hashlib.sha256(json.dumps(fields, sort_keys=True, default=str).encode()).hexdigest()

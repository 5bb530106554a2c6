"""Files into the database: walk, parse in the sandbox, cut, store. Items fail alone.

Unchanged content costs nothing; changed content replaces; what left a file leaves the collection.
Every chunk is one transaction, so a kill at any point loses at most what was not yet reported.
Not here: vectors and indexes (retrievers/embed.py, shelf.py), which catch up from the database.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from corpus.intake import file_digest
from corpus.parsed import Parsed, ParseFailure
from corpus.record import fingerprint, left_out, record
from corpus.sandbox import Sandbox
from corpus.split import Cut, Splitter
from corpus.walk import Source, walk
from pilotfish.errors import PilotfishError
from store import collections, documents, quarantine
from store.database import Database

log = logging.getLogger("pilotfish.add")

CHUNK_DOCUMENTS = 64
CHUNK_CHARACTERS = 2_000_000

Chunk = list[tuple[str, Parsed]]  # (id, document)


@dataclass(slots=True)
class Report:
    """What an `add` did. Lists hold document ids; `failed` one reason a file or line.

    `removed`: documents that their file, read to its end, does not give any more.
    """

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    failed: list[ParseFailure] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)
    passages: int = 0
    tables: int = 0
    triples: int = 0
    quarantined: int = 0
    dropped_short: int = 0
    dropped_duplicate: int = 0


@dataclass(frozen=True, slots=True)
class Adder:
    """Adds to one collection. `progress` hears each document's id as it is stored.

    `sift` may set passages of a document's cut apart: the quarantine. `enrich` may add to what was
    parsed; `way` names it, so that a file that was read another way is read again.
    """

    database: Database
    collection: collections.Collection
    splitter: Splitter
    sandbox: Sandbox
    progress: Callable[[str], None] = lambda _: None
    sift: Callable[[Cut, str], Cut] = lambda cut, _: cut
    enrich: Callable[[Parsed], Parsed] = lambda parsed: parsed
    way: str = ""

    def __call__(self, paths: Sequence[str | Source]) -> Report:
        """Add all paths; give the report. Never raises for a bad file."""
        report = Report()
        seen: dict[str, str] = {}
        for source in walk(paths, self.sandbox.limits):
            if isinstance(source, ParseFailure):
                report.failed.append(source)
                continue
            try:
                self._source(source, report, seen)
            except PilotfishError:  # of the workspace or the settings: no file is to blame
                raise
            except Exception as error:  # the boundary: one file must not end an add
                log.exception("adding %s failed", source.name)
                what = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
                reason = f"could not be added ({what}): a bug of ours, please report it"
                report.failed.append(ParseFailure(source.name, reason))
        return report

    def _source(self, source: Source, report: Report, seen: dict[str, str]) -> None:
        digest = source.path and file_digest(source.path, self.sandbox.limits)
        digest = digest and digest + self.way
        known = self._known(source)
        source = replace(source, name=known.name) if known else source
        if known and known.sha256 == digest and known.documents == known.stored > 0:
            report.unchanged += known.stored
            self._rehome(known, source)
            return
        if known and (reason := _taken(known, source)):
            report.failed.append(ParseFailure(source.name, reason))
            return
        before, given = len(report.failed), set[str]()
        for chunk in _chunks(self._parsed(source, report, seen)):
            self._store(chunk, source.name, report)
            given.update(key for key, _ in chunk)
        if digest and len(report.failed) == before:
            report.removed += self._settle(source, digest, given)

    def _known(self, source: Source) -> documents.KnownSource | None:
        """The file as it was added before: from this place under any name, or under this name."""
        if source.place is None:
            return None
        with self.database.read() as connection:
            here = documents.source_at(connection, self.collection.id, source.place)
            return here or documents.source(connection, self.collection.id, source.name)

    def _rehome(self, known: documents.KnownSource, source: Source) -> None:
        """The same file at another place: from now on its changes are looked for there."""
        if known.path == source.place:
            return
        with self.database.write() as connection:
            documents.put_source(
                connection, self.collection.id, known.name, known.sha256, source.place
            )

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
            yield key, self.enrich(parsed)

    def _store(self, chunk: Chunk, source: str, report: Report) -> None:
        """What is new or changed, in one transaction; what only came from elsewhere so far."""
        here, shas = self.collection.id, {key: fingerprint(parsed) for key, parsed in chunk}
        with self.database.read() as connection:
            known = documents.fingerprints(connection, here, list(shas))
            elsewhere = documents.from_elsewhere(connection, here, list(shas), source)
        changed = {key: parsed for key, parsed in chunk if known.get(key) != shas[key]}
        moved = [key for key in elsewhere if key not in changed]
        cuts = {key: self._sifted(key, one) for key, one in changed.items()}
        new = [record(key, source, shas[key], one, cuts[key]) for key, one in changed.items()]
        if changed or moved:
            with self.database.write() as connection:
                documents.move(connection, here, moved, source)
                revision = collections.bump(connection, here) if changed else 0
                for document in new:
                    documents.put(connection, here, revision, document)
        report.unchanged += len(chunk) - len(changed)
        for key, parsed in changed.items():
            (report.updated if key in known else report.added).append(key)
            _count(report, key, parsed, cuts[key])
            self.progress(key)

    def _sifted(self, key: str, parsed: Parsed) -> Cut:
        """The document's passages, those for the quarantine apart."""
        cut = self.sift(self.splitter(parsed), parsed.text)
        if not cut.held:
            return cut
        with self.database.read() as connection:
            freed = quarantine.freed(connection, self.collection.id, key)
        return replace(cut, freed=frozenset(freed))

    def _settle(self, source: Source, digest: str, given: set[str]) -> list[str]:
        """Remember a file that was read to its end; remove what it gave once and no more."""
        here = self.collection.id
        with self.database.write() as connection:
            held = documents.keys_of_source(connection, here, source.name)
            gone = [key for key in held if key not in given]
            if gone:
                documents.drop(connection, here, collections.bump(connection, here), gone)
            documents.put_source(connection, here, source.name, digest, source.place)
        return gone


def _taken(known: documents.KnownSource, source: Source) -> str:
    """Why the file may not replace the one known by its name, or "": that one moved or went."""
    if (
        not known.stored
        or known.path in (None, source.place)
        or not Path(known.path or "").exists()
    ):
        return ""
    mend = f"add the folder above both, or first pilotfish remove {known.name}"
    return f"not added, {known.path} has this name too: {mend}"


def _count(report: Report, key: str, parsed: Parsed, cut: Cut) -> None:
    report.passages += len(cut.passages)
    report.tables += len(parsed.tables)
    report.triples += len(parsed.triples)
    report.quarantined += cut.kept_out
    report.dropped_short += cut.short
    report.dropped_duplicate += cut.duplicate
    report.warnings.extend((key, warning) for warning in left_out(cut))


def _chunks(parsed: Iterable[tuple[str, Parsed]]) -> Iterator[Chunk]:
    chunk: Chunk = []
    size = 0
    for key, document in parsed:
        chunk.append((key, document))
        size += len(document.text)
        if len(chunk) >= CHUNK_DOCUMENTS or size >= CHUNK_CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk

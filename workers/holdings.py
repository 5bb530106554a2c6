"""What a tenant holds: collections and their documents. Others' are as if they did not exist.

A tenant's collection is stored as TENANT~NAME; no name that a user sends may hold a `~`.
Not here: adding files (indexing.py), jobs (jobs.py).
"""

from __future__ import annotations

import posixpath
import re
import shutil
from dataclasses import asdict, replace
from pathlib import PurePosixPath
from typing import Any

from pilotfish.errors import InputError, NotFound
from pilotfish.types import Question
from pipeline.library import Library
from store import documents, removal, serving
from store.keys import shown_name, stored_name
from workers.asked import Who
from workers.process import Process
from workers.shown import page

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_DRIVE = re.compile(r"[A-Za-z]:")
LONGEST_NAME = 500


class Holdings:
    """Shared by all threads of the process."""

    def __init__(self, process: Process) -> None:
        self.process, self.database = process, process.database

    def stored(self, who: Who, name: str | None) -> str:
        """What the tenant's collection is called inside; InputError for what is no name."""
        wanted = self.process.settings.collection if name is None else name
        if not _NAME.fullmatch(wanted):
            mend = "use up to 64 letters, digits, dots, hyphens and underscores"
            raise InputError(f"collection {wanted[:80]!r}: {mend}")
        return stored_name(who.tenant, wanted)

    def find(self, connection: Any, who: Who, name: str | None) -> int:
        """The collection's id; NotFound, which names nobody else's, when there is none."""
        found = serving.collection_id(connection, self.stored(who, name))
        if found is None:
            shown = self.process.settings.collection if name is None else name
            raise NotFound(f"no collection {shown!r}: add documents to it first")
        return found

    def library(self, who: Who, name: str | None) -> Library:
        """The opened collection."""
        with self.database.read() as connection:
            self.find(connection, who, name)
        return self.process.library(self.stored(who, name))

    def search(
        self, who: Who, name: str | None, question: Question, retriever: str, k: int
    ) -> list[dict[str, Any]]:
        """The best passages for a question."""
        library = self.library(who, name)
        scope = replace(question.scope, collection=self.stored(who, name))
        case = library.search(Question(question.text, scope=scope), retriever, k)
        return [{"rank": rank, **asdict(one)} for rank, one in enumerate(case.passages, start=1)]

    def listing(self, who: Who) -> list[dict[str, Any]]:
        """The tenant's collections, by name."""
        with self.database.read() as connection:
            rows = serving.collections_of(connection, who.tenant)
        return [{**row, "name": shown_name(who.tenant, row["name"])} for row in rows]

    def documents(self, who: Who, name: str, limit: int, after: int) -> dict[str, Any]:
        """A page of the collection's documents."""
        with self.database.read() as connection:
            found = self.find(connection, who, name)
            rows = serving.documents_page(connection, found, after, limit + 1)
        shown = page(rows, limit, lambda row: str(row["row"]))
        return shown | {"data": [{k: v for k, v in row.items() if k != "row"}
                                 for row in shown["data"]]}  # fmt: skip

    def document(self, who: Who, name: str, key: str) -> dict[str, Any]:
        """One document with its text, which the offsets of citations refer to."""
        with self.database.read() as connection:
            return documents.show(connection, self.find(connection, who, name), key)

    def remove(self, who: Who, name: str, key: str) -> int:
        """Remove a document everywhere."""
        return self.library(who, name).remove([key])

    def drop(self, who: Who, name: str) -> None:
        """Remove the collection and everything in it, its indexes on disk last."""
        stored = self.stored(who, name)
        self.library(who, name).shelf.forget()
        with self.database.write() as connection:
            removal.collection(connection, self.find(connection, who, name))
        self.process.forget(stored)
        shutil.rmtree(self.process.workspace.index_root(stored).parent, ignore_errors=True)

    def ensure(self, who: Who, name: str | None) -> None:
        """Make the collection when there is none."""
        with self.database.read() as connection:
            known = serving.collection_id(connection, self.stored(who, name))
        if known is None:
            self.process.library(self.stored(who, name), create=True)


def file_name(name: str | None) -> str:
    """The last part of an uploaded file's name, as its document is called; never used as a path."""
    last = PurePosixPath((name or "").replace("\\", "/")).name
    kept = _printable(last)
    if kept in {"", ".", ".."}:
        raise InputError("a file without a name: send multipart parts with a filename")
    return kept


def document_name(name: str | None) -> str:
    """What the document of an uploaded file is called: with its folders, as the command line
    calls it, but without a way up or out. Of an absolute path only the last part: the rest tells
    of the sender's disk. Never used as a path.
    """
    text = (name or "").replace("\\", "/")
    if text.startswith("/") or _DRIVE.match(text):
        return file_name(text)
    *folders, last = posixpath.normpath(text).split("/")
    kept = [one for one in map(_printable, folders) if one not in {"", ".", ".."}]
    found = "/".join([*kept, file_name(last)])
    if len(found) > LONGEST_NAME:
        raise InputError(f"a file name of over {LONGEST_NAME} characters: shorten its folders")
    return found


def _printable(part: str) -> str:
    return "".join(c for c in part if c.isprintable()).strip()[:200]

"""`attach`, `attached`, `detach`: databases that questions may be asked of, where they lie.

A database is opened once before it is attached, so that what cannot be read is told at once. Not
here: asking it (retrievers/attached.py), storing what is attached (store/attachments.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pilotfish.errors import InputError, NotFound, Unavailable
from pipeline.library import Library
from retrievers.attached import database_of
from retrievers.locked.nouns import Schema
from retrievers.locked.reader import Reader
from store import attachments, collections, documents
from store.attachments import Attachment

_NAME = re.compile(r"[^\W_][\w-]{0,62}")
_URL = re.compile(r"postgres(ql)?(\+\w+)?://", re.I)
_MAGIC = {b"SQLite format 3\0": (0, "sqlite"), b"DUCK": (8, "duckdb_file")}


def attach(
    library: Library, name: str, where: str, schema: str = "", tables: Sequence[str] = ()
) -> tuple[Attachment, Schema]:
    """Attach a database to the collection under a name; its schema as it was read.

    where: a path to an SQLite or DuckDB file, or a Postgres URL without a password. tables: the
    only ones that may be read; none: all. Raises InputError, NotFound.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is no name for a database: use letters, digits, - and _")
    new = Attachment(name, *_placed(where), schema, tuple(tables) or None)
    with Reader(database_of(new)) as reader:
        found = reader.schema
    there = {table.name.lower() for table in found.tables}
    missing = [table for table in tables if table.lower() not in there]
    if missing:
        raise InputError(f"{where} has no table {missing[0]!r} that may be read: see its schema")
    if not there:
        raise InputError(f"{where} has no table that may be read: name another --schema or role")
    here = library.collection().id
    with library.database.write() as connection:
        if documents.fingerprints(connection, here, [name]):
            raise InputError(f"{name!r} is a document of the collection: take another name")
        attachments.put(connection, here, new)
        collections.bump(connection, here)  # a batch that was answered without it is another one
    return new, found


def detach(library: Library, name: str) -> None:
    """Forget an attached database; the database itself is not touched."""
    here = library.collection().id
    with library.database.write() as connection:
        if not attachments.drop(connection, here, [name]):
            known = ", ".join(one.name for one in attachments.every(connection, here)) or "none"
            raise NotFound(f"no database {name!r} is attached: there are {known}")
        collections.bump(connection, here)


def attached(library: Library) -> list[Attachment]:
    """All that are attached to the collection, by name."""
    with library.database.read() as connection:
        return attachments.every(connection, library.collection().id)


def check_table(library: Library, table: str) -> None:
    """NotFound where no table and no attached database has that name; Unavailable: it is away."""
    if library.parts.tables.find(table) is not None:
        return
    name, _, its = table.partition(".")
    known = {one.name: one for one in attached(library)}
    if name not in known:
        raise NotFound(
            f"no table {table!r} in the collection: see pilotfish list, pilotfish attached"
        )
    opened = library.parts.attached.opened(known[name])
    if opened.why:
        raise Unavailable(f"{name}: {opened.why}")
    there = [one.name for one in opened.schema.tables]
    if its and its.lower() not in map(str.lower, there):
        raise NotFound(f"{name} has no table {its!r}: there are {', '.join(there[:20])}")


def _placed(where: str) -> tuple[str, str]:
    """(engine, place) of a path or URL."""
    if _URL.match(where):
        from retrievers.locked.postgres import has_password

        url = _URL.sub("postgresql://", where)
        try:
            secret = has_password(url)
        except ValueError:
            raise InputError("the URL cannot be read: postgresql://role@host/database") from None
        if secret:
            raise InputError(
                "the URL has a password, which would be stored: leave it out and put it into "
                "~/.pgpass or PGPASSWORD, where the workers find it too"
            )
        return "postgres", url
    path = Path(where).expanduser()
    if not path.is_file():
        raise NotFound(f"no file {where}: give an SQLite or DuckDB file, or postgresql://...")
    with path.open("rb") as file:
        head = file.read(16)
    for magic, (at, engine) in _MAGIC.items():
        if head[at : at + len(magic)] == magic:
            return engine, str(path.resolve())
    raise InputError(f"{where} is neither an SQLite nor a DuckDB file: pilotfish add reads others")

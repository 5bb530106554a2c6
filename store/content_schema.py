"""The tables of what is answered from: collections, documents, passages, vectors, tables.

Times are seconds since the epoch. Offsets are code points of documents.text. Not here: work and
money (work_schema.py).
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def parent(column: str) -> ForeignKey:
    """A reference; the row goes with the one it refers to."""
    return ForeignKey(column, ondelete="CASCADE")


# `revision` counts changes of a collection: indexes remember the one they were built from, and
# `uid`, so that an index is never taken for that of another database at the same revision.
collections = Table(
    "collections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("revision", Integer, nullable=False, default=0),
    Column("encoder", Text, nullable=False),
    Column("split_tokens", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("uid", Text, nullable=False, server_default=""),
)

# One row per file handed in: lets an unchanged file be skipped without parsing it. `path` is where
# it lay: what tells it from another file of the same name.
sources = Table(
    "sources",
    metadata,
    Column("collection_id", Integer, parent("collections.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("documents", Integer, nullable=False),
    Column("path", Text),
    Index(None, "collection_id", "path"),
)

# `key` is the id that people see; `layout` holds the sections, so that passages can be cut anew.
documents = Table(
    "documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collection_id", Integer, parent("collections.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("layout", JSON, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("added", Float, nullable=False),
    UniqueConstraint("collection_id", "key"),
    Index(None, "collection_id", "source"),
    sqlite_autoincrement=True,
)

# `text` equals documents.text[start:end]; `context` (title, headings) is searched, never quoted.
# `embed_sha` names the vector of context + text. `reach`: how far words are searched, where that is
# beyond `end` (the card of a table: its first rows are quoted, all of them are found).
passages = Table(
    "passages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collection_id", Integer, parent("collections.id"), nullable=False),
    Column("document_id", Integer, parent("documents.id"), nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("page", Integer),
    Column("heading", JSON, nullable=False),
    Column("table_name", Text),
    Column("row", Integer),
    Column("context", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("embed_sha", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("reach", Integer),
    Index(None, "collection_id", "revision"),
    Index(None, "document_id"),
    Index(None, "embed_sha"),
    sqlite_autoincrement=True,
)

# Passages that give orders: kept out of `passages`, and so of every index, until a person releases
# them. [start, end) is the order itself; `passage` holds the columns of the row that it may become.
quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collection_id", Integer, parent("collections.id"), nullable=False),
    Column("document_id", Integer, parent("documents.id"), nullable=False),
    Column("passage", JSON, nullable=False),
    Column("embed_sha", Text, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("score", Float, nullable=False),
    Column("held", Float, nullable=False),
    Column("released", Float),
    Index(None, "collection_id"),
    Index(None, "document_id"),
    sqlite_autoincrement=True,
)

# Passages that an index may still hold; swept into it by the next build.
tombstones = Table(
    "tombstones",
    metadata,
    Column("passage_id", Integer, primary_key=True),
    Column("collection_id", Integer, parent("collections.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Index(None, "collection_id", "revision"),
)

vectors = Table(
    "vectors",
    metadata,
    Column("encoder", Text, primary_key=True),
    Column("embed_sha", Text, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

tables = Table(
    "tables",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("document_id", Integer, parent("documents.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("columns", JSON, nullable=False),
    UniqueConstraint("document_id", "name"),
)

table_rows = Table(
    "table_rows",
    metadata,
    Column("table_id", Integer, parent("tables.id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("cells", JSON, nullable=False),
    sqlite_with_rowid=False,
)

# Edges of the graph. [start, end) is what carries one in its document's text: the line of a graph's
# file, or the sentence that it was read from.
triples = Table(
    "triples",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collection_id", Integer, parent("collections.id"), nullable=False),
    Column("document_id", Integer, parent("documents.id"), nullable=False),
    Column("subject", Text, nullable=False),
    Column("relation", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Index(None, "collection_id"),
    Index(None, "document_id"),
    sqlite_autoincrement=True,
)

# What was fitted to a collection: scorers, classifiers, demonstrations. `body` is read by who wrote
# it; `measured` says to people what it was measured at.
tuned = Table(
    "tuned",
    metadata,
    Column("collection_id", Integer, parent("collections.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("labels", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created", Float, nullable=False),
    Column("measured", JSON),
    sqlite_with_rowid=False,
)

# Databases that are asked where they lie. `place`: a path, or a URL without its password.
attachments = Table(
    "attachments",
    metadata,
    Column("collection_id", Integer, parent("collections.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("engine", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("schema", Text, nullable=False),
    Column("granted", JSON),
    Column("created", Float, nullable=False),
    sqlite_with_rowid=False,
)

# Which answers and replies may quote a document: what must lose its text when it is removed.
mentions = Table(
    "mentions",
    metadata,
    Column("document_id", Integer, parent("documents.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("ref", Integer, primary_key=True),
    sqlite_with_rowid=False,
)

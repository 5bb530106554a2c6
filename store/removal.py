"""What people want gone: a whole collection, the text of old or single jobs. Money stays.

Not here: single documents (documents.py), and files on disk.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from store import collections as named
from store import documents, labels
from store.schema import collections, items, jobs, ledger
from store.serving import document_keys
from store.submissions import ENDED


def collection(connection: Connection, collection_id: int) -> None:
    """Remove a collection: documents as `documents.drop` does, then jobs and items with it."""
    revision = named.bump(connection, collection_id)
    documents.drop(connection, collection_id, revision, document_keys(connection, collection_id))
    of_it = select(jobs.c.id).where(jobs.c.collection_id == collection_id)
    connection.execute(update(ledger).where(ledger.c.job_id.in_(of_it)).values(reply=None))
    connection.execute(delete(collections).where(collections.c.id == collection_id))


def job_text(connection: Connection, job_id: str) -> int:
    """Drop an ended job's questions, answers and replies; counts and money stay."""
    values: dict[str, object] = {"state": "forgotten", "question": {}}
    values |= {"result": None, "error": None}
    gone = (items.c.job_id == job_id) & (items.c.state != "forgotten")
    connection.execute(update(ledger).where(ledger.c.job_id == job_id).values(reply=None))
    labels.forget(connection, select(items.c.id).where(items.c.job_id == job_id))
    return connection.execute(update(items).where(gone).values(**values)).rowcount


def replies_before(connection: Connection, moment: float) -> int:
    """Drop the LLM's replies of jobs that ended before; counts and money stay."""
    old = select(jobs.c.id).where(jobs.c.state.in_(ENDED), jobs.c.finished < moment)
    gone = ledger.c.job_id.in_(old) & ledger.c.reply.is_not(None)
    return connection.execute(update(ledger).where(gone).values(reply=None)).rowcount

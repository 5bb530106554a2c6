"""The glossary of a whole collection, read from its passages as they are now.

Not here: what a passage defines (prompters/glossary.py), cards for prompts (cards.py).
"""

from __future__ import annotations

from pipeline.library import Library
from prompters.glossary import Entry, entries
from store import passages

AT_ONCE = 1000


def glossary_of(library: Library) -> list[Entry]:
    """Every entry, by term."""
    found: list[Entry] = []
    with library.database.read() as connection:
        ids = passages.all_ids(connection, library.collection().id)
        for at in range(0, len(ids), AT_ONCE):
            some = passages.fetch(connection, ids[at : at + AT_ONCE])
            found += entries(some.values())
    distinct = {(one.term.casefold(), one.meaning.casefold()): one for one in reversed(found)}
    return sorted(distinct.values(), key=lambda one: (one.term.casefold(), one.document, one.start))

"""BM25 by tantivy (k1 1.2, b 0.75), over our own tokens.

On disk, shared by processes, adds and deletes in place. A cache: built from the database,
published as part of a generation (retrievers/generation.py).
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import tantivy

from corpus.tokens import tokens
from pilotfish.errors import IndexCorrupt

FOLDER = "bm25"
_HEAP = 64_000_000  # bytes of the writer's buffer
_MOST_TERMS = 200  # distinct terms of one question that are searched, rarest kept

Hits = list[tuple[int, float]]
log = logging.getLogger("pilotfish.bm25")


class BM25Index:
    """An opened index folder. Thread-safe for searching."""

    def __init__(self, folder: Path) -> None:
        self._schema = _schema()
        try:
            self._index = tantivy.Index.open(str(folder))
            self._searcher = self._index.searcher()
        except (ValueError, OSError) as error:
            raise IndexCorrupt(
                f"lexical index {folder}: {error}: run pilotfish doctor --repair"
            ) from None

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def ids(self) -> set[int]:
        """Every passage id that the index holds."""
        hits = self._searcher.search(tantivy.Query.all_query(), limit=max(1, len(self))).hits
        found = self._searcher.fast_field_values("id", [address for _, address in hits])
        return {int(i or 0) for i in found}

    def search(self, query: str, k: int, allowed: Sequence[int] | None = None) -> Hits:
        """Up to k (passage id, score), best first; `allowed` restricts to these passage ids."""
        terms = self._weigh(Counter(tokens(query)))
        if not terms or k < 1 or not len(self):
            return []
        should = [(tantivy.Occur.Should, self._term(term, n)) for term, n in terms]
        parsed = tantivy.Query.boolean_query(should)
        if allowed is not None:
            only = tantivy.Query.term_set_query(self._schema, "id", list(allowed))
            parsed = tantivy.Query.boolean_query([
                (tantivy.Occur.Must, parsed),
                (tantivy.Occur.Must, tantivy.Query.const_score_query(only, 0.0)),
            ])  # fmt: skip
        hits = self._searcher.search(parsed, limit=k, count=False).hits
        ids = self._searcher.fast_field_values("id", [address for _, address in hits])
        return [(int(i or 0), float(score)) for i, (score, _) in zip(ids, hits, strict=True)]

    def rarity(self, terms: Sequence[str]) -> dict[str, float]:
        """log(1 + documents / (1 + those with the term)) of each term."""
        count = len(self)
        return {t: math.log1p(count / (1 + self._searcher.doc_freq("body", t))) for t in terms}

    def known(self, terms: Sequence[str]) -> set[str]:
        """Those of the terms that any passage has."""
        return {term for term in terms if self._searcher.doc_freq("body", term)}

    def _weigh(self, counts: Counter[str]) -> list[tuple[str, int]]:
        """All terms of a usual question; of a very long one only the rarest."""
        if len(counts) <= _MOST_TERMS:
            return list(counts.items())
        rarity = {term: self._searcher.doc_freq("body", term) for term in counts}
        known = sorted((t for t in counts if rarity[t]), key=lambda t: rarity[t])
        return [(term, counts[term]) for term in known[:_MOST_TERMS]]

    def _term(self, term: str, count: int) -> tantivy.Query:
        query = tantivy.Query.term_query(self._schema, "body", term, "freq")
        return query if count == 1 else tantivy.Query.boost_query(query, float(count))


def update(folder: Path, added: Iterable[tuple[int, str]], removed: Sequence[int]) -> None:
    """Add (passage id, searched text) pairs to the index in `folder`, and remove ids."""
    folder.mkdir(parents=True, exist_ok=True)
    schema = _schema()
    index = tantivy.Index(schema, path=str(folder))
    writer = index.writer(heap_size=_HEAP, num_threads=1)
    if removed:
        gone = tantivy.Query.term_set_query(schema, "id", list(removed))
        writer.delete_documents_by_query(gone)
    for passage_id, text in added:
        document = tantivy.Document()
        document.add_unsigned("id", passage_id)
        document.add_text("body", " ".join(tokens(text)))
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("id", stored=False, indexed=True, fast=True)
    builder.add_text_field("body", stored=False, tokenizer_name="whitespace", index_option="freq")
    return builder.build()

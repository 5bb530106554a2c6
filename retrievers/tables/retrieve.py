"""Tables as evidence: which of a collection's tables a question is about, and which of its rows.

Tables are found by their card, in words and in meaning, fused (after T-RAG's first stage, Pan et
al. 2022, arXiv 2203.16714), then held to what they share with the question: their headers and
cells must speak of what it asks. Rows are those that the best program reads, in place of the row
and column scores of Glass et al. 2021 (RCI). Not here: the answer (pipeline/table_answer.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from corpus.formats.grid import linearise
from corpus.tokens import tokens
from pilotfish.step import Step, run
from pilotfish.types import Case, Cells, Passage, Place, Scope
from retrievers.graph.zero import SMALL
from retrievers.tableqa.solver import Ranked
from retrievers.tables.held import Laid, Tables
from store.tables import StoredTable

TRIED = 4  # tables that are read for one question
ROWS = 10  # rows of a table that become passages
CITED = 50  # rows of a table that an answer cites
_ASKS = frozenset("how many much long old often name list total number most least".split())


@dataclass(frozen=True, slots=True)
class About:
    """A table and P(the question is about it)."""

    laid: Laid
    chance: float


@dataclass(frozen=True, slots=True)
class TableRows:
    """Puts the rows that the likeliest answers read into the case, then the tables' cards.

    `search`: a retriever that is restricted to tables by the scope's kind.
    """

    tables: Tables
    search: Step
    k: int = 10
    name: str = "table"

    def __call__(self, case: Case, /) -> Case:
        if not self.tables.count():
            return replace(case, passages=(), notes={"why": "the collection has no tables"})
        found = run(self.search, within(case)) if case.question.scope.table is None else case
        tables = about(self.tables, found)
        rows = [p for one in tables for p in self._rows(case.question.text, one)]
        cards = [p for p in found.passages if p.kind == "table"]
        notes = {"tables": [f"{one.laid.table.name}: {one.chance:.2f}" for one in tables]}
        kept = {(p.id, p.start): p for p in (*rows, *cards)}
        passages = tuple(kept.values())[: self.k]
        return replace(case, passages=passages, trace=found.trace, notes=notes)

    def _rows(self, question: str, one: About) -> list[Passage]:
        ranked = self.tables.answers(question, one.laid)
        score = one.chance * (ranked[0].confidence if ranked else 0.0)
        return rows_read(one.laid, ranked[0], score)[:ROWS] if ranked else []


def within(case: Case) -> Case:
    """The case, its search restricted to tables."""
    scope: Scope = replace(case.question.scope, kind="table")
    return replace(case, question=replace(case.question, scope=scope), passages=())


def about(tables: Tables, case: Case) -> list[About]:
    """The tables that a question may be about, likeliest first: the one that the caller names, else
    those of the case's passages, by what they share with the question.
    """
    scope, passages = case.question.scope, case.passages
    if scope.table is not None:
        laid = tables.find(scope.table)
        return [] if laid is None else [About(laid, 1.0)]
    places = dict.fromkeys(
        (p.document, p.place.table) for p in passages if p.kind == "table" and p.place.table
    )
    found = [tables.find(*place) for place in list(places)[:TRIED]]
    rated = [About(laid, shared(case.question.text, laid.table)) for laid in found if laid]
    return sorted(rated, key=lambda one: -one.chance)


def asked_words(question: str) -> list[str]:
    """Index tokens of a question that say what it is about, not how it asks."""
    return [t for t in tokens(question) if t not in SMALL and t not in _ASKS]


def shared(question: str, table: StoredTable) -> float:
    """The share of the question's words that stand in the table: title, headers, cells."""
    asked = asked_words(question)
    if not asked:
        return 0.0
    text = [table.title, table.document, *table.columns, *(c for row in table.rows for c in row)]
    there = set(tokens(" ".join(text)))
    return sum(token in there for token in asked) / len(asked)


def rows_read(laid: Laid, ranked: Ranked, score: float) -> list[Passage]:
    """The rows that a program reads."""
    names = laid.table.columns
    columns = tuple(names[at] for at in ranked.columns if at < len(names))
    return row_passages(laid, ranked.rows, columns, score)


def row_passages(
    laid: Laid, rows: Sequence[int], columns: tuple[str, ...] = (), score: float = 1.0
) -> list[Passage]:
    """Rows, each as a passage of its line in the document's text.

    A row that is no passage of its own goes under the id of its table's card.
    """
    table, found = laid.table, []
    for at in rows:
        number, (start, end) = table.numbers[at], table.spans[at]
        own = laid.passages.get(number, laid.passages.get(None))
        if own is not None:
            place = Place(table=table.name, rows=(number,), columns=columns)
            line = linearise(table.columns, table.rows[at])
            found.append(Passage(own, line, table.document, start, end, place, "table", score,
                                 table.title))  # fmt: skip
    return found


def cells(laid: Laid, rows: tuple[int, ...], columns: tuple[int, ...]) -> Cells:
    """The cells that were read, at most CITED rows of them; of no columns, all."""
    table = laid.table
    kept = rows[:CITED] or tuple(range(min(1, len(table.rows))))
    at = columns or tuple(range(len(table.columns)))
    values = tuple(tuple(table.rows[row][column] for column in at) for row in kept)
    names = tuple(table.columns[column] for column in at)
    return Cells(
        table.document, table.name, tuple(table.numbers[row] for row in kept), names, values
    )


def passage_of(laid: Laid, rows: tuple[int, ...]) -> int | None:
    """The passage that has the first row."""
    number = laid.table.numbers[rows[0]] if rows else None
    return laid.passages.get(number, laid.passages.get(None))

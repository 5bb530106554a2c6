"""Graphs as lines of subject, relation, object: `*.triples.tsv` and `*.triples.csv`.

A first line that names the columns is left out. The canonical text writes each edge on a line of
its own. A large file becomes several documents, NAME:1, NAME:2, so that none is too large for a
reader. Not here: RDF (rdf.py), edges that are read out of prose (corpus/edges.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from corpus.formats.canvas import stem
from corpus.formats.decode import decode
from corpus.formats.delimited import read_rows
from corpus.limits import DEFAULT, Limits
from corpus.parsed import Parsed, ParsedTriple, ParseFailure
from store.incoming import BETWEEN, GRAPH

SUFFIXES = (".triples.tsv", ".triples.csv")
PART = 100_000  # edges of one document
_HEADERS = {
    ("subject", "relation", "object"),
    ("subject", "predicate", "object"),
    ("head", "relation", "tail"),
    ("source", "relation", "target"),
}

Edge = tuple[str, str, str]


def parse(data: bytes, name: str, limits: Limits = DEFAULT) -> Iterator[Parsed | ParseFailure]:
    """The graph, in documents of up to 100,000 edges; lines of other than three fields are told."""
    decoded = decode(data)
    if isinstance(decoded, str):
        yield ParseFailure(name, decoded)
        return
    tabs = name.lower().endswith(".tsv")
    rows = read_rows(decoded.text, "\t" if tabs else None)
    edges, bad = _edges(rows)
    if not edges:
        yield ParseFailure(name, "no line of subject, relation, object in it: nothing to read")
        return
    warnings = decoded.warnings
    if bad:
        some = ", ".join(map(str, bad[:5])) + (", ..." if len(bad) > 5 else "")
        told = f"{len(bad)} lines are not subject, relation, object (line {some}): left out"
        warnings = (*warnings, told)
    yield from documents(edges, name, warnings)


def _edges(rows: Iterable[Sequence[str]]) -> tuple[list[Edge], list[int]]:
    """The edges, each once, and the numbers of the lines that hold none."""
    found: dict[Edge, None] = {}
    bad = []
    for number, row in enumerate(rows, 1):
        if number == 1 and tuple(cell.casefold() for cell in row) in _HEADERS:
            continue
        if len(row) == 3 and all(row):
            found[(row[0], row[1], row[2])] = None
        elif any(row):
            bad.append(number)
    return list(found), bad


def documents(edges: Sequence[Edge], name: str, warnings: tuple[str, ...] = ()) -> Iterator[Parsed]:
    """Edges as documents, each edge with its line."""
    many = len(edges) > PART
    rest = iter(edges)
    for number in range(1, -(-len(edges) // PART) + 1):
        part = f"{name}:{number}" if many else None
        yield _document(list(islice(rest, PART)), part, name, warnings if number == 1 else ())


def _document(
    edges: Sequence[Edge], key: str | None, name: str, warnings: tuple[str, ...]
) -> Parsed:
    lines, laid, at = [], [], 0
    for edge in edges:
        line = BETWEEN.join(edge)
        lines.append(line)
        laid.append(ParsedTriple(*edge, at, at + len(line)))
        at += len(line) + 1
    title = stem(name).removesuffix(".triples")
    return Parsed(key, title, "\n".join(lines), GRAPH, warnings=warnings, triples=tuple(laid))

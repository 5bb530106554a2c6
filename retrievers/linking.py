"""Which columns of a schema a question is about: the prompt holds half of them or less.

Small signals are added up, column by column: stemmed parts of its name, words that mean it, its
values in the question, the encoder's cosine. A column brings the keys that join its table to the
others. After RESDSQL's ranking (arXiv 2302.05965) and BRIDGE's values (arXiv 2012.12627), without
their training. Not here: reading a schema (`Reader.schema`), writing SQL.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.tokens import tokens
from retrievers.locked.nouns import Column, Join, Schema, Table

Embed = Callable[[Sequence[str]], NDArray[Any]]
Place = tuple[str, str]  # table, column
_NAME, _MEANT, _TABLE, _VALUE, _WORD, _LABEL, _COSINE = 1.0, 0.5, 0.3, 1.2, 0.2, 0.3, 0.6
_NEIGHBOUR = 0.6  # of the best column of its table, to the others
_GRAM = 6  # words of a value that is looked for in a question
_SHOWN, _CHARACTERS = 3, 40  # examples of a column, characters of one
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
# A question's word, and the parts of column names that it speaks of.
_MEANS = {
    "where": "address street house number city town country county place location region state",
    "when": "date day year month time start end",
    "who": "name person author player employee customer user",
    "long": "duration length minutes hours days",
    "old": "age birth born year",
    "much": "price cost amount revenue sales total value budget",
    "many": "count quantity number total units stock",
    "best": "rating score rank stars grade",
    "worst": "rating score rank stars grade",
    "good": "rating score rank stars grade",
    "top": "rating score rank revenue sales amount",
    "cheap": "price cost", "expensive": "price cost", "earn": "salary income revenue",
    "big": "size area population amount", "large": "size area population amount",
    "high": "height elevation score amount price", "near": "city location region distance",
    "win": "winner result score", "paid": "salary amount price", "sold": "sales units quantity",
}  # fmt: skip
_LABELS = frozenset(tokens("name title label"))


@dataclass(frozen=True, slots=True)
class Value:
    """A stored value that stands in the question."""

    table: str
    column: str
    value: str


@dataclass(frozen=True, slots=True)
class Linked:
    """The part of a schema a question is about; `text` is how a prompt shows it."""

    tables: tuple[Table, ...]
    joins: tuple[Join, ...]
    values: tuple[Value, ...]
    text: str

    @property
    def columns(self) -> tuple[Place, ...]:
        """(table, column) of all that was kept, in the schema's order."""
        return tuple((table.name, column.name) for table in self.tables for column in table.columns)


def link(
    question: str, schema: Schema, embed: Embed | None = None, keep: float = 0.5, at_least: int = 0
) -> Linked:
    """Keep at most the share `keep` of the columns (or `at_least` columns), keys for joins in it.

    `embed`: texts -> (n, dimension) vectors of any length; None: by words alone. Deterministic.
    """
    places = [(table.name, column.name) for table in schema.tables for column in table.columns]
    values = list(_values(question, schema))
    scores = scored(question, schema, values)
    if embed is not None and places:
        for place, cosine in zip(places, _cosines(question, schema, embed), strict=True):
            scores[place] += _COSINE * cosine
    _with_neighbours(scores, schema)
    room = max(int(keep * len(places)), min(at_least, len(places)))
    kept = _chosen(sorted(places, key=lambda place: -scores[place]), schema, room)
    hits = tuple(value for value, exact in values if exact and (value.table, value.column) in kept)
    tables = tuple(
        replace(table, columns=tuple(c for c in table.columns if (table.name, c.name) in kept))
        for table in schema.tables
        if any(name == table.name for name, _ in kept)
    )
    joins = tuple(j for j in schema.joins if set(_ends(j)) <= kept)
    return Linked(tables, joins, hits, shown(tables, joins, hits))


def scored(
    question: str, schema: Schema, values: Iterable[tuple[Value, bool]] = ()
) -> dict[Place, float]:
    """What words and values say for each column, before its table's other columns speak."""
    asked = set(tokens(question))
    meant = {part for word in _words(question) for part in tokens(_MEANS.get(word, ""))}
    scores: dict[Place, float] = {}
    for table in schema.tables:
        named = _share(parts(table.name), asked)
        for column in table.columns:
            own = parts(column.name)
            score = _NAME * _share(own, asked) + _TABLE * named
            score += _MEANT * bool(own & meant) + _LABEL * named * bool(own & _LABELS)
            scores[(table.name, column.name)] = score * (0.5 if column.key else 1.0)
    best: dict[Place, float] = defaultdict(float)
    for value, exact in values:
        place = (value.table, value.column)
        best[place] = max(best[place], _VALUE if exact else _WORD)
    for place, score in best.items():
        scores[place] += score
    return scores


def parts(name: str) -> set[str]:
    """Stemmed words of an identifier: `homeTeam_ID` has home, team and id."""
    return {token for part in _PARTS.findall(name) for token in tokens(part)}


def shown(tables: Sequence[Table], joins: Sequence[Join], values: Sequence[Value]) -> str:
    """CREATE TABLE lines with up to three values of each column, those of the question first."""
    asked: dict[Place, list[str]] = defaultdict(list)
    for hit in values:
        asked[(hit.table, hit.column)].append(hit.value)
    lines: list[str] = []
    for table in tables:
        lines.append(f"CREATE TABLE {_identifier(table.name)} (")
        for column in table.columns:
            first = asked[(table.name, column.name)]
            lines.append(_column_line(column, dict.fromkeys([*first, *column.samples])))
        lines += [
            f"  FOREIGN KEY ({_identifier(join.column)}) REFERENCES "
            f"{_identifier(join.to_table)} ({_identifier(join.to_column)}),"
            for join in joins
            if join.table == table.name
        ]
        lines[-1] = lines[-1].replace(",  --", "  --") if "  --" in lines[-1] else lines[-1][:-1]
        lines.append(");")
    return "\n".join(lines)


def _column_line(column: Column, examples: Iterable[str]) -> str:
    cut = [" ".join(value.split())[:_CHARACTERS] for value in examples][:_SHOWN]
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in cut)
    key = " PRIMARY KEY" if column.key else ""
    unit = f" in {column.unit}" if column.unit else ""
    noted = f"  --{unit} {listed}" if listed or unit else ""
    return f"  {_identifier(column.name)} {column.type or 'TEXT'}{key},{noted}"


def _identifier(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else '"' + name.replace('"', '""') + '"'


def _share(own: set[str], asked: set[str]) -> float:
    return len(own & asked) / len(own) if own else 0.0


def _words(question: str) -> Iterator[str]:
    """Its words as they are, and what superlatives may come of: biggest, largest, cheapest."""
    for word in re.findall(r"\w+", question.lower()):
        plain = re.sub(r"(est|er)$", "", word)
        yield from dict.fromkeys((word, plain, f"{plain}e", plain[:-1]))


def _values(question: str, schema: Schema) -> Iterator[tuple[Value, bool]]:
    """Sampled values whose words stand in the question; False: only one of their words does."""
    whole, single = _indexed(schema)
    asked = tokens(question)
    covered: set[str] = set()
    for size in range(_GRAM, 0, -1):
        for start in range(len(asked) - size + 1):
            gram = tuple(asked[start : start + size])
            for value in whole.get(gram, ()):
                covered |= set(gram)
                yield value, True
    for word in dict.fromkeys(asked):
        if word not in covered and not word.isdecimal():
            yield from ((value, False) for value in single.get(word, ()))


@lru_cache(maxsize=16)
def _indexed(
    schema: Schema,
) -> tuple[dict[tuple[str, ...], list[Value]], dict[str, list[Value]]]:
    """Text values by all their words, and one value a column by each of its words."""
    whole: dict[tuple[str, ...], list[Value]] = defaultdict(list)
    single: dict[str, dict[Place, Value]] = defaultdict(dict)
    for table in schema.tables:
        for column in table.columns:
            for sample in column.samples:
                words = tuple(tokens(sample))
                if not words or (len(words) == 1 and words[0].isdecimal() and len(words[0]) < 4):
                    continue
                value = Value(table.name, column.name, sample)
                if len(words) <= _GRAM:
                    whole[words].append(value)
                for word in words:
                    single[word].setdefault((table.name, column.name), value)
    return dict(whole), {word: list(found.values()) for word, found in single.items()}


def _cosines(question: str, schema: Schema, embed: Embed) -> list[float]:
    """Of the question with each column: its name's words, its table's, a few values."""
    texts = [
        f"{' '.join(_PARTS.findall(table.name))} {' '.join(_PARTS.findall(column.name))}: "
        f"{', '.join(column.samples[:_SHOWN])}"
        for table in schema.tables
        for column in table.columns
    ]
    vectors = np.asarray(embed([question, *texts]), dtype=np.float64)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return [float(cosine) for cosine in vectors[1:] @ vectors[0]]


def _with_neighbours(scores: dict[Place, float], schema: Schema) -> None:
    for table in schema.tables:
        places = [(table.name, column.name) for column in table.columns]
        best = max((scores[place] for place in places), default=0.0)
        for place in places:
            scores[place] += _NEIGHBOUR * best


def _ends(join: Join) -> tuple[Place, Place]:
    return (join.table, join.column), (join.to_table, join.to_column)


def _chosen(ranked: Sequence[Place], schema: Schema, room: int) -> set[Place]:
    """The best columns that fit into `room`, each with the keys its table is reached by."""
    kept: set[Place] = set()
    for place in ranked:
        needed = {place} | _bridge(place[0], {table for table, _ in kept}, schema.joins)
        if len(kept | needed) <= room:
            kept |= needed
    return kept


def _bridge(table: str, reached: set[str], joins: Sequence[Join]) -> set[Place]:
    """Columns of the shortest chain of joins from a table to one already kept; {} where none."""
    if not reached or table in reached:
        return set()
    waiting: deque[tuple[str, frozenset[Place]]] = deque([(table, frozenset())])
    seen = {table}
    while waiting:
        here, path = waiting.popleft()
        if here in reached:
            return set(path)
        for join in joins:
            ends = _ends(join)
            for (one, _), (other, _) in (ends, ends[::-1]):
                if one == here and other not in seen:
                    seen.add(other)
                    waiting.append((other, path | set(ends)))
    return set()

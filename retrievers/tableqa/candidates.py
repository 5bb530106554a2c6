"""Programs worth trying for a question over a frame, each with its result.

Floating (Pasupat and Liang, arXiv 1508.00305): operations need no trigger word. Bases are all rows
and those that mentioned cells and numbers choose; orders, steps and operations are laid over them,
the likeliest kinds first, until CAP programs gave an answer. Not here: ranking (rank.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from retrievers.tableqa.cells import BLANK
from retrievers.tableqa.execute import apply, select
from retrievers.tableqa.frame import ROW, Frame, dated
from retrievers.tableqa.linking import Link, Question
from retrievers.tableqa.programs import Order, Program, Result, Rows, Where

CAP = 600
MOST_BASES = 28
MOST_COLUMNS = 14
ALL = Rows()
_UP = frozenset("more over above after greater higher longer later since larger".split())
_DOWN = frozenset("less fewer under below before smaller lower shorter earlier prior until".split())
FIRST, LAST = Order(ROW, False), Order(ROW, True)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A program, what it gave, and the links it uses."""

    program: Program
    result: Result
    links: tuple[Link, ...]


@dataclass(slots=True)
class _Search:
    """One question's growing list. chosen: the rows each selection gave, kept."""

    frame: Frame
    question: Question
    chosen: dict[Rows, tuple[int, ...]] = field(default_factory=dict)
    found: list[Candidate] = field(default_factory=list)
    cap: int = CAP

    def rows(self, rows: Rows) -> tuple[int, ...]:
        """The chosen rows, selected once."""
        known = self.chosen.get(rows)
        if known is None:
            known = self.chosen[rows] = select(rows, self.frame)
        return known

    def add(self, program: Program, links: tuple[Link, ...]) -> None:
        """Keeps the program when it gives an answer."""
        if len(self.found) >= self.cap:
            return
        rows = self.rows(program.rows)
        others = self.rows(program.other) if program.other else ()
        result = apply(program, self.frame, rows, others)
        if result.values:
            self.found.append(Candidate(program, result, links))


Base = tuple[Rows, tuple[Link, ...]]


def candidates(question: Question, frame: Frame, cap: int = CAP) -> list[Candidate]:
    """At most `cap` programs that give an answer, the same on every call."""
    if not len(frame) or not frame.columns:
        return []
    search = _Search(frame, question, cap=cap)
    bases = [base for base in _bases(question, frame) if search.rows(base[0])]
    bases = _without_twins(bases, search)[:MOST_BASES]
    ordered = [i for i in _columns(question, frame) if _comparable(frame, i)]
    for stage in _STAGES:
        stage(search, bases, ordered)
    return search.found


def _columns(question: Question, frame: Frame) -> list[int]:
    """Mentioned columns first, then from left to right."""
    rest = range(len(frame.columns))
    return list(dict.fromkeys([*question.best, *rest]))[:MOST_COLUMNS]


def _comparable(frame: Frame, column: int) -> bool:
    keys = frame.columns[column].keys
    held = {key for key in keys if key == key}
    return len(held) > 1 and sum(key == key for key in keys) * 2 >= len(keys)


def _bases(question: Question, frame: Frame) -> Iterator[Base]:
    """All rows; rows of one link, of two links that differ, of a compared number."""
    yield ALL, ()
    links = question.links
    for link in links:
        yield Rows((link.where,)), (link,)
    compared = list(_comparisons(question, frame))
    yield from compared[:16]
    yield from _gaps(question, frame)
    for i, one in enumerate(links):
        for two in links[i + 1 :]:
            apart = one.end <= two.start or two.end <= one.start
            if apart and one.where != two.where:
                yield Rows((one.where, two.where)), (one, two)
                if one.where.column == two.where.column:
                    yield Rows((one.where, two.where), either=True), (one, two)
    for rows, _ in compared[:16]:
        for link in links[:4]:
            if link.where.column != rows.where[0].column:
                yield Rows((*rows.where, link.where)), (link,)
    for link in links[:4]:
        if isinstance(link.where.value, str) and link.how == "whole":
            yield Rows((replace(link.where, test="not"),)), (link,)


def _comparisons(question: Question, frame: Frame) -> Iterator[Base]:
    said = question.words
    for column in question.best:
        if frame.columns[column].kind == "number" and 0.0 in frame.columns[column].keys:
            yield Rows((Where(column, "=", 0.0),)), ()
            yield Rows((Where(column, ">", 0.0),)), ()
    for value, at in question.numbers:
        around = " ".join(said[max(0, at - 4) : at + 4])
        for column in _columns(question, frame):
            if not _spans(frame, column, value):
                continue
            for test in _tests(around):
                yield Rows((Where(column, test, value),)), ()


def _gaps(question: Question, frame: Frame) -> Iterator[Base]:
    """Rows with nothing in a mentioned column, and those with something."""
    for column in question.best:
        blanks = {text for text in frame.columns[column].texts if text in BLANK}
        for text in sorted(blanks)[:1]:
            yield Rows((Where(column, "is", text),)), ()
            yield Rows((Where(column, "not", text),)), ()


def _spans(frame: Frame, column: int, value: float) -> bool:
    """Whether the column has numbers on both sides of the value."""
    found = frame.columns[column]
    keys = [k for k in (found.years if dated(found, value) else found.keys) if k == k]
    return len(keys) * 2 >= len(frame) and min(keys) <= value <= max(keys)


def _tests(around: str) -> Sequence[str]:
    """The comparisons that the words around a number allow; all kinds when they say nothing."""
    words = set(around.split())
    up, down = bool(words & _UP), bool(words & _DOWN)
    if words & {"least", "minimum"} or ("or" in words and up):
        return (">=", ">")
    if "or" in words and down:
        return ("<=", "<")
    if "than" in words:  # strict: of 86 such counts in wtq_train none is meant otherwise
        return (">",) if up and not down else ("<",) if down and not up else (">", "<")
    if up:
        return (">", "<", ">=") if down else (">", ">=")
    return ("<", "<=") if down else ("=", ">", "<")


def _without_twins(bases: Iterable[Base], search: _Search) -> list[Base]:
    """One base for each choice of rows through the same columns."""
    kept: dict[object, Base] = {}
    for rows, links in bases:
        key = (search.rows(rows), frozenset(where.column for where in rows.where),
               rows.where[0].test if len(rows.where) == 1 else len(rows.where))  # fmt: skip
        kept.setdefault(key, (rows, links))
    return list(kept.values())


def _projected(search: _Search, rows: Rows, links: tuple[Link, ...], most: int = 99) -> None:
    """The cells of the columns that the rows were not chosen by."""
    if not search.rows(rows):
        return
    fixed = {where.column for where in rows.where if where.test == "is"}
    single = len(rows.where) == 1 and not rows.order and not rows.step
    for column in _columns(search.question, search.frame)[:most]:
        if not (column in fixed and single and not rows.either):
            search.add(Program("cells", column, rows), links)
        if search.frame.columns[column].kind == "date":
            search.add(Program("year", column, rows), links)


def _simple(search: _Search, bases: list[Base], ordered: list[int]) -> None:
    """Cells and counts of each base."""
    for rows, links in bases:
        if rows.where or len(search.frame) < 40:
            _projected(search, rows, links, 99 if rows.where else 6)
        search.add(Program("count", 0, rows), links)


def _extremes(search: _Search, bases: list[Base], ordered: list[int]) -> None:
    """Cells of the rows with the largest or smallest key, first or last, of all rows."""
    for column in ordered[:8]:
        for largest in (True, False):
            _projected(search, Rows(order=Order(column, largest)), (), 8)
    for order in (FIRST, LAST):
        _projected(search, Rows(order=order), (), 8)


def _narrow_extremes(search: _Search, bases: list[Base], ordered: list[int]) -> None:
    """The same within the bases of several rows; of the columns that may be meant."""
    several = [(r, ls) for r, ls in bases if r.where and len(search.rows(r)) > 1]
    for rows, links in several[:10]:
        for order in [FIRST, LAST, *(Order(c, up) for c in ordered[:4] for up in (True, False))]:
            _projected(search, replace(rows, order=order), links, 5)


def _steps(search: _Search, bases: list[Base], ordered: list[int]) -> None:
    """Cells of the row below or above; how many rows lie there; others with the same cell."""
    narrow = [(r, ls) for r, ls in bases if r.where and len(search.rows(r)) <= 4]
    for rows, links in narrow[:6]:
        for step in ("next", "previous"):
            _projected(search, replace(rows, step=step), links, 5)
        for step in ("below", "above"):
            search.add(Program("count", 0, replace(rows, step=step)), links)
        for column in range(min(len(search.frame.columns), 8)):
            if any(where.column == column for where in rows.where):
                continue
            same = replace(rows, step="same", step_column=column)
            if search.rows(same):
                search.add(Program("cells", rows.where[0].column, same), links)
                search.add(Program("count", 0, same), links)


def _groups(search: _Search, bases: list[Base], ordered: list[int]) -> None:
    """Different values, the most and least frequent ones."""
    for rows, links in bases[:6]:
        for column in _columns(search.question, search.frame)[:8]:
            if search.frame.columns[column].distinct < len(search.frame):
                for op in ("frequent", "distinct", "rare"):
                    search.add(Program(op, column, rows), links)


def _reductions(search: _Search, bases: list[Base], ordered: list[int]) -> None:
    """Sums, means, extremes and ranges of numbers."""
    for rows, links in bases[:14]:
        if len(search.rows(rows)) < 2:
            continue
        for column in ordered[:6]:
            for op in ("sum", "mean", "range", "max", "min"):
                search.add(Program(op, column, rows), links)


def _pairs(search: _Search, bases: list[Base], ordered: list[int]) -> None:
    """Differences and totals between two bases; which of the two is met more often."""
    single = [(r, ls) for r, ls in bases if len(r.where) == 1 and ls][:7]
    for i, (one, left) in enumerate(single):
        for two, right in single[i + 1 :]:
            if left[0].start < right[0].end and right[0].start < left[0].end:
                continue
            for column in ordered[:6]:
                for op in ("difference", "total"):
                    search.add(Program(op, column, one, two), (*left, *right))
            for op in ("count_difference", "count_sum"):
                search.add(Program(op, 0, one, two), (*left, *right))
            if one.where[0].column == two.where[0].column:
                for op in ("more", "fewer"):
                    search.add(Program(op, one.where[0].column, one, two), (*left, *right))


def _streaks(search: _Search, bases: list[Base], ordered: list[int]) -> None:
    """The longest run of neighbouring rows of a base."""
    for rows, links in bases[1:8]:
        search.add(Program("streak", 0, rows), links)


_STAGES: tuple[Callable[[_Search, list[Base], list[int]], None], ...] = (
    _simple, _streaks, _extremes, _groups, _reductions, _pairs, _steps, _narrow_extremes,
)  # fmt: skip

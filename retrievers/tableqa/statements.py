"""Statements about a table that a claim may mean, each true or false of it.

The same programs as for questions, compared with what the claim says of their result: a number, a
cell; and what two sets of rows are to each other (more, every, only, together), as in the latent
programs of TabFact (Chen et al., arXiv 1909.02164). Each comes plain and denied. Not here: which of
them the claim means (claims.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from retrievers.tableqa.candidates import Candidate, candidates
from retrievers.tableqa.execute import select
from retrievers.tableqa.frame import Frame
from retrievers.tableqa.linking import Link, Question
from retrievers.tableqa.programs import Order, Program, Result, Rows, Where
from retrievers.tableqa.words import ORDINALS

CAP = 350
_SORTED = frozenset({"number", "date", "score"})
_ENDINGS = frozenset({"st", "nd", "rd", "th"})
COMPUTED = frozenset(
    "count distinct sum mean max min range difference count_difference count_sum total".split()
)


@dataclass(frozen=True, slots=True)
class Statement:
    """kind: how the program's result is compared; span: the claim's words it is compared with.

    denied: whether the claim is read as saying the contrary; true: of the table, denial included.
    """

    kind: str
    candidate: Candidate
    span: tuple[int, int]
    denied: bool
    true: bool


def statements(claim: Question, frame: Frame, cap: int = CAP) -> list[Statement]:
    """At most `cap` statements and as many denials; none for an empty table."""
    plain: list[Statement] = []
    for source in (_joint(claim, frame), _placed(claim, frame), _related(claim, frame),
                   _bounded(claim, frame), _told(claim, frame)):  # fmt: skip
        for made in source:
            if len(plain) >= cap:
                break
            plain.append(made)
    return [*plain, *(replace(made, denied=True, true=not made.true) for made in plain)]


def _told(claim: Question, frame: Frame) -> Iterator[Statement]:
    """Results of programs beside the numbers and cells that the claim says."""
    for found in candidates(claim, frame, 500):
        program, used = found.program, _used(found.links)
        if program.op in COMPUTED:
            compared = {where.value for where in program.rows.where}
            for value, at in claim.numbers:
                if at not in used and value not in compared:
                    true = _equal(found.result.values[0], value)
                    yield Statement(program.op, found, (at, at + 1), False, true)
        elif program.op in {"cells", "frequent", "rare"}:
            yield from _celled(claim, frame, found, used)


def _celled(claim: Question, frame: Frame, found: Candidate, used: set[int]) -> Iterator[Statement]:
    column, rows = found.program.column, set(found.result.rows)
    linked: set[int] = set()
    for link in claim.links:
        span = range(link.start, link.end)
        if link.where.column == column and not used & set(span):
            linked.update(span)
            kind = f"{found.program.op}:{link.how}"
            yield Statement(kind, found, (link.start, link.end), False, bool(rows & {*link.rows}))
    if frame.columns[column].kind in _SORTED:
        keys = frame.columns[column].keys
        for value, at in claim.numbers:
            if at not in used and at not in linked:
                true = any(keys[i] == value for i in rows)
                yield Statement("cells:number", found, (at, at + 1), False, true)


def _used(links: Sequence[Link]) -> set[int]:
    return {i for link in links for i in range(link.start, link.end)}


def _equal(told: str, value: float) -> bool:
    try:
        return abs(float(told) - value) <= 0.005 * max(1.0, abs(value)) * (value != int(value))
    except ValueError:
        return False


def _joint(claim: Question, frame: Frame) -> Iterator[Statement]:
    """Whether one row holds all that is linked, or all but one."""
    spans: dict[tuple[int, int], list[Link]] = {}
    for link in claim.links:
        spans.setdefault((link.start, link.end), []).append(link)
    if not spans:
        return
    held = [{i for link in links for i in link.rows} for links in spans.values()]
    counts = [sum(i in rows for rows in held) for i in range(len(frame))]
    best = max(counts, default=0)
    at = tuple(i for i, count in enumerate(counts) if count == best)
    links = tuple(some[0] for some in spans.values())
    program = Program("count", 0, Rows(tuple(link.where for link in links)))
    found = Candidate(program, Result((str(len(at)),), at[:5], ()), links)
    yield Statement(f"joint:{min(len(spans), 4)}", found, (0, 0), False, best == len(spans))
    yield Statement(f"almost:{min(len(spans), 4)}", found, (0, 0), False, best >= len(spans) - 1)


def _narrow(claim: Question, frame: Frame) -> list[tuple[Link, tuple[int, ...]]]:
    return [(link, link.rows) for link in claim.links if len(link.rows) <= max(1, len(frame) // 2)]


def _related(claim: Question, frame: Frame) -> Iterator[Statement]:
    """Two links: every row of one is of the other, only those are, some are; which has more."""
    for one in claim.links:
        for two in claim.links:
            apart = one.end <= two.start or two.end <= one.start
            if one == two or not apart or one.where.column == two.where.column:
                continue
            yield from _sets(one, two)
    for number, one in enumerate(claim.links):
        found = _pair(one, one, "count", 0)
        every = len(one.rows) >= len(frame.body)
        yield Statement("all", found, (one.start, one.end), False, every)
        yield Statement("most", found, (one.start, one.end), False,
                        len(one.rows) * 2 > len(frame.body))  # fmt: skip
        yield Statement("once", found, (one.start, one.end), False, len(one.rows) == 1)
        for two in claim.links[number + 1 :]:
            if one.end <= two.start or two.end <= one.start:
                yield from _compared(one, two, frame)


def _sets(one: Link, two: Link) -> Iterator[Statement]:
    left, right = set(one.rows), set(two.rows)
    found = _pair(one, two, "count", 0, joined=True)
    span = (two.start, two.end)
    yield Statement("every", found, span, False, left <= right)
    if one.start < two.start:
        yield Statement("some", found, span, False, bool(left & right))
        yield Statement("alone", found, span, False, left == right)


def _compared(one: Link, two: Link, frame: Frame) -> Iterator[Statement]:
    """One before the other in the claim's order: by their number of rows, keys, places."""
    first, second = (one, two) if one.start <= two.start else (two, one)
    if one.where.column == two.where.column:
        found = _pair(first, second, "count_difference", 0)
        more = len(first.rows) - len(second.rows)
        yield Statement("count>", found, (0, 0), False, more > 0)
        yield Statement("count<", found, (0, 0), False, more < 0)
        yield Statement("count=", found, (0, 0), False, more == 0)
    if len(first.rows) > 3 or len(second.rows) > 3 or set(first.rows) & set(second.rows):
        return
    place = first.rows[0] - second.rows[0]
    found = _pair(first, second, "count_difference", 0)
    yield Statement("place<", found, (0, 0), False, place < 0)
    for column, about in enumerate(frame.columns):
        if column in (first.where.column, second.where.column):
            continue
        found = _pair(first, second, "difference", column)
        left, right = about.keys[first.rows[0]], about.keys[second.rows[0]]
        same = about.texts[first.rows[0]] == about.texts[second.rows[0]]
        yield Statement("key=", found, (0, 0), False, same)
        if left == left and right == right and about.kind != "text":
            yield Statement("key>", found, (0, 0), False, left > right)
            yield Statement("key<", found, (0, 0), False, left < right)


def _bounded(claim: Question, frame: Frame) -> Iterator[Statement]:
    """All linked rows, or every row, beyond a number that the claim says."""
    for value, at in claim.numbers:
        for column, about in enumerate(frame.columns[:12]):
            if about.kind not in _SORTED:
                continue
            keys = about.years if about.kind == "date" else about.keys
            for link in [None, *claim.links[:4]]:
                if link and (link.start <= at < link.end or link.where.column == column):
                    continue
                rows = link.rows if link else frame.body
                yield from _beyond(keys, rows, value, (column, at, link))


def _beyond(
    keys: Sequence[float], rows: Sequence[int], value: float, about: tuple[int, int, Link | None]
) -> Iterator[Statement]:
    column, at, link = about
    held = [keys[i] for i in rows if keys[i] == keys[i]]
    if not held or not min(held) / 4 - 10 <= value <= max(held) * 4 + 10:
        return
    where = Where(column, ">", value)
    chosen = Rows((link.where, where)) if link else Rows((where,))
    found = Candidate(Program("count", column, chosen), Result(("1",), tuple(rows)[:5], (column,)),
                      (link,) if link else ())  # fmt: skip
    span = (at, at + 1)
    kinds = (("every>", all(k > value for k in held)), ("every<", all(k < value for k in held)),
             ("some>", any(k > value for k in held)), ("some<", any(k < value for k in held)),
             ("some=", value in held))  # fmt: skip
    for kind, true in kinds:
        yield Statement(kind if link else f"{kind}*", found, span, False, true)


def _placed(claim: Question, frame: Frame) -> Iterator[Statement]:
    """A linked row's place by a column, from above and below: the first, or a named one."""
    places = sorted(_said_places(claim))[:3]
    narrow = [link for link in claim.links if len(link.rows) <= 2][:3]
    columns = [i for i, about in enumerate(frame.columns) if about.kind in _SORTED][:7]
    for order in (Order(column, largest) for column in columns for largest in (True, False)):
        keys = frame.columns[order.column].keys
        ladder = sorted({keys[i] for i in frame.body if keys[i] == keys[i]}, reverse=order.largest)
        for link in narrow:
            if link.where.column == order.column or keys[link.rows[0]] not in ladder:
                continue
            place = ladder.index(keys[link.rows[0]]) + 1
            program = Program("cells", link.where.column, Rows(order=order))
            found = Candidate(program, Result(("1",), link.rows, (link.where.column,)), (link,))
            for number in places:
                kind = f"place{min(number, 4)}:{'>' if order.largest else '<'}"
                yield Statement(kind, found, (0, 0), False, place == number)


def _said_places(claim: Question) -> set[int]:
    """The first place, and those that the claim names: second, 3rd."""
    places = {1, *(ORDINALS[word] for word in claim.words if word in ORDINALS)}
    return places | {
        int(word)
        for word, ending in pairwise(claim.words)
        if ending in _ENDINGS and word.isdigit() and len(word) < 5
    }


def _pair(one: Link, two: Link, op: str, column: int, joined: bool = False) -> Candidate:
    if joined:
        program = Program(op, column, Rows((one.where, two.where)))
    else:
        other = Rows((two.where,)) if two != one else None
        program = Program(op, column, Rows((one.where,)), other)
    rows = tuple(sorted({*one.rows[:5], *two.rows[:5]}))
    links = (one, two) if two != one else (one,)
    return Candidate(program, Result(("1",), rows, (one.where.column, column)), links)


def rows_of(statement: Statement, frame: Frame) -> tuple[int, ...]:
    """The rows that a statement speaks of."""
    return statement.candidate.result.rows or select(statement.candidate.program.rows, frame)

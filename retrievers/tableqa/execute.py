"""Runs a program over a frame.

Total: every program gives a result, an empty one where it has no answer (no rows, no numbers, two
rows where one was needed). Not here: SQL (sql.py), which must give the same (see the tests).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from retrievers.tableqa.cells import any_number
from retrievers.tableqa.frame import ROW, Frame, dated
from retrievers.tableqa.programs import COUNTED, PAIRED, Program, Result, Rows, Where

Indices = tuple[int, ...]
NONE = Result((), (), ())


def execute(program: Program, frame: Frame) -> Result:
    """What the program gives; columns as headers are `frame.columns[i].header`."""
    rows = select(program.rows, frame)
    others = select(program.other, frame) if program.other else ()
    return apply(program, frame, rows, others)


def apply(program: Program, frame: Frame, rows: Indices, others: Indices) -> Result:
    """The operation over rows that were selected already."""
    if program.op in COUNTED:
        return _counted(program, frame, rows)
    if program.op in PAIRED:
        return _paired(program, frame, rows, others)
    if program.op in {"more", "fewer"}:
        return _compared(program, frame, rows, others)
    if program.op in {"cells", "year", "number", "frequent", "rare"}:
        return _listed(program, frame, rows)
    return _reduced(program, frame, rows)


def select(rows: Rows, frame: Frame) -> Indices:
    """The numbers of the chosen rows, from 0, ascending."""
    chosen = _filtered(rows, frame)
    if rows.order and chosen:
        column, largest = rows.order.column, rows.order.largest
        if column == ROW:
            chosen = (chosen[-1] if largest else chosen[0],)
        else:
            chosen = _extreme(frame.columns[column].keys, chosen, largest)
    return _stepped(rows, frame, chosen) if rows.step else chosen


def _filtered(rows: Rows, frame: Frame) -> Indices:
    if not rows.where:
        return frame.body
    found = [set(matching(where, frame)) for where in rows.where]
    met = set.union(*found) if rows.either else set.intersection(*found)
    return tuple(sorted(met))


def matching(where: Where, frame: Frame) -> Indices:
    """The rows that meet one condition."""
    column, value = frame.columns[where.column], where.value
    if isinstance(value, str):
        if where.test == "has":
            wanted = f" {value} "
            joined = frame.joined
            return tuple(i for i in range(len(frame)) if wanted in joined[i][where.column])
        texts = column.texts
        if where.test == "not":
            return tuple(i for i in frame.body if texts[i] != value)
        return tuple(i for i in range(len(frame)) if texts[i] == value)
    keys = column.years if dated(column, value) else column.keys
    return tuple(i for i in frame.body if _meets(keys[i], where.test, value))


def _meets(key: float, test: str, value: float) -> bool:
    """False for NaN, whatever the test."""
    if test == ">":
        return key > value
    if test == "<":
        return key < value
    if test == ">=":
        return key >= value
    if test == "<=":
        return key <= value
    return key == value if test == "=" else key == key and key != value


def _extreme(keys: Sequence[float], chosen: Indices, largest: bool) -> Indices:
    held = [(keys[i], i) for i in chosen if keys[i] == keys[i]]
    if not held:
        return ()
    best = max(held)[0] if largest else min(held)[0]
    return tuple(i for key, i in held if key == best)


def _stepped(rows: Rows, frame: Frame, chosen: Indices) -> Indices:
    if not chosen:
        return ()
    first, last, count = chosen[0], chosen[-1], len(frame)
    if rows.step == "next":
        return (last + 1,) if last + 1 < count else ()
    if rows.step == "previous":
        return (first - 1,) if first else ()
    if rows.step == "below":
        return tuple(i for i in frame.body if i > last)
    if rows.step == "above":
        return tuple(i for i in frame.body if i < first)
    texts = frame.columns[rows.step_column].texts
    shared = {texts[i] for i in chosen}
    return tuple(i for i in frame.body if texts[i] in shared and i not in chosen)


def _counted(program: Program, frame: Frame, rows: Indices) -> Result:
    if program.op == "streak":
        return Result((str(_longest_run(rows)),), rows, _columns(program))
    if program.op == "count":
        return Result((str(len(rows)),), rows, _columns(program))
    texts = {frame.text(i, program.column) for i in rows} - {""}
    return Result((str(len(texts)),), rows, (program.column,))


def _longest_run(rows: Indices) -> int:
    best = length = 0
    last = -2
    for i in rows:
        length = length + 1 if i == last + 1 else 1
        best, last = max(best, length), i
    return best


def _columns(program: Program) -> tuple[int, ...]:
    found = [where.column for rows in (program.rows, program.other) if rows for where in rows.where]
    return tuple(dict.fromkeys(found))


def _listed(program: Program, frame: Frame, rows: Indices) -> Result:
    column = program.column
    if program.op in {"frequent", "rare"}:
        rows = _by_frequency(frame.columns[column].texts, rows, program.op == "frequent")
    kept: dict[str, tuple[int, str]] = {}
    for i in rows:
        cell = frame.cells[i][column]
        if not cell.blank or program.op == "cells":
            kept.setdefault(cell.text, (i, cell.raw.strip()))
    if program.op in {"year", "number"}:
        return _numbers_in(program, frame, [i for i, _ in kept.values()])
    found = [(i, raw) for i, raw in kept.values() if raw]
    return Result(tuple(raw for _, raw in found), tuple(i for i, _ in found), (column,))


def _numbers_in(program: Program, frame: Frame, rows: Sequence[int]) -> Result:
    found: dict[str, int] = {}
    for i in rows:
        cell = frame.cells[i][program.column]
        number = frame.columns[program.column].years[i] if program.op == "year" else None
        if program.op == "number":
            number = cell.number if cell.number is not None else any_number(cell.text)
        if number is not None and number == number:
            found.setdefault(shown(number), i)
    return Result(tuple(found), tuple(found.values()), (program.column,))


def _by_frequency(texts: Sequence[str], rows: Indices, most: bool) -> Indices:
    counts = Counter(texts[i] for i in rows if texts[i])
    if len(counts) < 2:
        return ()
    best = max(counts.values()) if most else min(counts.values())
    return tuple(i for i in rows if counts.get(texts[i]) == best)


def _reduced(program: Program, frame: Frame, rows: Indices) -> Result:
    column = frame.columns[program.column]
    source = column.years if column.kind == "date" else column.keys
    held = [i for i in rows if source[i] == source[i]]
    keys = [source[i] for i in held]
    if not keys:
        return NONE
    if program.op == "sum":
        value = math.fsum(keys)
    elif program.op == "mean":
        value = math.fsum(keys) / len(keys)
    elif program.op == "range":
        value = max(keys) - min(keys)
    else:
        value = max(keys) if program.op == "max" else min(keys)
    return Result((shown(value),), tuple(held), (program.column,))


def _paired(program: Program, frame: Frame, rows: Indices, others: Indices) -> Result:
    both = tuple(sorted({*rows, *others}))
    if not rows or not others:
        return NONE
    if program.op == "count_difference":
        return Result((str(abs(len(rows) - len(others))),), both, _columns(program))
    if program.op == "count_sum":
        return Result((str(len(both)),), both, _columns(program))
    column = frame.columns[program.column]
    keys = column.years if column.kind == "date" else column.keys
    one, two = ([keys[i] for i in some if keys[i] == keys[i]] for some in (rows, others))
    if not one or not two:
        return NONE
    left, right = math.fsum(one), math.fsum(two)
    value = abs(left - right) if program.op == "difference" else left + right
    return Result((shown(value),), both, (program.column,))


def _compared(program: Program, frame: Frame, rows: Indices, others: Indices) -> Result:
    """The cell named by the condition that more (or fewer) rows meet."""
    if len(rows) == len(others) or not rows or not others:
        return NONE
    winner = rows if (len(rows) > len(others)) == (program.op == "more") else others
    cell = frame.cells[winner[0]][program.column]
    return Result((cell.raw.strip(),), tuple(sorted({*rows, *others})), (program.column,))


def shown(number: float) -> str:
    """A computed number: whole when it is whole, else as few digits as it needs."""
    if math.isinf(number) or math.isnan(number):
        return ""
    rounded = round(number, 6)
    return str(int(rounded)) if rounded == int(rounded) else f"{rounded:.10g}"

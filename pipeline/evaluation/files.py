"""Reads the files of answers and of right answers, and joins them by id.

All that is wrong is said at once, a line each, before anything is measured. Not here: what a
line means (records.py), measures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pilotfish.errors import InputError
from pilotfish.files import decoded, read_piped
from pilotfish.text import shorten
from pipeline.evaluation.records import Gold, Reply, gold_of, reply_of

NAMED = 20  # ids or lines that a message names before it only counts
T = TypeVar("T", Reply, Gold)
Pair = tuple[Reply, Gold]


@dataclass(frozen=True, slots=True)
class Source:
    """Where lines came from: the file's name, its SHA-256, how many lines."""

    name: str
    sha256: str
    lines: int


@dataclass(frozen=True, slots=True)
class Joined:
    """Pairs in the order of GOLD, and the ids that stand on one side only."""

    pairs: tuple[Pair, ...]
    unanswered: tuple[str, ...] = ()
    without_gold: tuple[str, ...] = ()


def read_replies(path: Path) -> tuple[Source, dict[str, Reply]]:
    """ANSWERS by id, in order. InputError names every bad line."""
    return _read(path, reply_of)


def read_gold(path: Path) -> tuple[Source, dict[str, Gold]]:
    """GOLD by id, in order. InputError names every bad line."""
    return _read(path, gold_of)


def join(replies: Mapping[str, Reply], gold: Mapping[str, Gold]) -> Joined:
    """What stands on both sides, and what does not."""
    return Joined(
        tuple((replies[name], gold[name]) for name in gold if name in replies),
        tuple(name for name in gold if name not in replies),
        tuple(name for name in replies if name not in gold),
    )


def common(one: Joined, other: Joined, answers: Source, others: Source) -> tuple[Joined, Joined]:
    """Both runs on the ids that both have; InputError when there is none."""
    shared = {reply.id for reply, _ in one.pairs} & {reply.id for reply, _ in other.pairs}
    if not shared:
        raise InputError(f"{answers.name} and {others.name} have no question in common")
    kept = [tuple(pair for pair in run.pairs if pair[0].id in shared) for run in (one, other)]
    lost = tuple(reply.id for reply, _ in one.pairs if reply.id not in shared)
    return (
        Joined(kept[0], (*one.unanswered, *lost), one.without_gold),
        Joined(kept[1], other.unanswered, other.without_gold),
    )


def matched(joined: Joined, answers: Source, gold: Source, skip: bool) -> tuple[Pair, ...]:
    """The pairs; InputError where an id is missing on a side, unless those are to be skipped."""
    problems = [
        f"{len(ids)} of {source.name} {what}: {named(ids)}"
        for ids, source, what in (
            (joined.unanswered, gold, f"have no line in {answers.name}"),
            (joined.without_gold, answers, f"have no line in {gold.name}"),
        )
        if ids
    ]
    if not joined.pairs:
        raise InputError(
            f"{answers.name} and {gold.name} have no id in common: "
            f"{named(joined.without_gold, 3)} against {named(joined.unanswered, 3)}"
        )
    if problems and not skip:
        told = "".join(f"\n  {problem}" for problem in problems)
        raise InputError(
            f"the ids do not match; nothing was measured.{told}\n"
            "  mend the files, or add --skip-missing to measure the others"
        )
    return joined.pairs


def named(ids: Sequence[str], most: int = NAMED) -> str:
    """The first of the ids, and how many more there are."""
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return ", ".join(_short(name) for name in ids[:most]) + more


def _short(name: str) -> str:
    return shorten(name, 60)


def _read(path: Path, made: Callable[[Mapping[str, Any], int], T]) -> tuple[Source, dict[str, T]]:
    data = read_piped(path)
    name = "stdin" if str(path) == "-" else str(path)
    found: dict[str, T] = {}
    first: dict[str, int] = {}
    problems: list[str] = []
    text = decoded(data, name, "give JSON lines, saved as UTF-8")
    for number, raw in enumerate(text.split("\n"), start=1):
        if not raw.strip():
            continue
        try:
            one = made(_object(raw), number)
            if one.id in first:
                raise ValueError(f"id {_short(one.id)} is the one of line {first[one.id]} already")
        except (ValueError, TypeError, RecursionError) as error:
            problems.append(f"line {number}: {str(error)[:160]}")
            continue
        first[one.id] = number
        found[one.id] = one
    _complain(name, problems, len(found))
    return Source(name, hashlib.sha256(data).hexdigest(), len(found)), found


def _object(raw: str) -> Mapping[str, Any]:
    try:
        fields = json.loads(raw)
        json.dumps(fields, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("half a character in it (a lone surrogate)") from None
    except ValueError:
        raise ValueError("not valid JSON") from None
    if not isinstance(fields, dict):
        raise ValueError("not a JSON object")
    return fields


def _complain(name: str, problems: Sequence[str], good: int) -> None:
    if problems:
        more = len(problems) - NAMED
        told = "".join(f"\n  {problem}" for problem in problems[:NAMED])
        told += f"\n  and {more} more" if more > 0 else ""
        total = len(problems) + good
        raise InputError(f"{name}: {len(problems)} of {total} lines cannot be read.{told}")
    if not good:
        raise InputError(f"{name} is empty: give JSON lines, one a question")

"""Whether two lists of answers say the same, as the evaluator of WikiTableQuestions compares them.

Values are compared as sets: each as a number when both are numbers, as a date when both are, else
by normal text (Pasupat and Liang, arXiv 1508.00305). Not here: scores over a data set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from retrievers.tableqa.cells import Date, read_date
from retrievers.tableqa.words import normal

_NUMBER = re.compile(r"[+-]?(?:\d+(?:,\d{3})*|\d*)(?:\.\d+)?")

Value = tuple[str, str]


@lru_cache(maxsize=65536)
def value(text: str) -> Value:
    """(kind, key) of one answer: equal answers have equal pairs."""
    plain = normal(text)
    while True:  # a bracketed tail is dropped, unless it is all there is
        shorter = re.sub(r"(?<!^)\s*\([^)]*\)$", "", plain).strip(' "')
        if shorter == plain:
            break
        plain = shorter
    plain = plain.removesuffix(".")
    if plain and any(c.isdigit() for c in plain):
        if _NUMBER.fullmatch(plain):
            return "number", f"{round(float(plain.replace(',', '')), 6):g}"
        date = read_date(plain) if len(plain) < 30 else None
        if date and _whole(plain, date):
            return "date", "-".join("x" if part is None else str(part) for part in date)
    return "text", plain


def _whole(plain: str, date: Date) -> bool:
    """Whether the text is the date and nothing else."""
    rest = re.sub(r"[a-z]{3,9}|\d+|[\s,.\-/]|(?<=\d)(?:st|nd|rd|th)\b", "", plain)
    return not rest and date[1] is not None and len(re.findall("[a-z]{3,}", plain)) <= 1


def denotation(values: Iterable[str]) -> frozenset[Value]:
    """The values as a set that equals another when both say the same."""
    return frozenset(value(each) for each in values)

"""Denotation accuracy in the manner of the official evaluator of WikiTableQuestions.

Independent of the product's own comparison (retrievers/tableqa/denotation.py), after evaluator.py
of Pasupat and Liang (arXiv 1508.00305): normalise, read as number or date, and match as sets: as
many values as asked for, and each asked one matched. Not here: the official file's CoreNLP dates,
which dev does not have.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

Date = tuple[int, int, int]  # year, month, day; -1: not said
_MONTHS = ("january february march april may june july august september october november "
           "december").split()  # fmt: skip


def normalise(text: str) -> str:
    """The evaluator's `normalize`: accents, quotes, dashes, citations, brackets, case."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    plain = re.sub(r"[‘’´`]", "'", plain)
    plain = re.sub(r"[“”]", '"', plain)
    plain = re.sub(r"[‐‑‒–—−]", "-", plain)
    while True:
        before = plain
        plain = re.sub(r"((?<!^)\[[^\]]*\]|\[\d+\]|[•♦†‡*#+])*$", "", plain.strip())
        plain = re.sub(r"(?<!^)( \([^)]*\))*$", "", plain.strip())
        plain = re.sub(r'^"([^"]*)"$', r"\1", plain.strip())
        if plain == before:
            break
    plain = plain.removesuffix(".")
    return re.sub(r"\s+", " ", plain).lower().strip()


def amount(text: str) -> float | None:
    """The number that a value is, or None."""
    try:
        return float(text.replace(",", "")) if re.search(r"\d", text) else None
    except ValueError:
        return None


def date(text: str) -> Date | None:
    """A date written as yyyy-mm-dd (x for what is not said) or with an English month."""
    parts = re.fullmatch(r"(\d{4}|x+)-(\d{1,2}|x+)-(\d{1,2}|x+)", text)
    if parts:
        year, month, day = (-1 if "x" in part else int(part) for part in parts.groups())
        return year, month, day
    words = re.findall(r"[a-z]+|\d+", text)
    months = [_MONTHS.index(word) + 1 for word in words if word in _MONTHS]
    numbers = [int(word) for word in words if word.isdigit()]
    if len(months) != 1 or len(words) != 1 + len(numbers) or not 1 <= len(numbers) <= 2:
        return None
    years = [n for n in numbers if n > 31]
    days = [n for n in numbers if n <= 31]
    return (years[0] if years else -1), months[0], (days[0] if days else -1)


def same(one: str, two: str) -> bool:
    """Whether two values match: as text, as numbers within 1e-6, or as dates."""
    left, right = normalise(one), normalise(two)
    if left == right:
        return True
    numbers = amount(left), amount(right)
    if numbers[0] is not None and numbers[1] is not None:
        return abs(numbers[0] - numbers[1]) < 1e-6
    dates = date(left), date(right)
    return dates[0] is not None and dates[0] == dates[1]


def right(told: Sequence[str], answers: Sequence[str]) -> bool:
    """Whether the values told are the answers, as sets."""
    asked = list({normalise(each): each for each in answers}.values())
    given = list({normalise(each): each for each in told}.values())
    return len(asked) == len(given) and all(any(same(a, g) for g in given) for a in asked)


def coverage(chances: Sequence[float], correct: Sequence[bool], wanted: float) -> float:
    """The largest share of questions, most confident first, of which `wanted` are right."""
    order = sorted(range(len(chances)), key=lambda i: -chances[i])
    hits, best = 0, 0
    for count, i in enumerate(order, 1):
        hits += correct[i]
        if hits >= wanted * count:
            best = count
    return best / len(order) if order else 0.0

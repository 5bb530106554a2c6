"""Numbers, years, months and names in a text, with their places and a form to compare them by.

Rules: the same on every machine. Written numbers ("five") equal digits; a surname is in a full
name; initials are in the name they shorten. Not here: whether a value is right (mend.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from pilotfish.dates import MONTH, YEAR
from pilotfish.text import fold as folded_text
from pilotfish.text import numbers

_MONTHS = frozenset(MONTH.lower().split("|"))
_SPELT = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty"
).split()
WRITTEN = {word: str(value) for value, word in enumerate(_SPELT)} | {
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70",
    "eighty": "80", "ninety": "90", "hundred": "100", "thousand": "1000", "million": "1000000",
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "once": "1",
    "twice": "2", "half": "0.5", "dozen": "12", "both": "2", "pair": "2",
}  # fmt: skip
_MONTH = re.compile(rf"\b(?:{MONTH})\b")
_MAY = re.compile(r"(?:\d|\b(?:in|of|since|until|by|from|last|next|early|late|mid))[ -]?$")
_NUMBER = re.compile(
    r"(?<![\w.,/])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?=(?:st|nd|rd|th)?(?:[^\w]|$))"
)
_YEAR = re.compile(YEAR)
_SMALL = r"(?:of|the|de|van|von|der|la|le|di|da|al)"
_WORD = r"[A-ZÀ-Þ][\w\u0300-\u036f'’-]*[\w\u0300-\u036f]|[A-ZÀ-Þ]\."
_NAME = re.compile(rf"(?:{_WORD})(?:\s(?:{_SMALL}\s){{0,2}}(?:{_WORD}))*")
_OPENS = re.compile(r"(?:^|[.!?:;•\n]|[\"“(])\s*$")
_NO_NAMES = frozenset(
    (
        "the a an this that these those it he she they we i you in on at of for from by with as "
        "his her its their our there here when while after before during since but and or if "
        "although however no yes not monday tuesday wednesday thursday friday saturday sunday"
    ).split()
)


def fold(text: str) -> str:
    """Lower case without accents: Noël is Noel."""
    parts = unicodedata.normalize("NFKD", folded_text(text))
    return "".join(one for one in parts if not unicodedata.combining(one))


@dataclass(frozen=True, slots=True)
class Value:
    """text[start:end]. kind: number, year, month or name; `key` is what is compared."""

    kind: str
    start: int
    end: int
    text: str
    key: str

    @property
    def called(self) -> str:
        """number, name or date, as people call it."""
        return "date" if self.kind in {"year", "month"} else self.kind


def values(text: str) -> list[Value]:
    """Every number, year, month and name, in order of their places."""
    found = [*_months(text), *_numbers(text)]
    taken = [(value.start, value.end) for value in found]
    found += [v for v in _names(text) if all(v.end <= a or v.start >= b for a, b in taken)]
    return sorted(found, key=lambda value: value.start)


def _months(text: str) -> Iterator[Value]:
    for match in _MONTH.finditer(text):
        followed = text[match.end() : match.end() + 2].strip()[:1].isdigit()
        led = _MAY.search(text, max(0, match.start() - 8), match.start())
        if match[0] != "May" or followed or led:  # May I, you may: no month
            yield Value("month", match.start(), match.end(), match[0], fold(match[0]))


def _numbers(text: str) -> Iterator[Value]:
    for match in _NUMBER.finditer(text):
        kind = "year" if _YEAR.fullmatch(match[0]) else "number"
        yield Value(kind, match.start(), match.end(), match[0], numbers(match[0])[0])


def _names(text: str) -> Iterator[Value]:
    for match in _NAME.finditer(text):
        start, said = match.start(), match[0]
        opens = bool(_OPENS.search(text, max(0, start - 3), start))
        first, _, rest = said.partition(" ")
        if opens and fold(first) in _NO_NAMES and rest:
            start, said, opens = start + len(first) + 1, rest, False
        if (opens and " " not in said) or not _full(said):
            continue
        bare = re.sub(r"['’]s$", "", said)
        yield Value("name", start, start + len(bare), bare, fold(bare))


def _full(said: str) -> bool:
    return len(said) > 2 and fold(said) not in _NO_NAMES and fold(said) not in _MONTHS


def present(value: Value, text: str) -> bool:
    """Whether the text has the value, in whatever shape."""
    if value.kind == "name":
        return _named(value.key, text)
    if value.kind == "month":
        return value.key[:3] in fold(text)
    return value.key in _figures(text)


def _figures(text: str) -> set[str]:
    digits = {re.sub(r"[%％]|(?:st|nd|rd|th)$", "", one) for one in numbers(text)}
    digits |= {value.key for value in _numbers(text)}
    digits |= {one.lstrip("-") for one in digits}
    return digits | {WRITTEN[word] for word in re.findall(r"[a-z]+", fold(text)) if word in WRITTEN}


def _named(key: str, text: str) -> bool:
    folded = fold(text)
    there = set(re.findall(r"\w+", folded))
    words = [word for word in re.findall(r"\w+", key) if not re.fullmatch(_SMALL, word)]
    if all(word in there or word.rstrip("s") in there or word + "s" in there for word in words):
        return True
    return len(key) <= 6 and _initials(key, text)


def _initials(key: str, text: str) -> bool:
    """UN in "United Nations", for keys without spaces."""
    letters = re.sub(r"\W", "", key)
    runs = ("".join(w[0] for w in re.findall(r"[A-Z][a-z]+", m[0])) for m in _NAME.finditer(text))
    return any(letters == run.lower() for run in runs)


def months(text: str) -> list[Value]:
    """The months that are named in the text."""
    return [value for value in values(text) if value.kind == "month"]

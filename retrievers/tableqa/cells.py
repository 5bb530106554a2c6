"""What a table's cell says: a number, a date, a score, or text alone; regular expressions only.

As in the table normalisation of Pasupat and Liang (arXiv 1508.00305), a cell may be read in several
ways at once: "5 km" is text and 5, "March 2004" is text and a date. Nothing here raises, whatever
the cell holds. Not here: what a whole column is (frame.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from retrievers.tableqa.words import normal, stems

BLANK = frozenset({"", "-", "--", "---", "n/a", "na", "none", "?", "tba", "tbd", "unknown", "..."})
MONTHS = {
    name[:3]: number + 1
    for number, name in enumerate(
        "january february march april may june july august september october november "
        "december".split()
    )
}
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_MONTH_FIRST = re.compile(_MONTH + r"(?:\s+(\d{1,2})(?:st|nd|rd|th)?\b)?(?:,?\s*(\d{4}))?")
_DAY_FIRST = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th)?[\s-]+(?:of\s+)?" + _MONTH + r",?[\s-]*(\d{4})?"
)
_ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_SLASHED = re.compile(r"\b(\d{1,2})/(\d{1,2})/(\d{4})\b")
_YEAR = re.compile(
    r"^(?:c\.|ca\.)?\s*(1[0-9]{3}|20[0-9]{2})(?:\s*[-/]\s*(?:\d{2}|\d{4}|present)?)?$"
)
_SCORE = re.compile(r"(?<![\d-])(\d{1,3})\s*[-:]\s*(\d{1,3})(?![\d-])")
_CLOCK = re.compile(r"^\+?(?:(\d+):)?(\d{1,2}):(\d{2}(?:\.\d+)?)$|^(\d+)'(\d{2}(?:\.\d+)?)\"?$")
_NUMBER = re.compile(r"(?<![\w.])([+-]?)(\d+(?:,\d{3})+(?:\.\d+)?|\d*\.\d+|\d+)")
_LEADING = re.compile(
    r"^[^\w+.-]*(?:us|usd|eur|no\.?|about|around|c\.|~|approx\.?)?[$£€¥#\s.]*(?=[+-]?[\d.])"
)
_SCALES = {"million": 1e6, "billion": 1e9, "thousand": 1e3, "m": 1.0, "bn": 1e9}

Date = tuple[int | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Cell:
    """raw: as given; text: its normal form; number, date, score: None when it says none.

    date: (year, month, day), any of them None. score: the two sides of "3-2".
    parts: what commas, slashes, "and" or line breaks set apart, when more than one.
    """

    raw: str
    text: str
    stems: tuple[str, ...]
    number: float | None
    date: Date | None
    score: tuple[int, int] | None
    parts: tuple[str, ...]

    @property
    def blank(self) -> bool:
        """Whether it says nothing: empty, a dash, "n/a"."""
        return self.text in BLANK


def read(raw: str) -> Cell:
    """The cell of this text."""
    text = normal(raw)
    date = read_date(text)
    score = _score(text)
    number = None if score or (date and date[1]) else read_number(text)
    return Cell(raw, text, stems(raw), number, date, score, _parts(text))


def read_number(text: str) -> float | None:
    """The number that a normal text begins with, whatever unit follows; (5) is -5."""
    if re.fullmatch(r"\(\s*[$£€]?\s*[\d.,]+\s*\)", text):
        inner = read_number(text.strip("() "))
        return None if inner is None else -inner
    clock = _CLOCK.match(text)
    if clock:
        return _seconds(*clock.groups())
    begin = _LEADING.match(text)
    found = _NUMBER.match(text, begin.end()) if begin else None
    if not found:
        return None
    value = _value(found)
    scale = re.match(r"\s*(million|billion|thousand|bn)\b", text[found.end() :])
    return value * _SCALES[scale.group(1)] if scale else value


def any_number(text: str) -> float | None:
    """The first number anywhere in a normal text."""
    found = _NUMBER.search(text)
    return _value(found) if found else None


def _value(found: re.Match[str]) -> float:
    value = float(found.group(2)[:40].replace(",", ""))
    return -value if found.group(1) == "-" else value


def _seconds(hours: str | None, minutes: str | None, seconds: str | None,
             short: str | None, rest: str | None) -> float:  # fmt: skip
    if short is not None:
        return int(short[:9]) * 60 + float(rest or 0)
    return int((hours or "0")[:9]) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)


def read_date(text: str) -> Date | None:
    """(year, month, day) of a normal text; parts it does not say are None."""
    found = _YEAR.match(text)
    if found:
        return int(found.group(1)), None, None
    found = _ISO.search(text)
    if found:
        return _date(found.group(1), int(found.group(2)), found.group(3))
    found = _SLASHED.search(text)
    if found:
        return _date(found.group(3), int(found.group(1)), found.group(2))
    found = _DAY_FIRST.search(text)
    if found:
        return _date(found.group(3), MONTHS[found.group(2)[:3]], found.group(1))
    found = _MONTH_FIRST.search(text)
    if found and (found.start() == 0 or found.group(2) or found.group(3)):
        if found.group(0) == "may" and text != "may":
            return None
        return _date(found.group(3), MONTHS[found.group(1)[:3]], found.group(2))
    return None


def _date(year: str | None, month: int, day: str | None) -> Date | None:
    number = int(day) if day else None
    if not 1 <= month <= 12 or (number is not None and not 1 <= number <= 31):
        return None
    return int(year) if year else None, month, number


def _score(text: str) -> tuple[int, int] | None:
    if len(text) > 24 or _CLOCK.match(text):
        return None
    found = _SCORE.search(text)
    if not found or re.search(r"\d{4}", text):
        return None
    return int(found.group(1)), int(found.group(2))


def _parts(text: str) -> tuple[str, ...]:
    if len(text) > 200 or not re.search(r"[,/;\n&]| and ", text):
        return ()
    found = [part.strip() for part in re.split(r"\s*(?:[,/;\n&]|\band\b)\s*", text)]
    return tuple(part for part in found if part) if sum(map(bool, found)) > 1 else ()

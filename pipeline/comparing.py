"""Two values that were read, compared as a question asks: earlier, larger, the same?

Dates, numbers, names of countries and their people; what cannot be told apart gives no answer.
Rules, since nothing here is a matter of opinion. Not here: reading the values (hop_answer.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pilotfish.dates import MONTHS, YEAR
from pilotfish.text import fold, numbers
from verifiers.relevance import polar

_MONTH = {name[:3].lower(): n for n, name in enumerate(MONTHS, start=1)}
_DATE = re.compile(
    rf"(?:(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? )?(?P<m>{'|'.join(MONTHS)}|"
    rf"(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b)\.? ?"
    rf"(?:(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,? )?(?P<y>{YEAR})|(?P<only>\b{YEAR}\b)",
    re.IGNORECASE,
)
_LEAST = re.compile(
    r"\b(?:first|earlier|earliest|older|oldest|elder|before|shorter|smaller|fewer|less|lower|"
    r"lighter|cheaper|slower)\b",
    re.IGNORECASE,
)
_MOST = re.compile(
    r"\b(?:later|latest|last|younger|youngest|more|most|recently|newer|after|longer|larger|bigger|"
    r"higher|taller|greater|heavier|faster|deeper)\b",
    re.IGNORECASE,
)
_SAME = re.compile(r"\b(?:same|share|common)\b", re.IGNORECASE)
_LAND = {  # people and lands whose names begin otherwise
    "american": "usa", "united states": "usa", "us": "usa", "u.s": "usa", "u.s.a": "usa",
    "usa": "usa", "united states of america": "usa", "british": "uk", "united kingdom": "uk",
    "england": "uk", "english": "uk", "scottish": "uk", "scotland": "uk", "welsh": "uk",
    "wales": "uk", "great britain": "uk", "dutch": "netherlands", "french": "france",
    "spanish": "spain",
    "danish": "denmark", "greek": "greece", "polish": "poland", "swiss": "switzerland",
    "turkish": "turkey", "irish": "ireland", "finnish": "finland", "persian": "iran",
    "iranian": "iran", "filipino": "philippines", "welshman": "uk", "new zealander": "new zealand",
    "soviet": "russia", "soviet union": "russia", "chinese": "china", "swedish": "sweden",
    "malaysian": "malaysia", "ukrainian": "ukraine", "czech": "czech republic",
}  # fmt: skip
_STEM = 4  # letters by which a land and its people are told to be one: Indian, India


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is answered, and how the two values were told apart."""

    text: str
    how: str


def compared(question: str, things: Sequence[str], values: Sequence[str]) -> Outcome | None:
    """One of the two things, or yes or no; None where the values do not tell."""
    if len(things) != 2 or len(values) != 2 or not all(values):
        return None
    if polar(question) and _SAME.search(question):
        return Outcome("yes" if same(*values) else "no", "same")
    least = _LEAST.search(question)
    if least is None and _MOST.search(question) is None:
        return None
    measured = _measures(values)
    if measured is None or measured[0] == measured[1]:
        return None
    one, other = measured
    lower = 0 if one < other else 1
    return Outcome(things[lower if least else 1 - lower], "least" if least else "most")


def _measures(values: Sequence[str]) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Both as dates, else both as numbers; None where they are neither."""
    dates = [date(value) for value in values]
    if dates[0] and dates[1]:
        length = 3 if all(each[1] for each in dates if each) else 1
        return dates[0][:length], dates[1][:length]
    found = [numbers(value) for value in values]
    if not all(found):
        return None
    one, other = (float(each[0].rstrip("%")) for each in found)
    return (one,), (other,)


def date(text: str) -> tuple[float, float, float] | None:
    """(year, month, day) of the first date; month and day 0 where they are not told."""
    found = _DATE.search(" ".join(text.split()))
    if found is None:
        return None
    if found["only"]:
        return float(found["only"]), 0.0, 0.0
    day = found["d1"] or found["d2"] or 0
    return float(found["y"]), float(_MONTH[found["m"][:3].lower()]), float(day)


def same(one: str, other: str) -> bool:
    """Whether two values name one thing: equal, a part of the other, or a land and its people."""
    a, b = _land(one), _land(other)
    if a == b or set(a.split()) <= set(b.split()) or set(b.split()) <= set(a.split()):
        return True
    return len(a) >= _STEM and len(b) >= _STEM and a[:_STEM] == b[:_STEM] and " " not in a + b


def _land(value: str) -> str:
    """The land of a place, or of a people; other values folded."""
    folded = fold(value).strip(" .,;:\"'()")
    folded = re.sub(r"^(?:the|in|from) ", "", folded)
    last = folded.rsplit(",", 1)[-1].strip()
    return _LAND.get(folded) or _LAND.get(last) or last

"""The part of a sentence that answers, by rule: a date for when, a number for how many, a name.

The dumb baseline of reading, and what reads when no model does. Not here: choosing the sentence.
"""

from __future__ import annotations

import re

from pilotfish.dates import MONTH_OR_SHORT, YEAR
from pilotfish.text import fold, trim
from verifiers.relevance import asked_kind

_DATE = re.compile(
    rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?(?:{MONTH_OR_SHORT})\.?,?(?:\s\d{{4}})?|"
    rf"(?:{MONTH_OR_SHORT})\.?\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s\d{{4}})?|"
    rf"(?:{MONTH_OR_SHORT})\s\d{{4}}|\d{{4}}-\d\d-\d\d|{YEAR})\b"
)
_QUANTITY = re.compile(
    r"[$€£¥]?\d[\d,]*(?:\.\d+)?\s?%?(?:\s(?:million|billion|thousand|percent|years?|months?|days?|"
    r"hours?|minutes?|seconds?|km|miles?|metres?|meters?|feet|kg|people))?"
)
_NAME = re.compile(
    r"[A-Z][\w'’.-]*"
    r"(?:\s(?:of|the|de|van|von|and|&)\s?(?=[A-Z])|\s(?=[A-Z])|[A-Z]?[\w'’.-]+)*"
)
_MARKS = ".,;:()?!\"'"
_PATTERNS = {"date": _DATE, "number": _QUANTITY, "person": _NAME, "place": _NAME}


def pick(question: str, sentence: str) -> tuple[int, int]:
    """(start, end) of the likeliest answer within the sentence; all of it where no rule fits.

    A value that the question itself names is no answer. Of several the one nearest behind the
    question's own words is taken.
    """
    kind = asked_kind(question)
    known = fold(question)
    if kind in _PATTERNS:
        for match in _PATTERNS[kind].finditer(sentence):
            start, end = trim(sentence, match.start(), match.end())
            if fold(sentence[start:end]).strip(" .") not in known:
                return start, end
    return _rest(known, sentence)


def _rest(question: str, sentence: str) -> tuple[int, int]:
    """The longest run of words that the question does not hold."""
    known = {word.strip(_MARKS) for word in question.split()}
    best, run = (0, len(sentence)), None
    longest = 0
    for match in [*re.finditer(r"\S+", sentence), None]:
        if match is not None and fold(match[0]).strip(_MARKS) not in known:
            run = (run[0], match.end()) if run else (match.start(), match.end())
            if run[1] - run[0] > longest:
                longest, best = run[1] - run[0], run
        else:
            run = None
    return best

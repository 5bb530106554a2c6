"""How likely a stretch of a passage answers the question: a logistic over plain features.

Features: cosine, shared words, names and numbers of the question that the passage lacks,
whether a value of the asked-for kind stands there, the passage's rank. Fitted on development
questions by benchmarks/fit_support.py.
"""

from __future__ import annotations

import re

from corpus.tokens import tokens
from pilotfish.dates import MONTH_OR_SHORT, YEAR
from pilotfish.text import fold, is_cjk, numbers
from verifiers.evidence import Window, content, missing_names, missing_numbers
from verifiers.weights import judge

_DATE = re.compile(rf"\b(?:{MONTH_OR_SHORT}|{YEAR})\b|\b\d{{4}}-\d\d", re.IGNORECASE)
_PROPER = re.compile(r"\b[A-Z][\w'’.-]+")
_DATED = r"\b(?:when|(?:what|which) (?:year|date|day|month))\b|什么时候|何时|哪一?年|何時|哪天"
_COUNTED = (
    r"\bhow (?:many|much|long|far|old|tall|high|often|fast|large|big|heavy|tight|strong)\b|"
    r"\bwhat (?:is the )?(?:percent|number|price|cost|maximum|minimum|limit|population|share)|"
    r"多少|多久|几|幾"
)
_PLACED = r"\bwhere\b|\b(?:what|which) (?:city|country|state|place|town)\b|哪里|哪裡|何处|何處"
_KINDS = (
    ("date", re.compile(_DATED, re.IGNORECASE)),
    ("number", re.compile(_COUNTED, re.IGNORECASE)),
    ("person", re.compile(r"\bwho(?:m|se)?\b|谁|誰", re.IGNORECASE)),
    ("place", re.compile(_PLACED, re.IGNORECASE)),
)
_POLAR = re.compile(
    r"\s*(?:is|are|was|were|am|do|does|did|can|could|will|would|should|must|may|has|have|had)\b",
    re.IGNORECASE,
)
# Somebody or something that is told by what it is to another; things that are compared.
_KIN = (
    r"(?:(?:god|step)?(?:father|mother|parents?|child|son|daughter)|grand\w+|husband|wife|spouse|"
    r"(?:half-|step)?(?:brother|sister)|sibling|uncle|aunt|(?:father|mother)-in-law)"
)
_ROLE = re.compile(
    rf"\b(?:{_KIN}|directors?|producer|composer|performer|singer|author|writer|creator|founder|"
    r"inventor|designer|owner|publisher|manufacturer|maker|leader|head|president|manager|supplier|"
    r"capital|birthplace)(?: of\b|['’]s\b)|"
    rf"['’]s? (?:[a-z]+ )?(?:{_KIN}|director|founder|author)\b",
    re.IGNORECASE,
)
_DIRECT = re.compile(
    r"\s*(?:(?:who|what|which)(?:['’]s| is| was| are| were)?|name|tell me)(?: the| a)?(?: \w+)? $",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    r",[^,?]+\bor\b|\b(?:both|the same|share (?:the|a))\b|\b(?!other|rather)\w+er than\b|"
    r"\b(?:older|younger|earlier|later|first|longer|larger|bigger|taller)\b.*\bor\b",
    re.IGNORECASE,
)
TOTALS = re.compile(
    r"\b(?:total|sum|altogether|in all|average|mean|overall|combined|how many|highest|lowest|most|"
    r"least|largest|smallest)\b|总共|一共|合计|平均",
    re.I,
)


def asked_kind(question: str) -> str:
    """'date', 'number', 'person', 'place' or 'other'."""
    return next((kind for kind, pattern in _KINDS if pattern.search(question)), "other")


def holds_kind(kind: str, text: str, question: str) -> float:
    """1.0 when a value of that kind, not from the question itself, stands in the text."""
    if kind == "date":
        return float(bool(_DATE.search(text)))
    if kind == "number":
        return float(bool(set(numbers(text)) - set(numbers(question))))
    if kind in {"person", "place"}:
        known = fold(question)
        return float(is_cjk(text) or any(fold(n) not in known for n in _PROPER.findall(text)))
    return 0.5


def polar(question: str) -> bool:
    """Whether it asks for a yes or a no, which no words of a document are."""
    return bool(_POLAR.match(question))


def composed(question: str) -> bool:
    """Whether it compares things, or asks about one that it only describes: when did the author
    of X die? No passage answers that by itself. "Who is the author of X?" is direct.
    """
    if _COMPARED.search(question):
        return True
    roles = list(_ROLE.finditer(question))
    return len(roles) > 1 or any(not _DIRECT.match(question[: role.start()]) for role in roles)


def features(question: str, window: Window, rank: int) -> dict[str, float]:
    """The judge's view of one window; `rank` counts from 0 in the retrieved order."""
    wanted = content(question)
    passage = window.passage
    whole = " ".join([passage.title, *passage.place.heading, passage.text])
    there = set(tokens(whole))
    kind = asked_kind(question)
    return {
        "cosine": window.cosine,
        "overlap": window.overlap,
        "whole": sum(token in there for token in wanted) / len(wanted) if wanted else 0.0,
        "names": missing_names(question, whole),
        "numbers": float(min(2, missing_numbers(question, whole))),
        "kind": holds_kind(kind, window.text, question),
        "first": float(rank == 0),
    }


def relevance(question: str, window: Window, rank: int) -> float:
    """P(the window answers the question), for a window that was picked as the best."""
    return judge("answer")(features(question, window, rank))


def pick_score(question: str, window: Window, rank: int) -> float:
    """What windows are ranked by before one is picked."""
    return judge("pick")(features(question, window, rank))

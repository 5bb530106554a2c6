"""How likely a stretch of a passage answers the question: a logistic over plain features.

Features: cosine, shared words, names and numbers of the question that the passage lacks,
whether a value of the asked-for kind stands there, the passage's rank. Fitted on development
questions by benchmarks/fit_support.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from corpus.tokens import tokens
from pilotfish.text import fold, is_cjk, numbers
from verifiers.evidence import Window, content, missing_names, missing_numbers
from verifiers.weights import judge

_MONTH = r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"  # fmt: skip
_DATE = re.compile(rf"\b(?:{_MONTH})\b|\b1[0-9]{{3}}\b|\b20[0-9]{{2}}\b|\b\d{{4}}-\d\d", re.IGNORECASE)
_PROPER = re.compile(r"\b[A-Z][\w'’.-]+")
_KINDS = (
    ("date", re.compile(r"^(?:.*\b)?(?:when|what (?:year|date|day|month)|which (?:year|day|month))\b|什么时候|何时|哪一?年", re.I)),
    ("number", re.compile(r"\bhow (?:many|much|long|far|old|tall|high|often|fast|large|big)\b|\bwhat (?:percent|number|price|is the (?:price|cost|maximum|minimum|limit|number|population))|多少|多久|几", re.I)),
    ("person", re.compile(r"\bwho(?:m|se)?\b|谁", re.I)),
    ("place", re.compile(r"\bwhere\b|\bwhat (?:city|country|state|place|town)\b|\bwhich (?:city|country|state|town)\b|哪里|何处", re.I)),
)  # fmt: skip
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
        "known_kind": float(kind != "other"),
        "first": float(rank == 0),
        "rank": 1.0 / (1 + rank),
        "length": min(1.0, len(window.text) / 400),
    }


def relevance(question: str, window: Window, rank: int) -> float:
    """P(the window answers the question)."""
    return judge("answer")(features(question, window, rank))


def explain(found: Mapping[str, float]) -> dict[str, float]:
    """Features rounded for the trace."""
    return {name: round(value, 3) for name, value in found.items()}

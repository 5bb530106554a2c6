"""Word problems: which amounts must be known on the way, and how many steps there are.

Every clause with a number can be asked for ("How many eggs do the ducks lay?"); a line over plain
features ranks them, another says how many steps the problem takes. The question itself comes last.
Not here: calculating anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pilotfish.text import numbers, sentences
from prompters.decomposition.linear import Weights
from prompters.decomposition.words import bare

MOST = 8  # steps
_CLAUSE = re.compile(r"(?:,|;| and| but| then| while| so| which)\s+")
_AMOUNT = re.compile(
    r"\$?\b(?:\d[\d,./]*|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|half|twice|"
    r"double|triple|thrice|some)\b%?(?: (?:times )?(?:as many|as much|more|fewer|less|of the|that "
    r"(?:many|much)))?",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"\s*((?:(?!(?:of|in|on|at|for|from|per|each|a|an|the|is|are|was|were|and|to|than|as|every|by|"
    r"with|he|she|they|that)\b)[a-z-]+ ?){1,3})",
    re.I,
)
_RELATED = re.compile(
    r"\b(?:more|less|fewer|twice|half|double|triple|times|percent|than|rest|remaining|another)\b|%",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"\$|\b(?:costs?|dollars?|cents?|price|pays?|paid|spends?|spent|earns?)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause that tells an amount, the question for it, and its place among `of` clauses."""

    text: str
    asks: str
    place: int
    of: int


def steps(question: str, own: Weights) -> tuple[str, ...]:
    """Sub-questions of a word problem in the order of the telling; its own question last."""
    spans = [question[a:b] for a, b in sentences(question)]
    last = _asking(spans)
    count = max(1, min(MOST, round(own.steps(sizes(question)))))
    found = list(clauses(" ".join(span for span in spans if span != last)))
    asked = set(bare(last))
    rated = sorted(found, key=lambda one: -own.clauses(seen(one, asked)))[: count - 1]
    kept = sorted(rated, key=lambda one: one.place)
    return (*(one.asks for one in kept), _alone(last))


def clauses(told: str) -> Iterator[Clause]:
    """Every clause with an amount, as a question for it."""
    parts = [part for a, b in sentences(told) for part in _CLAUSE.split(told[a:b].rstrip("."))]
    made = [(n, part, asks) for n, part in enumerate(parts) if (asks := _asked(part))]
    yield from (Clause(part, asks, n, len(parts)) for n, part, asks in made)


def sizes(question: str) -> dict[str, float]:
    """What the number of steps is told by."""
    found = numbers(question)
    return {
        "one": 1.0,
        "numbers": min(10, len(found)),
        "sentences": min(10, len(sentences(question))),
        "words": len(question.split()) / 20,
        "related": min(5, len(_RELATED.findall(question))),
        "percent": float("%" in question or "percent" in question),
        "total": float(bool(re.search(r"\b(?:total|altogether|in all)\b", question))),
        "left": float(bool(re.search(r"\b(?:left|remain|difference|more)\b", question))),
        "money": float(bool(_MONEY.search(question))),
    }


def seen(clause: Clause, asked: set[str]) -> dict[str, float]:
    """What a clause's worth is told by; `asked`: words of the question."""
    own = set(bare(clause.asks))
    return {
        "one": 1.0,
        "first": float(clause.place == 0),
        "place": clause.place / max(1, clause.of),
        "related": float(bool(_RELATED.search(clause.text))),
        "shared": len(own & asked) / max(1, len(own)),
        "words": min(20, len(clause.asks.split())) / 10,
        "percent": float("%" in clause.text),
        "money": float(bool(_MONEY.search(clause.text))),
    }


def _asking(spans: list[str]) -> str:
    """The sentence that asks; the last one where none has a question mark."""
    asking = [span for span in spans if span.endswith("?")]
    return asking[-1] if asking else spans[-1]


def _alone(last: str) -> str:
    """The question without what is only told before it: If ..., how many ...?"""
    found = re.search(r"\b(?:how|what|who|which|when|where)\b.*", last, re.IGNORECASE)
    text = found[0] if found else last
    return text[0].upper() + text[1:]


def _asked(clause: str) -> str:
    """How many (of the unit) the clause tells; empty where it tells no amount."""
    amount = _AMOUNT.search(clause)
    if amount is None:
        return ""
    before, after = clause[: amount.start()].strip(), clause[amount.end() :]
    if amount[0].startswith("$"):
        return f"How much money {_rest(before, after)}?"
    unit = _UNIT.match(after)
    if unit is None:
        return f"How many {_rest(before, after)}?"
    return f"How many {unit[1].strip()} {_rest(before, after[unit.end() :])}?"


def _rest(before: str, after: str) -> str:
    subject = " ".join(before.split())
    return " ".join(f"{'did ' if subject else ''}{subject} {after}".split()).rstrip(" .,?")

"""Questions for a yes or no whose steps are not said: what is each thing, then the question.

Names and described things of the question are asked for one by one, so that each can be looked up;
how they hang together is left to whoever reads. People write better ones (StrategyQA); this is the
part that spans can do. Not here: forms that are said (forms.py).
"""

from __future__ import annotations

import re

MOST = 2  # things
_THING = re.compile(
    r"(?:\b(?:the|a|an) )?(?:[a-z-]+ ){0,1}[A-Z][\w'’.-]*"
    r"(?: (?:of|the|and|de|von) (?=[A-Z])| ?[A-Z][\w'’.-]*)*"
    r"|\b(?:the|a|an) (?:[a-z-]+ ?){1,3}(?= (?:of|in|on|at|to|from|for|with|be|have)\b|\?|$)"
)
_FIRST = re.compile(r"^\w+\s+")


def things(question: str) -> list[str]:
    """What the question names, in its order; its first word is no name."""
    start = _FIRST.match(question)
    shift = start.end() if start else 0
    found = [match.group().strip(" .,") for match in _THING.finditer(question, shift)]
    return list(dict.fromkeys(found))[:MOST]


def steps(question: str) -> tuple[str, ...]:
    """One question a thing, then the question itself."""
    found = [re.sub(r"['’]s?$", "", thing) for thing in things(question)]
    return (*(f"What is {thing}?" for thing in found), question)

"""The baseline: patterns of words decide the form and cut the question. No weights.

It stays beside the fitted one so that what fitting is worth can be told. Not here: forms.py.
"""

from __future__ import annotations

import re

from pilotfish.text import numbers, sentences
from prompters.decomposition.forms import FIRST, THING, by_words, what_is

_OR = re.compile(r"^(?P<rest>.*?),\s*(?P<one>[^,]+?),?\s+or\s+(?P<other>[^?]+)\?*$")
_BETWEEN = re.compile(
    r"^(?P<rest>(?:are|were|is|do|did|does|was)\b.*?)(?P<one>[A-Z][^?]*?)\s+and\s+"
    r"(?P<other>[A-Z].*?)(?P<tail>\s+(?:both|from|of|located|the same|share|have|in)\b.*)\?*$",
    re.IGNORECASE,
)
_INNER = re.compile(
    r"(?P<inner>\bthe (?:\w+ )?(?:director|performer|composer|father|mother|husband|wife|spouse|"
    r"author|founder|singer|writer|producer|creator)s? of .+?)(?P<tail>(?: die| born| from| study| "
    r"work| live| is from| was born)?)\s*\?*$",
    re.IGNORECASE,
)


def decompose(question: str) -> tuple[str, ...]:
    """Sub-questions by the first pattern that fits; the question itself where none does."""
    if len(numbers(question)) > 1 and len(sentences(question)) > 1:
        return _of_problem(question)
    for pattern in (_OR, _BETWEEN):
        if found := pattern.match(question):
            template = by_words(found["rest"] + " " + (found.groupdict().get("tail") or ""))
            return tuple(template.replace(THING, found[name]) for name in ("one", "other"))
    found = _INNER.search(question)
    if found and found.start() > 0 and not re.match(r"who is\s*$", question[: found.start()], re.I):
        rest = f"{question[: found.start()]}{FIRST}{found['tail']}?"
        return what_is(found["inner"]), rest
    return (question,)


def _of_problem(question: str) -> tuple[str, ...]:
    """A word problem: the last sentence asks; each sentence with numbers before it is a step."""
    spans = [question[a:b] for a, b in sentences(question)]
    told = [span for span in spans[:-1] if numbers(span)]
    return (*(f"How many {span.rstrip('.')}?" for span in told[1:]), spans[-1])

"""Abbreviations and what they stand for, where a text says so: `Long Form (LF)`.

Schwartz and Hearst (PSB 2003): the characters of the short form are found in the words before it,
from the right. Not here: who asks for them (rewrite.py).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_IN_BRACKETS = re.compile(r"\(\s*([^\W_][\w&/.+-]{1,9})\s*[);,]")


def pairs(text: str) -> list[tuple[str, str]]:
    """(short, long) of each definition, in order."""
    found = []
    for match in _IN_BRACKETS.finditer(text):
        short = match[1].rstrip(".")
        if len(short) < 2 or not any(c.isalpha() for c in short):
            continue
        before = _sentence(text[max(0, match.start() - 200) : match.start()])
        most = min(len(short) + 5, 2 * len(short))
        long = long_form(short, " ".join(before.split()[-most:]))
        if long:
            found.append((short, long))
    return found


def _sentence(text: str) -> str:
    """The end of the text, from the last full stop or bracket on."""
    return re.split(r"[.;:()]\s|\n", text)[-1].strip()


def long_form(short: str, before: str) -> str | None:
    """The shortest end of `before` that has the characters of `short` in order; None: none has.

    The first character must begin a word.
    """
    at = len(before) - 1
    for index in range(len(short) - 1, -1, -1):
        wanted = short[index].lower()
        if not wanted.isalnum():
            continue
        while at >= 0 and not _fits(before, at, wanted, first=index == 0):
            at -= 1
        if at < 0:
            return None
        at -= 1
    start = before.rfind(" ", 0, at + 1) + 1
    found = before[start:]
    worth = len(found) > len(short) and short.lower() not in found.lower().split()
    return found if worth and len(found.split()) > 1 else None


def _fits(text: str, at: int, wanted: str, *, first: bool) -> bool:
    if text[at].lower() != wanted:
        return False
    return not first or at == 0 or not text[at - 1].isalnum()


def commonest(short: str, texts: Iterable[str]) -> list[str]:
    """Long forms of one abbreviation, the commonest first; upper and lower case are one."""
    counts: Counter[str] = Counter()
    for text in texts:
        if f"({short.lower()}" in text.lower():
            counts.update(long.lower() for own, long in pairs(text) if own.lower() == short.lower())
    return [long for long, _ in counts.most_common()]

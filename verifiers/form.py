"""Brings an answer into the form that was asked for: so many words, one language, bare JSON.

Each repair gives changes like any other (draft.py). What cannot be brought into form stays as it
is: a wrong form is better than a wrong answer. Not here: translation.
"""

from __future__ import annotations

import json
import re

from pilotfish.text import is_cjk, sentences
from verifiers.draft import Change, Repair, taken_out

_FENCED = re.compile(r"```(?:json)?\s*\n?(.*?)```", re.DOTALL | re.IGNORECASE)


def at_most(words: int) -> Repair:
    """Last sentences are taken out until no more than `words` words are left, or one sentence."""

    def cut(text: str) -> list[Change]:
        spans = sentences(text)
        kept = len(spans)
        while kept > 1 and len(text[: spans[kept - 1][1]].split()) > words:
            kept -= 1
        if kept == len(spans):
            return []
        end = spans[kept - 1][1]
        return [Change("length", end, len(text), text[end:], "")]

    return cut


def in_language_of(question: str) -> Repair:
    """Sentences in another script than the question's (CJK or not) are taken out, but not all."""
    wanted = is_cjk(question)

    def cut(text: str) -> list[Change]:
        spans = [(a, b) for a, b in sentences(text) if any(c.isalpha() for c in text[a:b])]
        foreign = [(a, b) for a, b in spans if is_cjk(text[a:b]) != wanted]
        if len(foreign) == len(spans):
            return []
        return [taken_out("language", text, start, end) for start, end in foreign]

    return cut


def bare_json(text: str) -> list[Change]:
    """What stands around the one JSON object or list of the text is taken out."""
    if _is_json(text):
        return []
    for start, end in _candidates(text):
        if _is_json(text[start:end]):
            around = [(0, start), (end, len(text))]
            return [Change("format", a, b, text[a:b], "") for a, b in around if a < b]
    return []


def _candidates(text: str) -> list[tuple[int, int]]:
    found = [match.span(1) for match in _FENCED.finditer(text)]
    for opening, closing in ("{}", "[]"):
        start, end = text.find(opening), text.rfind(closing)
        if 0 <= start < end:
            found.append((start, end + 1))
    return found


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False

"""Writes the question down again for the retrievers, by small means, as one `query` hint.

After Rewrite-Retrieve-Read (arXiv 2305.14283), without an LLM: misspelt words, abbreviations, what
"it" and "there" meant a turn ago. The question itself is never changed. Not here: the words of the
collection (spelling.py), its abbreviations (abbreviations.py), keywords (retrievers/feedback.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pilotfish.text import words
from pilotfish.types import Case, Hint, Turn

Spelling = Callable[[str], Mapping[str, str]]  # question -> misspelt word -> the collection's
Expansions = Callable[[str], list[str]]  # abbreviation -> its long forms, the commonest first
BACK = 6  # turns that are looked at
SHORT = 12  # words of a reply that is a name itself
FEW = 4  # words of a question that leans on the one before it

_LEANS = re.compile(
    r"\b(?:he|she|it|they|him|her|his|hers|its|their|theirs|them|that|this|those|these|there|then|"
    r"one|ones|former|latter|same|such)\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"\s*(?:and|but|or|so|what about|how about|why|since when)\b", re.IGNORECASE)
_NAME = re.compile(r"[A-Z][\w'’.-]*(?:\s+(?:(?:of|the|de|von|van|and|&)\s+)*[A-Z0-9][\w'’.-]*)*")
_ASKING = frozenset(
    "who whom whose what which when where why how is are was were do does did can could will would "
    "should has have had the a an in on at of for to by from with tell me about give name list and "
    "or it its he she they that this there i you we yes no please".split()
)
_SHORTENED = re.compile(r"\b(?=[\w-]{2,10}\b)(?=\w*[A-Z][\w-]*[A-Z0-9]|[A-Z]{2})[\w-]+\b")


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What is None or False is off. The hint holds all that was changed and added."""

    spelling: Spelling | None = None
    expansions: Expansions | None = None
    turns: bool = False
    name: str = "rewrite"

    def __call__(self, case: Case, /) -> Case:
        asked = case.question.text
        text, notes = asked, dict[str, object]()
        if self.spelling is not None and (fixed := self.spelling(asked)):
            text, notes["spelling"] = mended(text, fixed), dict(fixed)
        if self.expansions is not None and (longer := expanded(text, self.expansions)):
            text, notes["abbreviations"] = " ".join((text, *longer.values())), longer
        if self.turns and (meant := referents(asked, case.question.turns)):
            text, notes["turns"] = " ".join((text, *meant)), list(meant)
        if text == asked:
            return case
        return replace(case, hints=(*case.hints, Hint("query", text)), notes=notes)


def mended(text: str, fixed: Mapping[str, str]) -> str:
    """The text with words replaced, whatever their case."""
    return re.sub(r"[^\W_]+", lambda found: fixed.get(found[0].lower(), found[0]), text)


def expanded(text: str, expansions: Expansions) -> dict[str, str]:
    """Abbreviation -> its commonest long form, where the text does not have that already."""
    found: dict[str, str] = {}
    for short in dict.fromkeys(_SHORTENED.findall(text)):
        longer = expansions(short)
        if longer and longer[0].lower() not in text.lower():
            found[short] = longer[0]
    return found


def leans(text: str) -> bool:
    """Whether a question cannot be understood without the turn before it."""
    own = [word for word in words(text) if word not in _ASKING]
    return _points_back(text) or (len(own) < FEW and not names(text))


def _points_back(text: str) -> bool:
    return bool(_LEANS.search(text) or _GOES_ON.match(text))


def referents(text: str, turns: tuple[Turn, ...]) -> tuple[str, ...]:
    """What a question that leans on earlier turns is about: their names, the latest first."""
    if not turns or not leans(text):
        return ()
    found: list[str] = []
    for turn in reversed(turns[-BACK:]):
        short = len(turn.text.split()) <= SHORT
        if turn.role == "assistant" and not short:
            continue  # a long reply names much that nobody asks about
        alone = turn.role == "user" and not _points_back(turn.text)
        fresh = names(turn.text) or (_content(turn.text) if alone else ())
        found += [name for name in fresh if name.lower() not in text.lower()]
        if alone and found:
            break
    return tuple(dict.fromkeys(found))


def names(text: str) -> tuple[str, ...]:
    """Runs of capitalised words that are no mere beginning of a sentence."""
    found = []
    for match in _NAME.finditer(text):
        parts = match[0].rstrip(".'’-").split()
        while parts and parts[0].lower() in _ASKING:
            parts = parts[1:]
        if parts and (match.start() or len(parts) > 1 or len(text.split()) <= 3):
            found.append(" ".join(parts))
    return tuple(dict.fromkeys(found))


def _content(text: str) -> tuple[str, ...]:
    return tuple(word for word in words(text) if word not in _ASKING and len(word) > 2)

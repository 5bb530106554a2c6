"""A plan's words, before anything parses them: names, plain strings, brackets, commas, "=".

What is left cannot hold numbers, operators, attributes, prefixes of strings or keywords, and its
brackets are shallow, so that Python's parser meets nothing deep or odd. Every refusal is one line
that names the value and the mend. Not here: what calls mean (plan.py).
"""

from __future__ import annotations

import keyword
import re

from retrievers.kb.results import PlanFailed

LONGEST = 4_000  # characters of a plan
DEEPEST = 24  # brackets within brackets
STRING = 200  # characters of one string
_STRING = r"'(?:[^'\\\n\r]|\\.)*'|\"(?:[^\"\\\n\r]|\\.)*\""
_WORDS = re.compile(
    rf"""(?P<blank>[ \t]+|\r?\n|\#[^\n]*)|(?P<triple>\"\"\"|''')|(?P<string>{_STRING})
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>[\[\](),=])""",
    re.X,
)
_ESCAPE = re.compile(r"\\(.)", re.S)
_ESCAPES = "\\'\"nt"
_ODD = {
    ".": "attributes are no part of a plan: call the functions by their names",
    ":": "a plan has no lambdas, slices, dicts or blocks: only calls, lists and strings",
    "{": "a plan has no dicts or sets: use a list of strings",
    "*": "a plan has no stars and no arithmetic: pass a list or a result",
    "@": "a plan has no decorators and no arithmetic: only calls, lists and strings",
    ";": "write one statement a line",
    "\\": "a line is not continued: write the call in one line or within brackets",
}


def refused(message: str) -> PlanFailed:
    """The error of a plan that says what it may not."""
    return PlanFailed("plan_refused", message)


def cut(text: str) -> str:
    """A value as a message shows it: quoted, on one line, at most 40 characters."""
    shown = " ".join(text.split())
    return ascii(shown[:40] + ("..." if len(shown) > 40 else ""))


def checked(text: str) -> str:
    """The text, if it holds nothing but what a plan may; PlanFailed names the first that is not."""
    if len(text) > LONGEST:
        told = f"the plan has {len(text):,} characters, over {LONGEST:,}: call fewer functions"
        raise PlanFailed("plan_too_long", told)
    at, depth, before = 0, 0, ""
    while at < len(text):
        found = _WORDS.match(text, at)
        if found is None or found.lastgroup == "triple":
            raise refused(_odd(text, at))
        word, at = found.group(), found.end()
        if found.lastgroup == "string":
            _string(word, before)
        elif found.lastgroup == "name":
            _name(word)
        elif found.lastgroup == "sign":
            depth = _depth(word, depth)
        before = found.lastgroup or ""
    return text


def _odd(text: str, at: int) -> str:
    """What a character that no plan has is called, and what to write instead."""
    sign = text[at]
    if text.startswith(('"""', "'''"), at):
        return "a string in triple quotes: write it in one pair of quotes"
    if sign in "'\"":
        return f"the string {cut(text[at : at + 60])} has no end: close it on its line"
    if sign.isdigit():
        return f"the number at {cut(text[at : at + 20])}: write values as strings"
    why = _ODD.get(sign, "a plan is made of calls, lists, strings and names alone")
    return f"{cut(sign)} at {cut(text[at : at + 20])}: {why}"


def _string(word: str, before: str) -> None:
    if before == "name":
        raise refused(f"the string {cut(word)} has a prefix: write plain quotes")
    if len(word) > STRING + 2:
        told = f"the string {cut(word)} has {len(word) - 2:,} characters, over {STRING}"
        raise PlanFailed("plan_too_large", f"{told}: name the entity briefly")
    for escape in _ESCAPE.finditer(word):
        if escape.group(1) not in _ESCAPES:
            raise refused(f"the escape {cut(escape.group())}: write the character itself")
    if any("\ud800" <= sign <= "\udfff" or sign == "\0" for sign in word):
        raise refused(f"the string {cut(word)} holds half a character: write whole ones")


def _name(word: str) -> None:
    if word.startswith("_"):
        raise refused(f"the name {cut(word)}: names of a plan do not begin with _")
    if keyword.iskeyword(word):
        raise refused(f"{cut(word)}: a plan has no {word}, only calls, lists, strings and names")


def _depth(word: str, depth: int) -> int:
    depth += (word in "[(") - (word in "])")
    if depth > DEEPEST:
        told = f"the plan nests more than {DEEPEST} brackets: give steps names (a = ...)"
        raise PlanFailed("plan_too_deep", told)
    return depth

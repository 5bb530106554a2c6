"""Plain facts of a prompt and of an answer, by rule: what a person can read in a decision.

Prompts: length, numbers, negation, what is asked, offered choices. Answers: how they end, whether
their sums are right, whether they use the prompt's numbers and agree with earlier answers, after
AutoMix's and the mixture-of-thought cascades' use of agreement (arXiv 2310.12963, 2310.03094).
Not here: embeddings, weights (logistic.py), or any verdict.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from pilotfish.text import fold, negated, sentences

Traits = Mapping[str, float]
LONGEST = 20_000  # characters looked at: more is not read
_WORD = re.compile(r"[A-Za-z']+")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_OPTION = re.compile(r"^[ \t]*\(?[A-H][.):][ \t]+(.*)$", re.MULTILINE)
_INLINE = re.compile(r"\([A-H]\)\s*([^()]{1,200})")
_SUM = re.compile(
    r"(-?\d[\d,]*(?:\.\d+)?)\s*([-+*/x×÷])\s*\$?(-?\d[\d,]*(?:\.\d+)?)\s*=\s*\$?(?:<<[^<>]{0,80}>>)?"
    r"(-?\d[\d,]*(?:\.\d+)?)"
)
_HEDGE = re.compile(
    r"\b(?:not known|unknown|cannot|can't|unclear|depends|not enough|impossible to|unsure|not sure|"
    r"no way to|don't know|do not know|not possible)\b"
)
_RESULT = re.compile(r"(?:####|\ba:|\banswer\b|\btherefore\b|\bfinal\b|\bso,)", re.IGNORECASE)
_CHOICE = re.compile(r"\b([A-H])\b(?:[.),:]|$)")
_MATHS = set("+-*/=^<>%$\\{}_|")


def prompt_traits(prompt: str) -> dict[str, float]:
    """Numbers about a prompt, each by a name for people; all of moderate size."""
    prompt = prompt[:LONGEST]
    said, low = _WORD.findall(prompt), fold(prompt)
    options = _OPTION.findall(prompt) or _INLINE.findall(prompt)
    words, size = max(1, len(said)), max(1, len(prompt))
    lengths = [len(one) for one in options] or [0]
    mean = sum(lengths) / len(lengths)
    spread = math.sqrt(sum((n - mean) ** 2 for n in lengths) / len(lengths))
    return {
        "length in words": math.log1p(len(said)),
        "length before the choices": math.log1p(max(0, size - sum(lengths))),
        "sentences": math.log1p(len(sentences(prompt))),
        "numbers": math.log1p(len(_NUMBER.findall(prompt))),
        "share of digits": sum(c.isdigit() for c in prompt) / size,
        "share of mathematical signs": sum(c in _MATHS for c in prompt) / size,
        "mean word length": sum(map(len, said)) / words,
        "share of long words": sum(len(one) > 8 for one in said) / words,
        "share of capitals": sum(one[0].isupper() for one in said) / words,
        "share of different words": len({one.lower() for one in said}) / words,
        "first person": sum(one.lower() in {"i", "me", "my"} for one in said) / words,
        "negation": float(negated(prompt)),
        "except or least": float(bool(re.search(r"\b(?:except|least|false|incorrect)\b", low))),
        "how many": float(bool(re.search(r"\bhow (?:many|much|long|far|old)\b", low))),
        "why or how": float(bool(re.search(r"\b(?:why|how)\b", low))),
        "which": float("which" in low),
        "what": float("what" in low),
        "question mark": float("?" in prompt),
        "blank to fill": float("__" in prompt),
        "choices": len(options) / 4,
        "words in a choice": math.log1p(sum(len(o.split()) for o in options) / len(lengths)),
        "choices are numbers": sum(not _WORD.search(o) for o in options) / len(lengths),
        "choices differ in length": spread / (1 + mean),
    }


def answer_traits(prompt: str, text: str, earlier: Sequence[str] = ()) -> dict[str, float]:
    """Numbers about an answer to a prompt, and about how it fits the answers before it."""
    text, prompt = text[:LONGEST], prompt[:LONGEST]
    said, low = _WORD.findall(text), fold(text)
    asked, used = _values(prompt), _values(text)
    right, wrong = _sums(text)
    last = result(text)
    agree = [result(one[:LONGEST]) == last for one in earlier]
    return {
        "answer: length": math.log1p(len(text)),
        "answer: lines": math.log1p(text.count("\n")),
        "answer: ends in a sentence": float(text.rstrip()[-1:] in {".", "!", ")", '"'}),
        "answer: ends in a number": float(text.rstrip(". ")[-1:].isdigit()),
        "answer: states a result": float(bool(_RESULT.search(text))),
        "answer: hedges": float(bool(_HEDGE.search(low))),
        "answer: negation": float(negated(text)),
        "answer: different words": len({one.lower() for one in said}) / max(1, len(said)),
        "answer: right sums": math.log1p(right),
        "answer: wrong sums": math.log1p(wrong),
        "answer: numbers": math.log1p(len(used)),
        "answer: prompt's numbers used": len(asked & used) / max(1, len(asked)),
        "answer: result stands in the prompt": float(last in {f"{n:g}" for n in asked}),
        "answer: result is a whole number": float(bool(re.fullmatch(r"-?\d+", last))),
        "answer: size of the result": _size(last),
        "answer: no result": float(not last),
        "agrees with an earlier answer": float(any(agree)),
        "contradicts an earlier answer": sum(not one for one in agree) / max(1, len(agree)),
    }  # fmt: skip


def result(text: str) -> str:
    """What an answer comes to: its last number, else its choice, yes or no, or last words."""
    tail = text.rstrip()
    numbers = _NUMBER.findall(tail)
    if numbers:
        return f"{_number(numbers[-1]):g}"
    choices = _CHOICE.findall(tail)
    if choices:
        return str(choices[-1])
    low = _WORD.findall(fold(tail))
    plain = [word for word in low if word in {"yes", "no"}]
    return plain[-1] if plain else " ".join(low[-2:])


def _values(text: str) -> set[float]:
    return {_number(found) for found in _NUMBER.findall(text)}


def _number(text: str) -> float:
    try:
        return float(text.replace(",", ""))
    except (ValueError, OverflowError):
        return math.nan


def _size(last: str) -> float:
    try:
        return min(12.0, math.log1p(abs(float(last))))
    except ValueError:
        return 0.0


def _sums(text: str) -> tuple[int, int]:
    """How many of the text's sums of two numbers are right, and how many are wrong."""
    right = wrong = 0
    for one, sign, other, said in _SUM.findall(text):
        truth = _worked(_number(one), sign, _number(other))
        if truth is not None:
            close = abs(truth - _number(said)) <= max(0.011, 0.005 * abs(truth))
            right, wrong = right + close, wrong + (not close)
    return right, wrong


def _worked(one: float, sign: str, other: float) -> float | None:
    if sign in "/÷":
        return one / other if other else None
    return {"+": one + other, "-": one - other}.get(sign, one * other)

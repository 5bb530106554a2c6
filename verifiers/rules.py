"""What every judge of claims is held to: numbers, months, units and negation must match.

Rules, not a model: a claim with another number than its evidence is not carried, whatever speaks
for it. `by_words` is the judge where there is no cross-encoder: a fitted logistic of shared words,
cosine and names (weights.json, fitted by benchmarks/fit_support.py). Measured on claims at large
(benchmarks/judges/rules.py), the rules cost ranking; answers are held to them because a wrong
number must not pass. Not here: which evidence is looked at (evidence.py, support.py), the
cross-encoder (verdict.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pilotfish.text import fold, numbers
from verifiers import evidence
from verifiers.evidence import Window
from verifiers.values import Value, months, present
from verifiers.weights import judge

VERBATIM = 0.99  # a claim that is a whole sentence of the evidence, word for word
VALUE_CAP, NEGATION_CAP = 0.05, 0.2  # the most that a claim is carried when a rule speaks
LOOKED_AT = 3  # windows that are rated, nearest first
_UNITS = (
    ("second", "seconds", "sec", "s"), ("minute", "minutes", "min"), ("hour", "hours", "h"),
    ("day", "days"), ("week", "weeks"), ("month", "months"), ("year", "years"),
    ("mm", "millimetres", "millimeters"), ("cm", "centimetres", "centimeters"),
    ("m", "metre", "metres", "meter", "meters"), ("km", "kilometres", "kilometers"),
    ("mile", "miles"), ("foot", "feet", "ft"), ("inch", "inches"),
    ("mg", "milligrams"), ("g", "gram", "grams"), ("kg", "kilo", "kilos", "kilogram", "kilograms"),
    ("tonne", "tonnes", "ton", "tons"), ("pound", "pounds", "lb", "lbs"),
    ("ml", "millilitres"), ("litre", "litres", "liter", "liters", "l"),
    ("watt", "watts", "w"), ("kw", "kilowatts"), ("volt", "volts", "v"), ("bar", "bars"),
    ("eur", "euro", "euros", "€"), ("usd", "dollar", "dollars", "$"), ("chf", "francs"),
    ("%", "percent"),
)  # fmt: skip
_UNIT = {name: group[0] for group in _UNITS for name in group}
_MEASURED = re.compile(r"(?<![\w.,])(\d[\d,]*(?:\.\d+)?)[\s\u00a0-]?([^\W\d_]+|[%€$])(?!\w)")
_DIGIT_DATE = re.compile(r"\b\d{4}-\d\d|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b")


@dataclass(frozen=True, slots=True)
class Ruling:
    """The most a claim may be carried, why, and whether the evidence says otherwise: another
    number or the contrary, rather than nothing of the kind.
    """

    cap: float = 1.0
    reason: str = ""
    against: bool = False


def ruling(claim: str, window: Window) -> Ruling:
    """The hard rules, over the window that is to carry the claim."""
    if evidence.unquoted_numbers(claim, window):
        another = set(numbers(window.text)) - set(numbers(claim))
        return Ruling(VALUE_CAP, "a number is not in the evidence", bool(another))
    if gone := missing_months(claim, window.text):
        another = {v.key for v in months(window.text)} - {v.key for v in gone}
        return Ruling(VALUE_CAP, "a date is not in the evidence", bool(another))
    if other_units(claim, window.text):
        return Ruling(VALUE_CAP, "a number has another unit in the evidence", True)
    if evidence.negation_differs(claim, window.text):
        return Ruling(NEGATION_CAP, "one is negated, the other is not", True)
    return Ruling()


def missing_months(claim: str, text: str) -> list[Value]:
    """Months that the claim names and the text does not; none where dates stand in digits."""
    if _DIGIT_DATE.search(text):
        return []
    return [value for value in months(claim) if not present(value, text)]


def other_units(claim: str, text: str) -> list[str]:
    """Numbers that have a unit in both, and never the same one."""
    said, there = _measured(claim), _measured(text)
    return [
        number for number, units in said.items() if number in there and not units & there[number]
    ]


def _measured(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for match in _MEASURED.finditer(fold(text)):
        if (unit := _UNIT.get(match[2])) is not None:
            found.setdefault(numbers(match[1])[0], set()).add(unit)
    return found


def features(claim: str, window: Window) -> dict[str, float]:
    """What the judge of words sees."""
    context = " ".join([window.passage.title, *window.passage.place.heading, window.text])
    return {
        "overlap": window.overlap,
        "cosine": window.cosine,
        "names": evidence.missing_names(claim, context),
        "numbers": float(min(2, evidence.unquoted_numbers(claim, window))),
        "negation": float(evidence.negation_differs(claim, window.text)),
    }


def by_words(claim: str, ranked: Sequence[Window]) -> list[tuple[Window, float]]:
    """The nearest windows, each with P(it carries the claim); of a copy that alone."""
    copies = [window for window in ranked if evidence.word_for_word(claim, window)]
    if copies:
        return [(min(copies, key=lambda window: len(window.text)), VERBATIM)]
    return [(window, judge("claim")(features(claim, window))) for window in ranked[:LOOKED_AT]]

"""Relatives that are told by two steps: a paternal grandfather is the father of the father.

What words mean, not what was learned. Not here: forms (forms.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SIDES = {"paternal": "father", "maternal": "mother"}
_UP = {"grandfather": "father", "grandmother": "mother", "grandparent": "parent"}
_DOWN = {"grandson": "son", "granddaughter": "daughter", "grandchild": "child"}
_OTHERS = {
    "uncle": ("father", "sibling"), "aunt": ("mother", "sibling"),
    "nephew": ("sibling", "child"), "niece": ("sibling", "child"),
    "cousin": ("uncle", "child"), "stepfather": ("mother", "spouse"),
    "stepmother": ("father", "spouse"), "father-in-law": ("spouse", "father"),
    "mother-in-law": ("spouse", "mother"), "brother-in-law": ("spouse", "sibling"),
    "sister-in-law": ("spouse", "sibling"), "son-in-law": ("child", "spouse"),
    "daughter-in-law": ("child", "spouse"), "co-husband": ("spouse", "spouse"),
}  # fmt: skip
STEPS = (
    {name: ("father", second) for name, second in _UP.items()}
    | {name: ("child", second) for name, second in _DOWN.items()}
    | _OTHERS
)
_NAMES = "|".join(sorted((name.replace("-", "[- ]") for name in STEPS), key=len, reverse=True))
_RELATIVE = rf"(?:(?P<side>paternal|maternal) )?(?P<name>{_NAMES})"
_OF = re.compile(rf"\b{_RELATIVE} (?:of|to) (?P<whom>.+?)\s*\??$", re.IGNORECASE)
_OWN = re.compile(rf"(?P<whom>[^?]+?)['’]s? {_RELATIVE}\s*\??$", re.IGNORECASE)
_ASKS = re.compile(r"^(?:who|what|which)(?: person)?(?: is| was|['’]s| are| were) (?:the )?", re.I)


@dataclass(frozen=True, slots=True)
class Kin:
    """`first` of `whom` leads to somebody whose `second` is asked for."""

    whom: str
    first: str
    second: str


def relative(question: str) -> Kin | None:
    """The relative that is asked for and whose it is; None where none is."""
    asks = _ASKS.match(question)
    if asks is None:
        return None
    rest = question[asks.end() :]
    found = _OF.match(rest) or _OWN.match(rest)
    if found is None:
        return None
    first, second = STEPS[found["name"].lower().replace(" ", "-")]
    side = found["side"]
    return Kin(found["whom"].strip(), _SIDES[side.lower()] if side else first, second)

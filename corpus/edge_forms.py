"""The sentence forms that edges are read from: patterns, each with what it says of whom.

`{S}` is the subject of the sentence (its own name, or what the document is about). Forms are few
and strict: an edge that is not there costs nothing, a wrong one costs trust. After the lexical
patterns of Hearst (COLING 1992) and ReVerb's (Fader et al., EMNLP 2011). Not here: which subject a
sentence has (edges.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_WORD = r"(?:[A-Z][\w'’.-]*|[A-Z]\.)"
_SMALL = r"(?:of|the|de|del|della|di|da|van|von|der|den|la|le|el|al|bin|ibn|y|and|&)"
NAME = rf"{_WORD}(?:\s+(?:{_SMALL}\s+)?{_WORD}){{0,5}}"
PERSON = (
    rf"{_WORD}(?:\s+(?:(?:de|del|della|di|da|van|von|der|den|la|le|bin|ibn)\s+)?{_WORD}){{0,4}}"
)
_MONTH = (r"(?:January|February|March|April|May|June|July|August|September|October|November"
          r"|December)")  # fmt: skip
DATE = (rf"(?:\d{{1,2}}\s+{_MONTH}\s+\d{{3,4}}|{_MONTH}\s+\d{{1,2}},?\s+\d{{3,4}}"
        rf"|{_MONTH}\s+\d{{4}}|\d{{4}})")  # fmt: skip
ROLE = r"[a-z][a-z-]+(?:\s+(?:of\s+)?[a-z][a-z-]+){0,2}"
# What may stand before a name, such as "American singer ".
_BEFORE = r"(?:[a-z]+(?:-[a-z]+)?\s+|[A-Z][a-z]+(?:-[A-Z][a-z]+)?\s+(?=[a-z])){0,4}"
_MORE = rf"(?:(?:,|,?\s+and)\s+{PERSON})*"


PIECES = {
    "P": PERSON, "N": NAME, "D": DATE, "R": ROLE, "B": _BEFORE, "M": _MORE,
    "A": r"[A-Z][a-z]+(?:-[A-Z][a-z]+)?",
}  # fmt: skip
FILE = Path(__file__).with_name("edge_forms.tsv")


@dataclass(frozen=True, slots=True)
class Form:
    """`pattern` has a group `o`, the object, perhaps `r`, the relation, and `s`, another subject.

    inverse: the object has the relation to the subject. many: the object may be a list of names.
    """

    relation: str
    pattern: re.Pattern[str]
    inverse: bool = False
    many: bool = False


@cache
def forms() -> tuple[Form, ...]:
    """Every form of edge_forms.tsv, in the order in which they are tried."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return tuple(_form(*line.split("\t")) for line in lines if line and not line.startswith("#"))


def _form(relation: str, flags: str, pattern: str) -> Form:
    for sign, meant in PIECES.items():
        pattern = pattern.replace(f"{{{sign}}}", meant)
    return Form(relation, re.compile(pattern), "inverse" in flags, "many" in flags)

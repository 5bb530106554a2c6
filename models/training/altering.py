"""Makes a true sentence false: a number, date, name, antonym or negation is changed.

Rules with a seeded generator; each change says what it did. Used to train the support head and
to measure repair. Not here: pairing the result with evidence.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pilotfish.dates import MODERN_YEAR, MONTH, MONTHS
from pilotfish.text import fold

_YEAR = re.compile(rf"\b{MODERN_YEAR}\b")
_NUMBER = re.compile(
    r"(?<![\w.,/-])\d{1,3}(?:,\d{3})+(?![\w,])|(?<![\w.,/-])\d+(?:\.\d+)?(?![\w/-]|[.,]\d)"
)
_MONTH = re.compile(rf"\b(?:{MONTH})\b")
_NAME = re.compile(r"\b[A-Z][a-zà-ÿ'’-]+(?:\s(?:(?:of|the|de|van|von|and)\s)?[A-Z][a-zà-ÿ'’-]+)*")
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|can|could|will|would|should|has been|have been|had been|must|may|might)\b"
    r"(?! not|n't| never)"
)
_NOT = re.compile(
    r"\b(?:(is|are|was|were|can|could|will|would|should|did|does|do|has|have) not|(can)not)\b"
)
_VERB = re.compile(
    r"\b(increases|decreases|reduces|causes|inhibits|promotes|requires|contains|includes|produces|"
    r"leads|plays|affects|improves|induces|regulates|prevents|protects|enhances|supports)\b"
)
ANTONYMS = (
    "increase decrease,increases decreases,increased decreased,increasing decreasing,higher lower,"
    "high low,more less,more fewer,before after,first last,largest smallest,larger smaller,"
    "longer shorter,oldest youngest,older younger,north south,northern southern,east west,"
    "eastern western,early late,earlier later,positive negative,positively negatively,"
    "promotes inhibits,promote inhibit,induces prevents,enhances impairs,improves worsens,"
    "improved worsened,activates suppresses,above below,best worst,greater smaller,rises falls,"
    "rose fell,won lost,begins ends,began ended,opened closed,inside outside,same different,"
    "always never,all none,most few,majority minority,male female,father mother,son daughter,"
    "brother sister,husband wife,strong weak,stronger weaker,rich poor,warm cold,warmer colder,"
    "accelerates slows,gain loss,benefit harm,beneficial harmful,upstream downstream,with without"
)
_OTHER = {a: b for pair in ANTONYMS.split(",") for a, b in (pair.split(), pair.split()[::-1])}
_TURNED = re.compile(rf"\b(?:{'|'.join(sorted(_OTHER, key=len, reverse=True))})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Change:
    """An altered text: `text[start:end]` stands where `was` stood; `kind` says which rule."""

    text: str
    kind: str
    was: str
    start: int
    end: int


Alter = Callable[[str, Sequence[str], random.Random], Change | None]


def number(text: str, names: Sequence[str], rng: random.Random) -> Change | None:
    """Another number in the place of one; years aside."""
    found = [m for m in _NUMBER.finditer(text) if not _YEAR.fullmatch(m[0])]
    return (
        _put(text, rng.choice(found), _another(rng.choice(found)[0], rng), "number")
        if found
        else None
    )


def _another(value: str, rng: random.Random) -> str:
    bare = value.replace(",", "")
    whole = "." not in bare
    old = float(bare)
    new = rng.choice(
        [old * 2, old * 10, old + rng.choice([1, 2, 3, 5, 10]), max(0.0, old - 1), old / 2]
    )
    if whole:
        made = str(int(new) if int(new) != int(old) else int(old) + 1)
        return f"{int(made):,}" if "," in value else made
    places = len(bare.split(".")[1])
    made = f"{new:.{places}f}"
    return made if made != bare else f"{old + 1:.{places}f}"


def date(text: str, names: Sequence[str], rng: random.Random) -> Change | None:
    """Another year or month."""
    found = [*_YEAR.finditer(text), *_MONTH.finditer(text)]
    if not found:
        return None
    match = rng.choice(found)
    if match[0] in MONTHS:
        return _put(text, match, rng.choice([m for m in MONTHS if m != match[0]]), "date")
    step = rng.choice([1, 2, 3, 4, 5, 7, 10, 12, 20, 30, 100]) * rng.choice([1, -1])
    year = int(match[0])
    return _put(text, match, str(year + step if year + step < 2025 else year - abs(step)), "date")


def name(text: str, names: Sequence[str], rng: random.Random) -> Change | None:
    """Another name out of `names` in the place of one; those that share no word with it."""
    found = [m for m in _NAME.finditer(text) if len(m[0]) > 3 and not _opens(text, m)]
    if not found:
        return None
    match = rng.choice(found)
    said = set(fold(text).split())
    free = [n for n in names if not set(fold(n).split()) & said and len(n) > 3]
    return _put(text, match, rng.choice(free), "name") if free else None


def negation(text: str, names: Sequence[str], rng: random.Random) -> Change | None:
    """A `not` put in or taken out."""
    if match := _NOT.search(text):
        return _put(text, match, match[1] or match[2], "negation")
    if found := list(_AUXILIARY.finditer(text)):
        match = rng.choice(found)
        head, _, tail = match[0].partition(" ")
        return _put(text, match, f"{head} not {tail}".strip(), "negation")
    if match := _VERB.search(text):
        bare = re.sub(r"s$", "", match[0])
        return _put(text, match, f"does not {bare}", "negation")
    return None


def antonym(text: str, names: Sequence[str], rng: random.Random) -> Change | None:
    """One word turned into its opposite."""
    found = list(_TURNED.finditer(text))
    if not found:
        return None
    match = rng.choice(found)
    other = _OTHER[match[0].lower()]
    return _put(text, match, other.capitalize() if match[0][0].isupper() else other, "antonym")


KINDS: dict[str, Alter] = {
    "number": number, "date": date, "name": name, "negation": negation, "antonym": antonym,
}  # fmt: skip


def altered(text: str, names: Sequence[str], rng: random.Random) -> Change | None:
    """One change of a kind drawn at random among those that apply; None where none does."""
    order = list(KINDS)
    rng.shuffle(order)
    for kind in order:
        if (change := KINDS[kind](text, names, rng)) is not None:
            return change
    return None


def names_of(text: str) -> list[str]:
    """Capitalised runs of words, without the first word of a sentence when it stands alone."""
    found = [m[0] for m in _NAME.finditer(text) if not _opens(text, m)]
    return [name for name in dict.fromkeys(found) if len(name) > 3]


def _opens(text: str, match: re.Match[str]) -> bool:
    """Whether it is a single word that only begins its sentence."""
    return " " not in match[0] and not re.search(r"[^.!?\s]\s*$", text[: match.start()])


def _put(text: str, match: re.Match[str], new: str, kind: str) -> Change:
    start = match.start()
    made = text[:start] + new + text[match.end() :]
    return Change(made, kind, match[0], start, start + len(new))

"""Words of questions, headers and cells: one normal form, light stems, number words.

The normal form follows the evaluator of WikiTableQuestions (Pasupat and Liang, arXiv 1508.00305):
no accents, no footnotes, plain quotes and dashes, lower case. Stems only undo English plurals and a
few verb endings, alike on both sides. Not here: what a word is linked to (linking.py).
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from functools import lru_cache

WORD = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\d+|[^\W\d_]+(?:'[^\W\d_]+)?|[%$£€#+]")
LONGEST = 400  # characters of a cell or question that are looked at
STOP = frozenset(
    "a an the of in on at to for from by with and or is are was were be been do does did has have "
    "had it its this that these those there their his her he she they them as than then what which "
    "who whom whose when where how many much not no i you we all any each other only 's s".split()
)
NUMBERS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen twenty".split()
    )
} | {"once": 1, "twice": 2, "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100}
ORDINALS = {
    word: value + 1
    for value, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth".split()
    )
}
LEMMAS = dict.fromkeys("is are was were been being".split(), "be")
LEMMAS |= {"has": "have", "had": "have", "does": "do", "did": "do"}
_DASHES = str.maketrans("–—−‐‑‒", "------")
_QUOTES = str.maketrans("‘’´`“”«»", "''''\"\"\"\"")
_IRREGULAR = {
    "won": "win", "wins": "win", "winning": "win", "winner": "win", "winners": "win",
    "lost": "loss", "lose": "loss", "loses": "loss", "losses": "loss", "losing": "loss",
    "scored": "score", "scores": "score", "played": "play", "plays": "play",
    "men": "man", "women": "woman", "countries": "country", "cities": "city", "people": "person",
    "series": "series", "species": "species", "televised": "television", "tv": "television",
    "built": "build", "born": "birth", "died": "death", "tied": "tie", "ties": "tie",
}  # fmt: skip


@lru_cache(maxsize=65536)
def normal(text: str) -> str:
    """The text without accents, footnote marks, bracketed tails and quotes; lower case."""
    plain = unicodedata.normalize("NFKD", text[:LONGEST])
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = plain.translate(_DASHES).translate(_QUOTES)
    plain = re.sub(r"\[[^\]]{0,40}\]|[*†‡§^]", " ", plain)
    return re.sub(r"\s+", " ", plain).strip(' "').lower()


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The word without a plural or verb ending; numbers lose their separators."""
    if word[0].isdigit():
        return word.replace(",", "")
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    word = word.removesuffix("'s")
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh")):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)] + instead
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) > len(ending) + 3:
            root = word[: -len(ending)]
            return root[:-1] if root[-1] == root[-2] and root[-1] not in "ls" else root
    return word


@lru_cache(maxsize=65536)
def words(text: str) -> tuple[str, ...]:
    """The words of a text in their normal form, numbers whole."""
    return tuple(WORD.findall(normal(text)))


@lru_cache(maxsize=65536)
def stems(text: str) -> tuple[str, ...]:
    """The stems of `words(text)`, as many."""
    return tuple(stem(word) for word in words(text))


@lru_cache(maxsize=1 << 18)
def hashed(name: str) -> int:
    """A name as a 32-bit number, the same on every machine."""
    return zlib.crc32(name.encode("utf-8"))


def lemma(stem_: str) -> str:
    """A stem as the claims of TabFact write it: "be" for is and were, digits for number words."""
    return str(NUMBERS[stem_]) if stem_ in NUMBERS else LEMMAS.get(stem_, stem_)


def spoken_number(word: str) -> float | None:
    """The number that a word says: 12, 1,200, twelve, twice; None when it says none."""
    if word[0].isdigit():
        return float(word.replace(",", ""))
    return float(NUMBERS[word]) if word in NUMBERS else None

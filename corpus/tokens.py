"""Index tokens: folded words, stemmed for English, bigrams for Chinese, Japanese and Korean.

One function for documents and questions. Stop words of the Lucene list are left out.
"""

from __future__ import annotations

import re
from functools import lru_cache

import Stemmer

from pilotfish.text import CJK, fold

_TOKEN = re.compile(rf"(?:(?!{CJK.pattern})[^\W_])+|(?:{CJK.pattern})+")
_STOP = frozenset(
    (
        "a an and are as at be but by for if in into is it no not of on or such that the their "
        "then there these they this to was will with"
    ).split()
)
_STEMMER = Stemmer.Stemmer("english")


def tokens(text: str) -> list[str]:
    """Tokens in the order of the text; CJK runs give overlapping character pairs."""
    found: list[str] = []
    for run in _TOKEN.findall(fold(text)):
        if CJK.match(run):
            found.extend(run[i : i + 2] for i in range(max(1, len(run) - 1)))
        elif run not in _STOP:
            found.append(_stem(run))
    return found


@lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    return str(_STEMMER.stemWord(word))

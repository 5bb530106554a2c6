"""Words, sentences, numbers and negation in plain text, with exact offsets.

Rules, not models: the same on every machine. Not here: stemming and index tokens
(corpus/tokens.py), token counts of an encoder (models/encoder.py).
"""

from __future__ import annotations

import re
import unicodedata

# Han, kana, hangul: scripts written without spaces between words, or agglutinating.
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
MARK = "\ue000"  # of the private use area: stands between the words of passages that are marked
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_NUMBER = re.compile(  # not within a word or a version; right after a Han character it may stand
    rf"(?<![^\W{CJK.pattern[1:-1]}])(?<!\.)"
    r"[-+−]?(?:\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:\s?[%％])?"
)
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|neither|nor|without|cannot|unable|fails?|failed|lacks?|"
    r"refuses?|refused|denied|excluded|n't)\b|n['’]t\b|不|没有|沒有|未|無|无",
    re.IGNORECASE,
)
_END = re.compile(  # possessive, and from the first mark of a run on: a row of dots costs one look
    r"(?<![.!?])[.!?]++[\"'”’)\]]*+(?=\s)|[。！？]++[”」』）]*+|"
    r"\n\s*\n|\n(?=\s*+(?:[-*•#|]|\d++[.)]\s))"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Z]|e\.g|i\.e|etc|vs|al|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|Inc|Ltd|Co|Corp|No|Fig|fig|"
    r"Eq|eq|approx|ca|cf|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec))\.$"
)


def fold(text: str) -> str:
    """Unicode NFKC and lower case: what comparisons use. Changes offsets."""
    return unicodedata.normalize("NFKC", text).lower()


def words(text: str) -> list[str]:
    """Words of the folded text; each CJK character counts as a word of its own."""
    found: list[str] = []
    for word in _WORD.findall(fold(text)):
        found.extend(re.findall(CJK.pattern + r"|[^\W_]+", word) if CJK.search(word) else [word])
    return found


def sentences(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence, trimmed of white space, in order, never overlapping.

    Ends are . ! ? before a space, CJK stops, blank lines and the starts of list items.
    Initials, common abbreviations and a following lower-case word do not end a sentence.
    """
    spans, start = [], 0
    for match in _END.finditer(text):
        if match.group()[0] == "." and not _ends(text, start, match.end()):
            continue
        spans.append((start, match.end()))
        start = match.end()
    spans.append((start, len(text)))
    return [span for span in (trim(text, *s) for s in spans) if span[0] < span[1]]


def _ends(text: str, start: int, end: int) -> bool:
    """Whether the full stop that closes text[start:end] really ends a sentence."""
    if _ABBREVIATION.search(text, max(start, end - 12), end):
        return False
    follower = text[end : end + 80].lstrip()[:1]
    return not follower.islower()


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The same span without white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def numbers(text: str) -> list[str]:
    """Numbers in a canonical form: no thousands separators, no trailing zeros, % kept."""
    return [_canonical(match.group()) for match in _NUMBER.finditer(text)]


def _canonical(number: str) -> str:
    number = unicodedata.normalize("NFKC", number).replace("−", "-")
    percent = "%" if number.endswith("%") else ""
    digits = re.sub(r"[,\s%+]", "", number)
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return (digits or "0") + percent


def negated(text: str) -> bool:
    """Whether the text carries a word of negation."""
    return bool(_NEGATION.search(text))


def is_cjk(text: str) -> bool:
    """Whether Chinese, Japanese or Korean characters make up a fifth of the letters or more."""
    found = len(CJK.findall(text))
    return found > 0 and found >= 0.2 * sum(character.isalpha() for character in text)


def shorten(text: str, limit: int) -> str:
    """One line of at most `limit` characters, cut with an ellipsis; never for quotes."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"

"""What is right: exact match, token F1, containment and yes/no against any right answer.

SQuAD's normalisation (arXiv 1606.05250): lower case, no punctuation, no articles; punctuation is
all of Unicode's, after NFKC, and each CJK character is a token (as MLQA does, arXiv 1910.07475).
What would vanish ("A", "The Who"'s "The") keeps its articles. Not here: BERTScore (semantic.py).
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pilotfish.text import CJK

ENOUGH = 0.8  # of token F1, to count as right
Match = Literal["near", "contains"]
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_VERDICT = re.compile(  # alone, or before a comma or stop: "No one knows" is no "no"
    r"\W*(yes|no|maybe|是的|是|不是|否)\s*(?=[^\w\s]|$)", re.IGNORECASE
)
_CHINESE = {"是": "yes", "是的": "yes", "不是": "no", "否": "no"}
_CJK_OR_WORD = re.compile(CJK.pattern + r"|[^\s]+?(?=" + CJK.pattern + r"|$)")


@dataclass(frozen=True, slots=True)
class Graded:
    """Each the best over the right answers, 0 to 1. `yes_no` is None for other questions."""

    exact: float
    f1: float
    contains: float
    yes_no: float | None = None

    @property
    def right(self) -> bool:
        """Exact match or F1 of 0.8; a yes or no must be that."""
        return self.yes_no == 1.0 if self.yes_no is not None else max(self.exact, self.f1) >= ENOUGH


def tokens(text: str) -> list[str]:
    """Normalised tokens; each CJK character is one."""
    folded = unicodedata.normalize("NFKC", text).lower()
    bare = "".join(character for character in folded if not _is_mark(character))
    words = _ARTICLES.sub(" ", bare).split() or bare.split()
    return [piece for word in words for piece in _CJK_OR_WORD.findall(word)]


def words(text: str) -> list[str]:
    """Tokens parted by punctuation, without articles: finds 1977 in "1977—the tenth year"."""
    found = re.findall(r"\w+", _ARTICLES.sub(" ", unicodedata.normalize("NFKC", text).lower()))
    return [piece for word in found for piece in _CJK_OR_WORD.findall(word)]


def normalised(text: str) -> str:
    """Its `words` with a space between, as texts are compared and looked up in one another."""
    return " ".join(words(text))


def holds(text: str, answers: Sequence[str]) -> bool:
    """Whether an answer stands in the text, as whole words."""
    there = words(text)
    return any(contains(there, words(answer)) == 1.0 for answer in answers)


def is_right(said: str, answers: str | Sequence[str], match: Match = "near") -> bool:
    """Whether what was said is the answer, or one of them (or, "contains", holds one), for a label.

    Stricter than `Graded.right`: a yes or no must be all that is said, for of "Yes, in 1921" the
    date would be labelled right unseen.
    """
    wanted = (answers,) if isinstance(answers, str) else answers
    return any(_matches(said, answer, match) for answer in wanted)


def _matches(said: str, answer: str, match: Match) -> bool:
    form, wanted = tokens(said), tokens(answer)
    if not form or not wanted or wanted in (["yes"], ["no"]):
        return bool(wanted) and form == wanted
    return f1(form, wanted) >= ENOUGH or (match == "contains" and holds(said, [answer]))


def _is_mark(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def grade(said: Sequence[str], answers: Sequence[str]) -> Graded:
    """The best of the forms of an answer (the sentence; the value alone) against any right one."""
    forms = [tokens(form) for form in said if form.strip()]
    wanted = [tokens(answer) for answer in answers]
    best = [_best(forms, wanted, measure) for measure in (exact, f1, contains)]
    return Graded(best[0], best[1], best[2], _yes_no(said, answers))


def _best(
    forms: Sequence[list[str]],
    wanted: Sequence[list[str]],
    measure: Callable[[list[str], list[str]], float],
) -> float:
    return max((measure(form, one) for form in forms for one in wanted), default=0.0)


def exact(form: list[str], wanted: list[str]) -> float:
    """1.0 where the tokens are the same."""
    return float(form == wanted)


def f1(form: list[str], wanted: list[str]) -> float:
    """Harmonic mean of precision and recall of the tokens, counted as bags."""
    if not form or not wanted:
        return float(form == wanted)
    same = sum((Counter(form) & Counter(wanted)).values())
    return 2 * same / (len(form) + len(wanted))


def text_f1(said: str, answer: str) -> float:
    """`f1` of two texts."""
    return f1(tokens(said), tokens(answer))


def contains(form: list[str], wanted: list[str]) -> float:
    """1.0 where the right answer's tokens stand in the answer in one run."""
    width = len(wanted)
    runs = (form[at : at + width] for at in range(len(form) - width + 1))
    return float(bool(wanted) and any(run == wanted for run in runs))


def _yes_no(said: Sequence[str], answers: Sequence[str]) -> float | None:
    """Whether the answer opens with the right verdict; None unless a verdict alone is right."""
    right = {verdict(answer) for answer in answers if len(tokens(answer)) <= 2}
    if len(right) != 1 or None in right or any(len(tokens(one)) > 2 for one in answers):
        return None
    return float(any(verdict(form) in right for form in said))


def verdict(text: str) -> str | None:
    """'yes', 'no' or 'maybe' when the text is that, or opens with it."""
    found = _VERDICT.match(unicodedata.normalize("NFKC", text))
    return _CHINESE.get(found[1], found[1].lower()) if found else None

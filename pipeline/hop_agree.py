"""An LLM's short answer to a question of several hops, beside what the hops themselves say.

"Mali" is carried by no single passage, so that judging it as one claim withholds what is right.
Where the small models came hop by hop to the same, the answer is theirs: each hop's sentence is
cited, and two ways to one answer make it likelier. Where they did not, the LLM's answer is judged
as any other. Not here: the hops (hop_answer.py), their check (verifiers/reread.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pilotfish.step import Step, run, step_name
from pilotfish.text import words
from pilotfish.types import Case
from pipeline.hops import FORM
from verifiers.keys import clean
from verifiers.relevance import polar
from verifiers.reread import AGREED

# Assumptions until answers are labelled (pilotfish tune trust): how often an LLM that saw the right
# passages is right, and how often two that err say the same, since both read the same passages.
RIGHT, SAME_MISTAKE = 0.7, 0.5
FURTHER = 4  # words that the LLM may say beside the hops' answer, and which
_FILLERS = frozenset(
    "a an the in on at of by from to is was are were it he she they this that be as answer".split()
)
_POLAR = re.compile(r"\W*(yes|no)\W*(?:[.,;:!—–-]\s.*)?$", re.I | re.S)  # bare, or told apart
_DOUBT = re.compile(r"\b(but|only|except|however|although|unclear|and no)\b", re.I)


@dataclass(frozen=True, slots=True)
class OrHops:
    """An LLM's tier; `hops` answers from what the hops found."""

    llm: Step
    hops: Step

    @property
    def name(self) -> str:
        return step_name(self.llm)

    def __call__(self, case: Case, /) -> Case:
        done = self.llm(case)
        answer = done.answer
        if answer is None or answer.abstained or not any(h.kind == FORM for h in done.hints):
            return done
        said, _ = clean(answer.text, done)
        read = run(self.hops, replace(done, answer=None, notes={}))
        own = read.answer
        kept = replace(done, trace=read.trace)
        if own is None or own.abstained or not agrees(said, own.text, case.question.text):
            return kept
        merged = replace(own, model=AGREED, support=round(both(own.support or 0.0), 4))
        notes = {**done.notes, "agrees with the hops": own.text, "said by": answer.model}
        return replace(kept, answer=merged, notes=notes)


def agrees(said: str, own: str, question: str) -> bool:
    """Whether the LLM's short answer says what the hops say: their words and figures, and beside
    them only words that say nothing. "Not Paris", "before 1950", "5 %" are other answers.
    """
    spoken, wanted = words(said), words(own)
    if polar(question) and wanted in (["yes"], ["no"]):
        found = _POLAR.match(said)
        return found is not None and [found[1].lower()] == wanted and not _DOUBT.search(said)
    at = len(wanted)
    starts = [i for i in range(len(spoken) - at + 1) if spoken[i : i + at] == wanted]
    if not wanted or not starts or len(spoken) > at + FURTHER:
        return False
    beside = {*spoken[: starts[0]], *spoken[starts[0] + at :]}
    return beside <= _FILLERS and _signs(said) == _signs(own)


def both(hops: float) -> float:
    """P(right) where the hops, right with that chance, and an LLM say the same."""
    right = hops * RIGHT
    wrong = (1 - hops) * (1 - RIGHT) * SAME_MISTAKE
    return right / (right + wrong) if right else 0.0


def _signs(text: str) -> list[str]:
    """What a bare word leaves out of a figure: its sign, its currency, its share."""
    return re.findall(r"[-−+](?=\d)|[%$€£¥]|(?<=\d)\.(?=\d)", text)

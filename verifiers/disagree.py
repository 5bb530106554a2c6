"""Where two sources contradict each other, both are shown and cited; none is picked silently.

A rival is a sentence of another document that says the same of the same things (shared words,
every name) with other figures, or denies it. Rules, and strict ones: what is no contradiction
must not be called one. Not here: which of the two is right; rows of tables, which differ by nature.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from corpus.tokens import tokens
from pilotfish.text import fold, numbers
from pilotfish.types import Answer, Case, Citation, Flaw, Passage, Span
from verifiers.evidence import Window, content, missing_names, negation_differs, windows
from verifiers.values import months

Read = Callable[[str, int, int], str | None]
ALIKE = 0.6  # share of the words, figures apart, that both have
ALIKE_CLOSE = 0.75  # where they have figures in common too, or one denies the other
ASKED = 0.5  # share of the question's words that the rival speaks of
FEWEST = 2  # words, figures apart, below which sentences say too little to be compared
LEAD = "Another source disagrees: "
_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]+-?\d[A-Za-z0-9-]*")  # TL-40, A380


@dataclass(frozen=True, slots=True)
class Disagree:
    """Adds the rival of the first cited sentence; `read(document, start, end)` is the slice."""

    read: Read
    name: str = "disagree"

    def __call__(self, case: Case, /) -> Case:
        answer = case.answer
        if answer is None or answer.abstained or not answer.citations:
            return case
        cited = answer.citations[0]
        holder = next((p for p in case.passages if p.id == cited.passage), None)
        if holder is None or holder.kind == "table" or not isinstance(cited.source, Span):
            return case
        said = Window(holder, cited.source.start, cited.source.end, cited.source.quote)
        shown = {one.source.quote for one in answer.citations if isinstance(one.source, Span)}
        for rival in self._rivals(case, said, shown):
            notes = {"disagrees": f"{holder.document}, {rival.passage.document}"}
            return replace(case, answer=_both(answer, cited, rival), notes=notes)
        return case

    def _rivals(self, case: Case, said: Window, shown: set[str]) -> Iterator[Window]:
        for passage in case.passages:
            if passage.kind == "table" or passage.document == said.passage.document:
                continue
            for window in windows(passage, widths=(1,)):
                if window.text in shown or not opposed(case.question.text, said, window):
                    continue
                if self.read(passage.document, window.start, window.end) == window.text:
                    yield window


def opposed(question: str, said: Window, other: Window) -> bool:
    """Whether both answer the question, about the same things, and cannot both be right."""
    asked = _figures(question)
    ours, theirs = (_figures(_uncoded(w.text)) - asked for w in (said, other))
    differ = bool(ours - theirs and theirs - ours)
    denied = ours == theirs and negation_differs(said.text, other.text)
    if not (differ or denied):
        return False
    one, two = (_said(w.text) for w in (said, other))
    if min(len(one), len(two)) < FEWEST:
        return False
    alike = len(one & two) / len(one | two)
    if alike < (ALIKE if differ and not ours & theirs else ALIKE_CLOSE):
        return False
    return _same_things(question, said, other)


def _same_things(question: str, said: Window, other: Window) -> bool:
    """No name, code or word of the question that the one speaks of is missing in the other."""
    near, far = _around(said.passage, said.text), _around(other.passage, other.text)
    if missing_names(_undated(said.text), far) or missing_names(_undated(other.text), near):
        return False
    if _codes(near) != _codes(far):
        return False
    wanted, there = set(content(question)), set(tokens(far))
    return bool(wanted) and len(wanted & there) >= ASKED * len(wanted)


def _around(passage: Passage, text: str) -> str:
    return " ".join([passage.title, *passage.place.heading, text])


def _codes(text: str) -> set[str]:
    return {fold(code) for code in _CODE.findall(text)}


def _figures(text: str) -> set[str]:
    """Numbers and months."""
    return {*numbers(text), *(value.key for value in months(text))}


def _uncoded(text: str) -> str:
    return _CODE.sub(" ", text)


def _said(text: str) -> set[str]:
    """Content words without figures."""
    told = content(_uncoded(_undated(text)))
    return {token for token in told if not any(letter.isdigit() for letter in token)}


def _undated(text: str) -> str:
    """Without months, which are figures here, and no names."""
    for month in reversed(months(text)):
        text = text[: month.start] + text[month.end :]
    return text


def _both(answer: Answer, cited: Citation, rival: Window) -> Answer:
    """The answer with the rival after it, cited like it, and a flaw that names both."""
    start = len(answer.text) + 1
    text = f"{answer.text}\n{LEAD}{rival.text}"
    source = Span(rival.passage.document, rival.start, rival.end, rival.text, rival.passage.place)
    added = Citation((start, len(text)), source, cited.support, rival.passage.id)
    detail = f"{cited.source.document} and {rival.passage.document} contradict each other"
    flaw = Flaw("disagreement", start, len(text), detail)
    return replace(
        answer, text=text, citations=(*answer.citations, added), flaws=(*answer.flaws, flaw)
    )

"""Sources that contradict each other: how many pairs are shown, how many are shown wrongly.

A held-out sentence is the cited source; another document says it shorter, altered by rule in a
number, date or negation, or left right. Beside it what people wrote: claims of fever_symmetric,
refuted or supported, as the other source of their evidence. A pair that is not shown is the silent
choice that the product promises not to make; one that is shown wrongly is noise. Not here: fitting
anything; which of two sources is right.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from benchmarks.ground import Ground
from benchmarks.repair import documents
from models.training import sources
from models.training.altering import KINDS, names_of
from models.training.making import shorter
from pilotfish.dates import MONTHS
from pilotfish.text import sentences
from pilotfish.types import Answer, Case, Citation, Passage, Question, Span
from verifiers.disagree import Disagree
from verifiers.evidence import content

ALTERED, SEED, ASKED_WORDS = ("number", "date", "negation"), 11, 6
RIGHT = "said alike"
MONTH_WORDS = {month.lower() for month in MONTHS}
FALSE_BAR = 0.02


def measure(ground: Ground) -> dict[str, Any]:
    """Share of the pairs that is shown, by what was done to the second source."""
    count = 20 if ground.quick else 200
    shown: dict[str, list[bool]] = defaultdict(list)
    for kind, case in (*made(count), *written(count)):
        shown[kind].append(disagrees(case))
    false = max(share(shown[kind]) for kind in (RIGHT, "fever, supported"))
    return {
        "kinds": {kind: {"pairs": len(some), "shown": share(some)} for kind, some in shown.items()},
        "bars": {f"at most {FALSE_BAR:.0%} of sources that agree are shown as disagreeing":
                 false <= FALSE_BAR},
    }  # fmt: skip


def share(shown: list[bool]) -> float:
    return round(sum(shown) / max(1, len(shown)), 4)


def disagrees(case: Case) -> bool:
    """Whether the step adds the other source to the answer."""

    def read(document: str, start: int, end: int) -> str | None:
        return next((p.text[start:end] for p in case.passages if p.document == document), None)

    done = Disagree(read)(case)
    assert done.answer is not None
    return len(done.answer.citations) > 1


def made(count: int) -> Iterator[tuple[str, Case]]:
    """(what was done, a case of two sources) for `count` sentences of each kind."""
    rng = random.Random(SEED)
    for kind in (*ALTERED, RIGHT):
        found = 0
        for title, text in documents(test=True, seed=SEED):
            pair = _pair(title, text, kind, rng)
            if pair is not None and found < count:
                found += 1
                yield kind, case_of(*pair, title)


def _pair(title: str, text: str, kind: str, rng: random.Random) -> tuple[str, str] | None:
    """(a sentence, what the other source says of it)."""
    text = " ".join(text.split()[:600])
    spans = [s for s in sentences(text) if 8 <= len(text[s[0] : s[1]].split()) <= 40]
    for start, end in rng.sample(spans, len(spans)):
        said = text[start:end]
        other = shorter(said, title, rng)
        if kind == RIGHT:
            return said, other
        change = KINDS[kind](other, names_of(text) or [title], rng)
        if change is not None:
            return said, change.text
    return None


def written(count: int) -> Iterator[tuple[str, Case]]:
    """Claims of fever_symmetric as the other source."""
    for label in ("contradicted", "supported"):
        rows = [r for r in sources.rows("verification/fever_symmetric") if r["label"] == label]
        for row in random.Random(SEED).sample(rows, min(count, len(rows))):
            evidence = row["evidence"].strip()
            spans = sentences(evidence)
            if len(spans) == 1 and row["claim"].strip():
                yield f"fever, {label}", case_of(evidence, row["claim"].strip(), "")


def case_of(said: str, other: str, title: str) -> Case:
    """An answer that cites `said`; `other` stands in another document of the same title."""
    worded = [w for w in content(other) if w.isalpha() and w not in MONTH_WORDS]
    asked = " ".join(worded[:ASKED_WORDS])  # nobody asks with the figure in question
    passages = tuple(
        Passage(number, text, f"d{number}", 0, len(text), title=title)
        for number, text in enumerate((said, other), start=1)
    )
    span = Span("d1", 0, len(said), said)
    citation = Citation((0, len(said)), span, 0.9, 1)
    return Case(Question(f"What is said of {asked}?"), passages,
                answer=Answer(said, citations=(citation,), support=0.9))  # fmt: skip

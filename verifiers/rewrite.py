"""Repairs an answer without an LLM: mends values, drops or softens sentences, sets keys right.

A value is mended from the sentence of the passages that is nearest to the claim (mend.py); the
judge must carry the result. A key that names a passage which does not carry its sentence, while
another does, is taken off, and cite.py cites the other (after CiteFix, arXiv 2504.15629). Every
change stands in the notes, before and after. Not here: a second call (pipeline/retry.py).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from pilotfish.step import Step, run
from pilotfish.text import fold
from pilotfish.types import Answer, Case, Flaw
from verifiers import evidence
from verifiers.cite import refuses
from verifiers.draft import Change, Draft, Repair, taken_out
from verifiers.evidence import Window
from verifiers.keys import Claim, is_copied
from verifiers.mend import mended
from verifiers.support import CARRIED, Judged

Judges = Callable[[Claim, Case], Judged]
NEAR = 0.5  # share of a claim's content words that the sentence it is mended from must have
RELATED = 0.6  # as many of them, against the nearest sentence, has one that speaks of the same
TIED = 0.1  # nearer than this, two sentences may both be meant
SOFT = "Not certain from the documents: "


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Repairs `case.answer`, then lets `again` (support) look at what was changed.

    unsupported: what becomes of a sentence whose support is below `below`. plugins: further
    repairs of the plain text, in order. values: whether they are mended, and keys set right.
    """

    judge: Judges
    again: Step
    unsupported: Literal["keep", "soften", "drop"] = "drop"
    below: float = 0.06
    values: bool = True
    plugins: tuple[Repair, ...] = ()
    name: str = "rewrite"

    def __call__(self, case: Case, /) -> Case:
        answer = case.answer
        if answer is None or answer.abstained or not answer.text.strip() or refuses(answer.text):
            return case
        seen = functools.cache(lambda claim: self.judge(claim, case))  # each sentence once
        looking = replace(self, judge=lambda claim, among: seen(claim))
        draft, changes = looking._repaired(Draft.of(answer.text, case), case)
        if not changes:
            return case
        done = replace(case, answer=_rewritten(answer, draft, changes, case))
        if any(change.kind in _OF_SUBSTANCE for change in changes):
            done = run(self.again, done)
        return replace(done, notes={"changes": [_told(change) for change in changes]})

    def _repaired(self, draft: Draft, case: Case) -> tuple[Draft, list[Change]]:
        made: list[Change] = []
        copied = case.answer is not None and is_copied(case.answer.text, case.passages)
        if case.passages and not copied:  # the documents' own words need no mending
            mends = (self._mends, self._attached) if self.values else ()
            for step in (*mends, self._doubtful):
                draft, changes = step(draft, case)
                made += changes
        for repair in self.plugins:
            changes = list(repair(draft.text))
            draft, made = draft.changed(changes), made + changes
        return draft, made

    def _mends(self, draft: Draft, case: Case) -> tuple[Draft, list[Change]]:
        """Values that the nearest sentence has otherwise, where the judge carries the result."""
        made: list[Change] = []
        for claim in reversed(draft.claims()):
            window = nearest(claim, case)
            if window is None:
                continue
            found = mended(claim.text, window.text, _head(window))
            if any(_said_elsewhere(one, claim, window, case) for one in found):
                continue
            changes = [_at(claim, window, one) for one in found]
            if changes and self._carried(draft.changed(changes), claim, case):
                draft, made = draft.changed(changes), changes + made
        return draft, made

    def _carried(self, draft: Draft, claim: Claim, case: Case) -> bool:
        now = [one for one in draft.claims() if one.start == claim.start]
        return bool(now) and self.judge(now[0], case).support >= CARRIED

    def _attached(self, draft: Draft, case: Case) -> tuple[Draft, list[Change]]:
        """Keys whose passages do not carry the sentence, while another passage does."""
        made: list[Change] = []
        for claim in draft.claims():
            found = self.judge(claim, case) if claim.named else None
            if found is None or found.window is None or found.support < CARRIED:
                continue
            if found.window.passage.id not in claim.named:
                named = ", ".join(_place_of(case, one) for one in claim.named)
                after = place(found.window)
                made.append(Change("citation", claim.end, claim.end, named, after, after))
                draft = draft.unnamed(claim)
        return draft, made

    def _doubtful(self, draft: Draft, case: Case) -> tuple[Draft, list[Change]]:
        """Sentences that nothing carries are taken out or marked; never the whole answer."""
        if self.unsupported == "keep":
            return draft, []
        claims = draft.claims()
        found = {claim.start: self.judge(claim, case) for claim in claims}
        weak = [claim for claim in claims if found[claim.start].support < self.below]
        if len(weak) == len(claims):
            return draft, []
        changes = [self._removed(draft.text, found[claim.start]) for claim in weak]
        return draft.changed(changes), changes

    def _removed(self, text: str, found: Judged) -> Change:
        claim = found.claim
        if self.unsupported == "drop":
            return taken_out(found.verdict, text, claim.start, claim.end)
        return Change("softened", claim.start, claim.start, "", SOFT)


_OF_SUBSTANCE = frozenset(
    "number name date word negation unsupported contradicted softened citation repetition".split()
)


def nearest(claim: Claim, case: Case) -> Window | None:
    """The sentence of the passages that shares most words with the claim, named passages first.

    None where nothing is near, or where another sentence is as near and says something else.
    """
    wanted = evidence.content(claim.text)
    pools = ([p for p in case.passages if p.id in claim.named], case.passages)
    for pool in pools:
        found = [w for passage in pool for w in evidence.windows(passage, widths=(1,))]
        scored = [(evidence.overlap(wanted, w), w) for w in found if w.text]
        scored.sort(key=lambda pair: (-pair[0], len(pair[1].text)))
        if scored and scored[0][0] >= NEAR:
            return None if _another_says_so(claim, scored) else scored[0][1]
    return None


def _another_says_so(claim: Claim, scored: list[tuple[float, Window]]) -> bool:
    """Whether a sentence nearly as near needs no mending: then that one is meant."""
    best = scored[0][0]
    close = (window for score, window in scored[1:6] if score >= best - TIED)
    return any(evidence.word_for_word(claim.text, w) or _all_there(claim, w) for w in close)


def _said_elsewhere(change: Change, claim: Claim, window: Window, case: Case) -> bool:
    """Whether another sentence that speaks of the same has the replaced value."""
    if change.kind not in {"number", "date", "name"}:
        return False
    wanted = evidence.content(claim.text)
    every = (w for passage in case.passages for w in evidence.windows(passage, widths=(1,)))
    others = (w for w in every if place(w) != place(window))
    said = fold(change.before)
    least = RELATED * evidence.overlap(wanted, window)
    return any(said in fold(w.text) and evidence.overlap(wanted, w) >= least for w in others)


def _all_there(claim: Claim, window: Window) -> bool:
    wanted = set(evidence.content(claim.text))
    return wanted <= set(evidence.content(f"{_head(window)} {window.text}"))


def _at(claim: Claim, window: Window, change: Change) -> Change:
    """The change in the answer's own offsets, with the place of its evidence."""
    moved = replace(change, start=claim.start + change.start, end=claim.start + change.end)
    return replace(moved, place=place(window))


def place(window: Window) -> str:
    return f"{window.passage.document}:{window.start}-{window.end}"


def _place_of(case: Case, passage: int) -> str:
    found = (p for p in case.passages if p.id == passage)
    return next((f"{p.document}:{p.start}-{p.end}" for p in found), str(passage))


def _head(window: Window) -> str:
    return " ".join([window.passage.title, *window.passage.place.heading])


def _rewritten(answer: Answer, draft: Draft, changes: list[Change], case: Case) -> Answer:
    text = draft.written(case.prompt.keys if case.prompt else {})
    kept = tuple(value for value in answer.values if value in draft.text)
    return replace(answer, text=text, values=kept, flaws=(*answer.flaws, *_flaws(draft, changes)))


def _flaws(draft: Draft, changes: list[Change]) -> Iterator[Flaw]:
    """What a reader should know: where a value is not the model's own."""
    for change in changes:
        if change.after and change.place and change.kind != "citation":
            at = draft.text.find(change.after)
            if at >= 0:
                detail = f"{change.kind} mended from the document: was {change.before.strip()!r}"
                yield Flaw("mended", at, at + len(change.after), detail)


def _told(change: Change) -> dict[str, str]:
    names = ("kind", "before", "after", "place")
    return {name: str(getattr(change, name)) for name in names}

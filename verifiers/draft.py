"""An answer while it is repaired: its text without keys, who was named where, and the changes.

Every repair gives `Change`s of one shape, so that the trace can show each, before and after.
Not here: what to change (mend.py, repetition.py, personal.py, toxic.py, form.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pilotfish.types import Case
from verifiers.keys import LISTED, Claim, claims_of, clean


@dataclass(frozen=True, slots=True)
class Change:
    """Text [start, end), which reads `before`, becomes `after`; "" takes it out.

    `place` is where the evidence stands: document:start-end.
    """

    kind: str
    start: int
    end: int
    before: str
    after: str
    place: str = ""


Repair = Callable[[str], Sequence[Change]]
Mark = tuple[int, int]  # (offset in the text, passage that was named there)


@dataclass(frozen=True, slots=True)
class Draft:
    """The answer without citation keys, and the passages that were named, each at its place."""

    text: str
    marks: tuple[Mark, ...] = ()

    @classmethod
    def of(cls, text: str, case: Case) -> Draft:
        """The answer as the model wrote it."""
        plain, claims = clean(text, case)
        return cls(plain, tuple((claim.end, one) for claim in claims for one in claim.named))

    def claims(self) -> list[Claim]:
        """Its sentences with the passages that they name."""
        return claims_of(self.text, list(self.marks))

    def changed(self, changes: Iterable[Change]) -> Draft:
        """With these changes, of which none overlaps another; marks move along."""
        draft = self
        for change in sorted(changes, key=lambda one: -one.start):
            draft = draft._with(change)
        return draft

    def _with(self, change: Change) -> Draft:
        start, end, after = change.start, change.end, change.after
        text = self.text[:start] + after + self.text[end:]
        moved = (_moved(mark, change) for mark in self.marks)
        return Draft(text, tuple(mark for mark in moved if mark is not None))

    def unnamed(self, claim: Claim) -> Draft:
        """Without the keys of this sentence."""
        kept = tuple(m for m in self.marks if not claim.start < m[0] <= claim.end)
        return replace(self, marks=kept)

    def written(self, keys: Mapping[str, int]) -> str:
        """As a model would have written it: each sentence with its keys in brackets."""
        names = {passage: key for key, passage in keys.items()}
        text = self.text
        for claim in reversed(self.claims()):
            said = [names[one] for one in claim.named if one in names]
            if said:
                text = f"{text[: claim.end]} [{', '.join(said)}]{text[claim.end :]}"
        return text


def _moved(mark: Mark, change: Change) -> Mark | None:
    """The mark after the change; None when its sentence was taken out."""
    offset, passage = mark
    grown = len(change.after) - (change.end - change.start)
    if offset <= change.start:
        return mark
    if offset > change.end:
        return offset + grown, passage
    if not change.after:
        return None
    return min(offset + max(0, grown), change.start + len(change.after)), passage


def taken_out(kind: str, text: str, start: int, end: int) -> Change:
    """The change that drops a sentence and the white space after it (before it, if it is last)."""
    stop = end
    line = text.rfind("\n", 0, start) + 1
    if (listed := LISTED.match(text, line, end)) and listed.end() == start:
        start = line  # its bullet or number goes too
    while stop < len(text) and text[stop].isspace():
        stop += 1
    while stop == len(text) and start > 0 and text[start - 1].isspace():
        start -= 1
    return Change(kind, start, stop, text[start:stop], "")

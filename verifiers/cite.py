"""Each sentence of the answer gets the exact characters that carry it, or a flaw; never a guess.

Citation keys are taken out of the text. A quote is re-read from the stored document and must
equal its slice; a sentence that no window supports gets no citation, one that the documents deny
is told apart from one that they do not speak of. An answer that is not supported enough, or has
no citation at all, is an abstention. No threshold is ever lowered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from models.pilot.reading import Judge
from pilotfish.types import Answer, Case, Citation, Flaw, Span
from verifiers.claims import Judged, judged_all
from verifiers.evidence import Embed, Window
from verifiers.keys import clean
from verifiers.spanned import Found, spanned
from verifiers.verdict import CARRIED

Read = Callable[[str, int, int], str | None]
CONTRADICTED = "contradicted"  # a flaw's kind
_REFUSALS = ("i cannot answer", "i can't answer", "cannot be answered", "not enough information")


@dataclass(frozen=True, slots=True)
class Cite:
    """`read(document, start, end)` gives the stored slice. Below `threshold` it abstains."""

    embed: Embed
    read: Read
    threshold: float = 0.5
    model: Judge | None = None
    name: str = "cite"

    def __call__(self, case: Case, /) -> Case:
        answer = case.answer
        if answer is None:
            return case
        if (span := spanned(case, self.model)) is not None:
            return self._gated(case, answer, self._of_span(span, answer), ())
        text, claims = clean(answer.text, case)
        answer = replace(answer, text=text)
        if refuses(text):
            return replace(
                case, answer=_abstained(answer), notes={"why": "it says it cannot answer"}
            )
        found = judged_all(claims, case, self.embed, self.model)
        citations = tuple(c for c in map(self._citation, found) if c)
        cited = {citation.sentence for citation in citations}
        flaws = tuple(
            self._flaw(one) for one in found if (one.claim.start, one.claim.end) not in cited
        )
        return self._gated(case, answer, citations, flaws)

    def _gated(
        self, case: Case, answer: Answer, citations: tuple[Citation, ...], flaws: tuple[Flaw, ...]
    ) -> Case:
        answer = replace(answer, citations=citations, flaws=(*answer.flaws, *flaws))
        if not citations or answer.support is None or answer.support < self.threshold:
            why = "no sentence is supported" if not citations else "support is below the threshold"
            if any(flaw.kind == CONTRADICTED for flaw in flaws):
                why += "; the documents say otherwise"
            return replace(case, answer=_abstained(answer), notes={"why": why})
        return replace(case, answer=replace(answer, abstained=False))

    def _of_span(self, found: Found, answer: Answer) -> tuple[Citation, ...]:
        """The sentence around an extracted span, when it stands in the document as it was read."""
        start, end = found.sentence
        passage = found.passage
        quote = passage.text[start - passage.start : end - passage.start]
        if self.read(passage.document, start, end) != quote:
            return ()
        span = Span(passage.document, start, end, quote, passage.place)
        support = 0.0 if answer.support is None else answer.support
        return (Citation((0, len(answer.text)), span, support, passage.id),)

    def _citation(self, one: Judged) -> Citation | None:
        """The citation of a supported claim whose quote is the document's very slice."""
        span = self._span(one.window) if one.support >= CARRIED else None
        if span is None or one.window is None:
            return None
        sentence = (one.claim.start, one.claim.end)
        return Citation(sentence, span, round(one.support, 4), one.window.passage.id)

    def _flaw(self, one: Judged) -> Flaw:
        """A sentence that is not cited; one that is denied, with what denies it."""
        start, end = one.claim.start, one.claim.end
        detail = one.reason or "too little support"
        if one.verdict != CONTRADICTED:
            return Flaw("unsupported", start, end, detail)
        return Flaw(CONTRADICTED, start, end, detail, self._span(one.window))

    def _span(self, window: Window | None) -> Span | None:
        """The window as the stored document has it; None where it has something else."""
        if window is None:
            return None
        document = window.passage.document
        if self.read(document, window.start, window.end) != window.text:
            return None
        return Span(document, window.start, window.end, window.text, window.passage.place)


def refuses(text: str) -> bool:
    """Whether the text says that it has no answer."""
    start = text.strip().lower().replace("’", "'")[:120]
    return not start or any(words in start for words in _REFUSALS)


def _abstained(answer: Answer) -> Answer:
    """Abstaining keeps the candidate's text and support for the record, and no citation."""
    return replace(answer, abstained=True, citations=())

"""Each sentence of the answer gets the exact characters that carry it, or a flaw; never a guess.

Citation keys are taken out of the text. A quote is re-read from the stored document and must
equal its slice; a sentence that no window supports gets no citation. An answer that is not
supported enough, or has no citation at all, is an abstention. No threshold is ever lowered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from models.pilot.reading import Judge
from pilotfish.types import Answer, Case, Citation, Flaw, Span
from verifiers.evidence import Embed
from verifiers.keys import clean
from verifiers.spanned import Found, spanned
from verifiers.support import CARRIED, Judged, judged

Read = Callable[[str, int, int], str | None]
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
        found = [judged(claim, case, self.embed) for claim in claims]
        citations = tuple(c for c in map(self._citation, found) if c)
        cited = {citation.sentence for citation in citations}
        flaws = tuple(_flaw(one) for one in found if (one.claim.start, one.claim.end) not in cited)
        return self._gated(case, answer, citations, flaws)

    def _gated(
        self, case: Case, answer: Answer, citations: tuple[Citation, ...], flaws: tuple[Flaw, ...]
    ) -> Case:
        answer = replace(answer, citations=citations, flaws=(*answer.flaws, *flaws))
        if not citations or answer.support is None or answer.support < self.threshold:
            why = "no sentence is supported" if not citations else "support is below the threshold"
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
        window = one.window
        if window is None or one.support < CARRIED:
            return None
        document = window.passage.document
        if self.read(document, window.start, window.end) != window.text:
            return None
        span = Span(document, window.start, window.end, window.text, window.passage.place)
        sentence = (one.claim.start, one.claim.end)
        return Citation(sentence, span, round(one.support, 4), window.passage.id)


def refuses(text: str) -> bool:
    """Whether the text says that it has no answer."""
    start = text.strip().lower().replace("’", "'")[:120]
    return not start or any(words in start for words in _REFUSALS)


def _abstained(answer: Answer) -> Answer:
    """Abstaining keeps the candidate's text and support for the record, and no citation."""
    return replace(answer, abstained=True, citations=())


def _flaw(one: Judged) -> Flaw:
    return Flaw("unsupported", one.claim.start, one.claim.end, one.reason or "too little support")

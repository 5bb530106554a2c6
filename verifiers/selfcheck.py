"""SelfCheckGPT by NLI: what a model makes up, it says otherwise the next time.

Manakul et al., EMNLP 2023 (arXiv 2303.08896): a sentence's score is the mean over samples of
P(contradicted) / (P(supported) + P(contradicted)). Sentences above a half are flaws; an answer of
nothing else is withheld. Buys one call a sample. Not here: evidence (support.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pilotfish.text import sentences
from pilotfish.types import Case, Flaw
from verifiers.nli import Nli
from verifiers.sampling import Samples, resampled

FLAW = "inconsistent"


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """`samples`: by a model's name, LLM steps with sample numbers.

    free: models whose answers never vary.
    """

    samples: Samples
    nli: Nli
    most: float = 0.5
    free: tuple[str, ...] = ("extract", "sentence")
    name: str = "selfcheck"

    def __call__(self, case: Case, /) -> Case:
        case, texts = resampled(case, self.samples, self.free)
        answer = case.answer
        if answer is None or not texts:
            return case
        spans = sentences(answer.text)
        scores = [inconsistency(answer.text[a:b], texts, self.nli) for a, b in spans]
        found = tuple(
            Flaw(FLAW, start, end, f"{score:.2f} of {len(texts)} further answers say otherwise")
            for (start, end), score in zip(spans, scores, strict=True)
            if score > self.most
        )
        notes = {"samples": len(texts), "scores": [round(score, 3) for score in scores]}
        withheld = bool(found) and len(found) == len(spans)
        citations = () if withheld else answer.citations
        done = replace(answer, flaws=(*answer.flaws, *found), citations=citations)
        return replace(case, answer=replace(done, abstained=withheld), notes=notes)


def inconsistency(sentence: str, texts: Sequence[str], nli: Nli) -> float:
    """Mean share of contradiction among what samples say of the sentence; 0.5: they say nothing."""
    shares = []
    for text in texts:
        supported, contradicted, _ = nli(text, sentence)
        said = supported + contradicted
        shares.append(contradicted / said if said > 0 else 0.5)
    return sum(shares) / len(shares) if shares else 0.5

"""Does a text carry a claim? Today's verifier, as a judge of plain texts.

The claim against the windows of the evidence by verifiers/support.py: a logistic of shared words,
cosine, names, under hard rules for numbers and negation. A cross-encoder can stand in its place:
all that is asked is `(claim, evidence) -> probability`. Not here: citations' measures.
"""

from __future__ import annotations

from functools import cache

from pilotfish.types import Case, Passage, Question
from pipeline.evaluation.citations import Judge
from verifiers.evidence import Embed
from verifiers.keys import Claim
from verifiers.support import judged

NAME = "windows of the cited text by verifiers/support"


def window_judge(embed: Embed) -> Judge:
    """Judges each pair of texts once."""

    @cache
    def judge(claim: str, evidence: str) -> float:
        passage = Passage(0, evidence, "", 0, len(evidence))
        case = Case(Question(""), (passage,))
        return judged(Claim(0, len(claim), claim), case, embed).support

    return judge

"""Does a text carry a claim? The judge of citations, as a plain function of texts.

The same as the sampling checks ask (verifiers/nli.py): the cross-encoder that is configured, or
words under hard rules. Not here: citations' measures.
"""

from __future__ import annotations

from functools import cache

from models.pilot.reading import Judge as Model
from pipeline.evaluation.citations import Judge
from verifiers.evidence import Embed
from verifiers.nli import judged_by

RULES = "windows of the cited text by verifiers/support"


def window_judge(embed: Embed, model: Model | None = None) -> Judge:
    """Judges each pair of texts once."""
    says = judged_by(model, embed)

    @cache
    def judge(claim: str, evidence: str) -> float:
        supported, _, _ = says(evidence, claim)
        return supported

    return judge


def judge_name(judge: str) -> str:
    """What stands in the report; `judge` as the settings have it."""
    return RULES if judge == "rules" else f"cross-encoder {judge} over the cited text"

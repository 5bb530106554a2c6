"""The small judges for whoever needs them without a collection: made from the settings alone.

Not here: what they do (verifiers/verdict.py, reader.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from models.encoders import Encoders
from models.pilot.chosen import chosen
from models.pilot.reading import having
from pilotfish.settings import Settings
from pipeline.parts import Memo
from pipeline.reader import Reader
from verifiers.verdict import Verdicts, over


@dataclass(frozen=True, slots=True)
class Judges:
    """One judge of claims and one reader, over the same encoder and cross-encoder."""

    verdicts: Verdicts
    reader: Reader


def judges(settings: Settings) -> Judges:
    """Raises SettingsError where encoder or cross-encoder cannot be had."""
    embed = Memo(Encoders(settings.threads)(settings.encoder))
    model = chosen(settings.judge, settings.reranker, settings.threads)
    return Judges(over(embed, model), Reader(embed, having(model, "spans")))

"""What an answer's support rests on here: the collection's own calibration, or the shipped one.

Kept by recipe and judge, since labels of one line say nothing of another: the judge is named by
its weights' fingerprint and the LLMs that are configured. Not here: fitting it (labelling.py).
"""

from __future__ import annotations

from models.pilot.reading import identity_of
from pilotfish.errors import InputError
from pipeline.parts import Parts
from store import calibrations, collections
from verifiers.calibration import from_json
from verifiers.trust import Reliance, general
from verifiers.weights import fingerprint


def judge_of(parts: Parts) -> str:
    """Which judges and tiers: calibrated for others, support would mean something else."""
    return "+".join((_judges(parts), *parts.settings.llm.models))


def _judges(parts: Parts) -> str:
    """The fitted judges, and the cross-encoders that help them, by their weights or names."""
    return "+".join(filter(None, (fingerprint(), identity_of(parts.judge))))


def reliance(parts: Parts, recipe: str, max_error: float | None) -> Reliance:
    """The stored calibration of the collection, else the general one; InputError for an odd E."""
    if max_error is not None and not 0.0 < max_error < 1.0:
        raise InputError(f"max_error {max_error:g}: give a share between 0 and 1, such as 0.05")
    judge = judge_of(parts)
    with parts.shelf.database.read() as connection:
        here = collections.find(connection, parts.shelf.name)
        kept = calibrations.of(connection, here.id, recipe, judge)
    if kept is None:
        return Reliance(general(_judges(parts)), judge=judge, max_error=max_error)
    return Reliance(from_json(kept.body), kept.where, judge, max_error)

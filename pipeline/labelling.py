"""Labels for calibrating: the line asked questions whose answers are known, or rows with labels.

`contains` counts a sentence that holds a known answer, which is what the extractive tier gives.
Not here: what is right (evaluation/scores.py), fitting (verifiers/calibration.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilotfish.errors import InputError, PilotfishError, SettingsError
from pilotfish.files import read_text
from pilotfish.types import Limits, Question, Scope
from pipeline.evaluation.scores import Match, is_right
from pipeline.library import Library
from pipeline.reliance import judge_of
from store import calibrations, labels
from verifiers.calibration import Calibration, Label, fit, to_json

_FEATURE = re.compile(r"\s*(kind|model|passage)\s*=\s*([^,]+)")


@dataclass(frozen=True, slots=True)
class Known:
    """A question and its right answers, or a label that was made elsewhere."""

    number: int
    question: str = ""
    answers: tuple[str, ...] = ()
    label: Label | None = None


def read_known(path: Path) -> list[Known]:
    """The lines of a file; InputError names all that are neither kind."""
    lines = read_text(path).split("\n")
    rows = [(n, raw) for n, raw in enumerate(lines, start=1) if raw.strip()]
    found, bad = [], []
    for number, raw in rows:
        try:
            found.append(_known(number, json.loads(raw)))
        except (ValueError, TypeError, KeyError, AttributeError):
            bad.append(number)
    if bad:
        named = ", ".join(map(str, bad[:20])) + (", ..." if len(bad) > 20 else "")
        mend = 'write {"question": "...", "answers": ["..."]} or {"support": 0.7, "right": true}'
        raise InputError(f"{path}: {len(bad)} lines that say no label (line {named}): {mend}")
    if not found:
        raise InputError(f"{path} holds no labels: give one a line")
    return found


def _known(number: int, row: Mapping[str, Any]) -> Known:
    if "support" in row:
        support, right = float(row["support"]), row["right"]
        if not (0.0 <= support <= 1.0 and isinstance(right, bool)):
            raise ValueError
        return Known(number, label=Label(support, right, _features(row.get("group"))))
    given = row["answers"]
    answers = (given,) if isinstance(given, str) else tuple(given)
    question = row["question"]
    if not answers or not all(isinstance(one, str) for one in (question, *answers)):
        raise ValueError
    return Known(number, question, answers)


def _features(group: object) -> dict[str, str]:
    """{"kind": "date"}, "kind=date, passage=table", or the kind alone."""
    if isinstance(group, Mapping):
        return {str(name): str(value) for name, value in group.items()}
    if not isinstance(group, str) or not group.strip():
        return {}
    named = {name: value.strip() for name, value in _FEATURE.findall(group)}
    return named or {"kind": group.strip()}


@dataclass(frozen=True, slots=True)
class Labeller:
    """Asks what is known and labels what comes; `done` hears of each question."""

    library: Library
    recipe: str = "default"
    match: Match = "near"
    where: str | None = None
    done: Callable[[], None] = lambda: None

    def __call__(self, known: Sequence[Known]) -> tuple[list[Label], int]:
        """(labels of what was answered, how many were asked)."""
        found = []
        for one in known:
            label = one.label or self.label(one)
            found += [label] if label else []
            self.done()
        return found, len(known)

    def label(self, known: Known) -> Label | None:
        """Ask, and take the answer whatever its support, since that is what is to be judged.

        None when there is no answer: an abstention is neither right nor wrong.
        """
        library = self.library
        settings = library.settings.model_copy(update={"abstain_below": 0.0})
        limits = Limits(max_calls=max(1, len(settings.llm.models)))
        scope = Scope(settings.collection, where=self.where)
        try:
            asked = Question(known.question, scope=scope, limits=limits)
            answer = library.ask(asked, self.recipe, settings=settings).answer
        except SettingsError:
            raise
        except PilotfishError:  # an item fails alone
            return None
        if answer is None or answer.abstained or answer.basis is None:
            return None
        said = answer.values[0] if answer.values else answer.text
        right = is_right(said, known.answers, self.match)
        return Label(answer.basis.judged, right, dict(answer.basis.features))


def of_feedback(library: Library, recipe: str) -> list[Label]:
    """Labels that people gave to answers of this collection, recipe and judge."""
    judge = judge_of(library.parts)
    with library.database.read() as connection:
        rows = labels.of(connection, library.collection().id, recipe, judge)
    return [Label(row.support, row.right, row.features) for row in rows]


def keep(library: Library, recipe: str, found: Sequence[Label], asked: int) -> Calibration:
    """Fit and store; what is asked from now on relies on it."""
    made = fit(found, asked)
    key = (library.collection().id, recipe, judge_of(library.parts))
    with library.database.write() as connection:
        calibrations.put(connection, key, made.labels, to_json(made))
    return made

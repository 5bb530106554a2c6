"""Promises: how many of the answers given are wrong, and how many are given, on unseen halves.

Labelled answers are split in halves by their source document, 20 times: one half calibrates and
makes the promise, the other says what came of it; then one set calibrates for the other, which
nothing promises to bear. Beside it the dumb rule that takes the lowest threshold at which the
labels themselves show no more errors than allowed. Not here: asking (judges/endtoend.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from verifiers.calibration import FEWEST, Calibration, Label, fit
from verifiers.isotonic import brier, calibration_error

PROMISES, SPLITS = (0.05, 0.1, 0.2), 20
Maker = Callable[[Sequence[Label], int], Calibration]
Outcome = tuple[float, float]  # (Brier score, calibration error)


@dataclass(frozen=True, slots=True)
class Row:
    """One asked question. `label` None: abstained. `source`: what is kept together in splits."""

    set: str
    source: str
    label: Label | None


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """One row a line."""
    text = "".join(json.dumps(asdict(row)) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")


def read_rows(path: Path) -> list[Row]:
    """What `write_rows` wrote."""
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Row(one["set"], one["source"], Label(**one["label"]) if one["label"] else None)
        for one in found
    ]


def judged(rows: Sequence[Row]) -> dict[str, Any]:
    """Everything said of these rows."""
    answered = [row.label for row in rows if row.label]
    splits = [halves(rows, seed) for seed in range(SPLITS)]
    sets = sorted({row.set for row in rows})
    shifts = {
        f"{one} for {other}": (_of(rows, one), _of(rows, other))
        for one in sets for other in sets if one != other
    }  # fmt: skip
    return {
        "questions": len(rows),
        "answered": len(answered),
        "right": round(float(np.mean([label.right for label in answered])), 4),
        "sets": {name: len(_of(rows, name)) for name in sets},
        "promises": {str(e): _kept(splits, e) for e in PROMISES},
        "shift": {
            name: {str(e): _outcomes([pair], e, _whole)[0] for e in PROMISES}
            for name, pair in shifts.items()
        },
        "calibration": _calibrated(splits),
        "bars": _bars(splits),
    }


def _of(rows: Sequence[Row], name: str) -> list[Row]:
    return [row for row in rows if row.set == name]


def halves(rows: Sequence[Row], seed: int) -> tuple[list[Row], list[Row]]:
    """Two halves that share no source."""

    def first(row: Row) -> bool:
        return hashlib.sha256(f"{seed} {row.source}".encode()).digest()[0] < 128

    return [row for row in rows if first(row)], [row for row in rows if not first(row)]


def _whole(labels: Sequence[Label], asked: int) -> Calibration:
    return fit(labels, asked, grouped=False)


def _grouped(labels: Sequence[Label], asked: int) -> Calibration:
    return fit(labels, asked)


def _outcomes(
    splits: Sequence[tuple[Sequence[Row], Sequence[Row]]], max_error: float, make: Maker
) -> list[dict[str, float]]:
    """What the second halves got by the promise of the first."""
    found = []
    for known, fresh in splits:
        labels = [row.label for row in known if row.label]
        if len(labels) < FEWEST:
            found.append(_outcome([], len(fresh)))
            continue
        made = make(labels, len(known))
        threshold = made.promise(max_error).threshold
        given = [] if threshold is None else [
            row.label for row in fresh
            if row.label and made.rank(row.label.support, row.label.features) >= threshold
        ]  # fmt: skip
        found.append(_outcome(given, len(fresh)))
    return found


def _outcome(given: Sequence[Label], asked: int) -> dict[str, float]:
    wrong = sum(not label.right for label in given)
    return {
        "coverage": round(len(given) / asked, 4),
        "wrong of answered": round(wrong / len(given), 4) if given else 0.0,
    }


def _kept(
    splits: Sequence[tuple[Sequence[Row], Sequence[Row]]], max_error: float
) -> dict[str, dict[str, float]]:
    """The rules beside each other, over all splits."""
    rules = {
        "promise": _outcomes(splits, max_error, _whole),
        "promise by group": _outcomes(splits, max_error, _grouped),
        "no bound": [_dumb(known, fresh, max_error) for known, fresh in splits],
    }
    return {name: _summed(found, max_error) for name, found in rules.items()}


def _dumb(known: Sequence[Row], fresh: Sequence[Row], max_error: float) -> dict[str, float]:
    """The lowest threshold at which the labels themselves look good enough."""
    labels = sorted((r.label for r in known if r.label), key=lambda one: -one.support)
    wrong = np.cumsum([not one.right for one in labels])
    good = np.flatnonzero(wrong <= max_error * np.arange(1, len(labels) + 1))
    threshold = labels[good[-1]].support if len(good) else 2.0
    given = [r.label for r in fresh if r.label and r.label.support >= threshold]
    return _outcome(given, len(fresh))


def _summed(found: Sequence[dict[str, float]], max_error: float) -> dict[str, float]:
    """Over splits. `broken`: share of those in which more was wrong than allowed."""
    cover = [one["coverage"] for one in found]
    risk = [one["wrong of answered"] for one in found]
    given = [r for r, c in zip(risk, cover, strict=True) if c]
    return {
        "coverage": round(float(np.mean(cover)), 4),
        "nothing promised": round(float(np.mean([c == 0 for c in cover])), 4),
        "wrong of answered": round(float(np.mean(given)), 4) if given else 0.0,
        "worst": max(risk),
        "broken": round(float(np.mean([r > max_error for r in risk])), 4),
    }


def _calibrated(splits: Sequence[tuple[Sequence[Row], Sequence[Row]]]) -> dict[str, Any]:
    """Brier score and calibration error on the second halves."""
    found: dict[str, list[Outcome]] = {"as judged": [], "calibrated": [], "by group": []}
    for known, fresh in splits:
        labels = [row.label for row in known if row.label]
        test = [row.label for row in fresh if row.label]
        right = [label.right for label in test]
        said = {"as judged": [label.support for label in test]}
        for name, make in (("calibrated", _whole), ("by group", _grouped)):
            made = make(labels, len(known))
            said[name] = [made.support(made.rank(o.support, o.features)) for o in test]
        for name, support in said.items():
            found[name].append((brier(support, right), calibration_error(support, right)))
    return {
        name: {"brier": round(float(np.mean([b for b, _ in pairs])), 4),
               "calibration error": round(float(np.mean([e for _, e in pairs])), 4)}
        for name, pairs in found.items()
    }  # fmt: skip


def _bars(splits: Sequence[tuple[Sequence[Row], Sequence[Row]]]) -> dict[str, bool]:
    """A finite half strays around its true rate, so up to 2 of 20 are within chance.

    A promise that is never made is not kept.
    """
    found = {e: _summed(_outcomes(splits, e, _whole), e) for e in PROMISES}
    return {
        f"promise of {e:.0%} kept in at least 18 of 20 resplits": row["broken"] <= 0.1
        and row["coverage"] > 0
        for e, row in found.items()
    }

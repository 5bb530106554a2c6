"""The report as plain data: counts, figures with intervals, curves, what was not scored and why.

What the terminal, the HTML page and the JSON show. Not here: how any of them looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pilotfish import __version__
from pipeline.evaluation.bootstrap import (
    ROUNDS,
    SEED,
    Interval,
    area_interval,
    differences,
    intervals,
)
from pipeline.evaluation.curves import Ranked, auroc, calibration, ranked, risk_coverage, wilson
from pipeline.evaluation.figures import FIGURES, Figure, ratios
from pipeline.evaluation.files import Joined, Source
from pipeline.evaluation.rows import Measured, Row, Rule

RISKS = (0.05, 0.10, 0.20)
_TROUBLES = ("wrong", "invented", "failed", "held back", "not answered")


@dataclass(frozen=True, slots=True)
class Setup:
    """What was measured, and by which rules; stands in the report as it is."""

    answers: Source
    gold: Source
    against: Source | None = None
    rule: Rule = "match"
    encoder: str | None = None
    judge: str | None = None
    idf: bool = False


def report(setup: Setup, joined: Joined, run: Measured, other: Measured | None) -> dict[str, Any]:
    """Everything but the texts."""
    rows = run.rows
    made: dict[str, Any] = {
        "version": 1,
        "pilotfish": __version__,
        "setup": asdict(setup) | {"rounds": ROUNDS, "seed": SEED},
        "left_out": {"no_answer": joined.unanswered, "no_gold": joined.without_gold},
        "counts": _counts(rows),
        "figures": _figures(rows),
        "bertscore": {"baseline": run.baseline and asdict(run.baseline), "cut": run.cut},
        "risk_coverage": _risk(rows),
        "calibration": _calibration(rows),
        "telling": _telling(rows),
        "items": [_item(row) for row in rows],
        "worst": [{"id": row.reply.id, "trouble": trouble(row)} for row in worst(rows)],
    }
    made["not_scored"] = _not_scored(made, setup)
    if other is not None:
        made["against"] = _against(rows, other.rows)
    return made


def _counts(rows: Sequence[Row]) -> dict[str, Any]:
    failures = Counter(row.reply.failure for row in rows if row.reply.failure is not None)
    answerable = sum(row.answerable for row in rows)
    answered = sum(row.answered for row in rows)
    return {
        "questions": len(rows), "answerable": answerable, "unanswerable": len(rows) - answerable,
        "answered": answered, "right": sum(row.hit for row in rows),
        "wrong": sum(row.answered and not row.right for row in rows),
        "failed": sum(failures.values()),
        "abstained": len(rows) - answered - sum(failures.values()),
        "failures": dict(failures.most_common()),
    }  # fmt: skip


def _figures(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    table = ratios(rows)
    counted = (table.below > 0).sum(axis=0).tolist()
    told = zip(FIGURES, intervals(table), counted, strict=True)
    return {figure.name: _told(_widened(figure, one, n)) | {"n": n} for figure, one, n in told}


def _widened(figure: Figure, one: Interval, count: int) -> Interval:
    """A share without any spread, such as 4 of 4, gets Wilson's interval: redraws cannot see it."""
    if figure.unit != "share" or one.value not in (0.0, 1.0) or one.low != one.high:
        return one
    return Interval(one.value, *wilson(one.value, count))


def _told(one: Interval) -> dict[str, Any]:
    return {name: None if value is None else round(value, 8) for name, value in asdict(one).items()}


def _risk(rows: Sequence[Row]) -> dict[str, Any] | None:
    """None where no answer has a support."""
    sure = [row.confidence for row in rows]
    if all(one is None for one in sure):
        return None
    curve = risk_coverage([row.right for row in rows], sure)
    interval = area_interval(_ranked(rows))
    answered = [row for row in rows if row.answered]
    wrong = sum(not row.right for row in answered)
    chosen = {"coverage": len(answered) / len(rows), "risk": wrong / max(1, len(answered))}
    at = {f"{risk:.2f}": curve.coverage_at(risk) for risk in RISKS}
    return asdict(curve) | {
        "area_low": interval.low, "area_high": interval.high, "coverage_at_risk": at,
        "chosen": chosen if answered else None,
    }  # fmt: skip


def _ranked(rows: Sequence[Row]) -> Ranked:
    return ranked([row.right for row in rows], [row.confidence for row in rows])


def _calibration(rows: Sequence[Row]) -> dict[str, Any] | None:
    """Of everything that has a support, and of the answered alone; None where nothing has one."""
    known = [(row.confidence, row) for row in rows if row.confidence is not None]
    if not known:
        return None
    every = calibration([sure for sure, _ in known], [row.right for _, row in known])
    shown = [(sure, row.right) for sure, row in known if row.answered]
    answered = calibration([s for s, _ in shown], [r for _, r in shown]) if shown else None
    return {"n": len(known), **asdict(every), "answered": answered and _sums(asdict(answered))}


def _sums(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in ("ece", "ece_equal_mass", "brier", "base")}


def _telling(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """AUROC of each score for right against wrong texts, length among them."""
    scores = {
        "support": [row.confidence for row in rows],
        "citation_recall": [row.cited.recall if row.cited else None for row in rows],
        "shortness": [-float(len(row.reply.text.split())) if row.reply.text else None
                      for row in rows],
        "bertscore_f1": [row.bert.f1 if row.bert else None for row in rows],
        "length": [row.closeness if row.reply.text and row.answerable else None for row in rows],
    }  # fmt: skip
    told = {}
    for name, values in scores.items():
        known = [(v, row.right) for v, row in zip(values, rows, strict=True) if v is not None]
        found = auroc([v for v, _ in known], [right for _, right in known])
        told[name] = {"auroc": found, "n": len(known)}
    return told


def trouble(row: Row) -> str | None:
    """What is wrong with an answer, None where nothing is."""
    if row.reply.failure is not None:
        return "failed"
    if row.answered:
        return None if row.right else "wrong" if row.answerable else "invented"
    if not row.answerable:
        return None
    return "held back" if row.right else "not answered"


def worst(rows: Sequence[Row]) -> list[Row]:
    """What went wrong: the surest wrong answers first, what was only not answered last."""
    bad = [row for row in rows if trouble(row) is not None]
    return sorted(bad, key=lambda row: (_rank(row), -(row.reply.support or 0.0)))


def _rank(row: Row) -> int:
    place = _TROUBLES.index(trouble(row) or "")
    return 0 if place <= 1 else place  # wrong and invented answers stand together


def _item(row: Row) -> dict[str, Any]:
    reply, graded = row.reply, row.graded
    status = "failed" if reply.failure else "answered" if row.answered else "abstained"
    return {
        "id": reply.id, "status": status, "right": row.right, "answerable": row.answerable,
        "exact": graded.exact, "f1": round(graded.f1, 6), "contains": graded.contains,
        "yes_no": graded.yes_no, "support": reply.support,
        "bertscore": row.bert and {k: round(v, 6) for k, v in asdict(row.bert).items()},
        "citation_recall": row.cited and row.cited.recall,
        "citation_precision": row.cited and row.cited.precision,
        "llm_calls": reply.calls, "cost_usd": reply.cost, "seconds": reply.seconds,
    }  # fmt: skip


def _not_scored(made: dict[str, Any], setup: Setup) -> dict[str, str]:
    """Why each figure without a value has none."""
    off = {"Meaning": setup.encoder is None, "Citations": setup.judge is None}
    told = {}
    for figure in FIGURES:
        if made["figures"][figure.name]["value"] is None:
            models = off.get(figure.group) and figure.name not in {"length", "citations"}
            told[figure.name] = "--no-models leaves it out" if models else figure.missing
    for part in ("risk_coverage", "calibration"):
        if made[part] is None:
            told[part] = "no answer has a support"
    one_kind = "needs both right and wrong answers that have it"
    told |= {f"telling.{k}": one_kind for k, v in made["telling"].items() if v["auroc"] is None}
    return told


def _against(rows: Sequence[Row], others: Sequence[Row]) -> dict[str, Any]:
    """The paired differences, this run less the other, and who was right where."""
    found = differences(ratios(rows), ratios(others))
    values = intervals(ratios(others), rounds=1)
    told = {
        figure.name: _told(one) | {"other": theirs.value, "verdict": verdict(one, figure.better)}
        for figure, one, theirs in zip(FIGURES, found, values, strict=True)
    }
    hits = Counter((mine.hit, theirs.hit) for mine, theirs in zip(rows, others, strict=True))
    both = {"both": hits[True, True], "only_this": hits[True, False],
            "only_other": hits[False, True], "neither": hits[False, False]}  # fmt: skip
    theirs, area = _risk(others), area_interval(_ranked(rows), _ranked(others))
    shift = asdict(area) | {"verdict": verdict(area, -1)} if theirs and _risk(rows) else None
    return {"counts": _counts(others), "figures": told, "right": both, "risk_coverage": theirs,
            "area": shift}  # fmt: skip


def verdict(one: Interval, better: int) -> str:
    """'better', 'worse', 'other' (where neither is the aim), 'even' or 'unknown'."""
    if one.low is None or one.high is None:
        return "unknown"
    if one.low <= 0 <= one.high:
        return "even"
    return "other" if better == 0 else "better" if one.low * better > 0 else "worse"

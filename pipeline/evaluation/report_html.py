"""The report as one HTML file: no script, nothing fetched, light and dark, a phone's width.

All text of answers and questions is escaped by the template; the pictures hold numbers only.
Not here: the numbers (report.py), the pictures (plots.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from pilotfish.text import shorten
from pipeline.evaluation.figures import FIGURES, Figure, Unit
from pipeline.evaluation.plots import reliability_plot, risk_plot, whisker
from pipeline.evaluation.report import trouble, worst
from pipeline.evaluation.rows import Row
from pipeline.evaluation.wording import VERDICTS, between, change, said

FOLDER = Path(__file__).parent
LONG = 700  # characters of a text that the page shows
WIDEST = 0.5  # difference that the small pictures have room for
SHOWN = 3  # citations and right answers of a case that the page shows
HEADLINES = ("right", "wrong", "answered", "free_right", "f1", "citation_recall",
             "citation_precision", "cost_per_right")  # fmt: skip
TELLING = {
    "support": "support", "citation_recall": "citation recall",
    "shortness": "length alone: a shorter answer",
    "bertscore_f1": "BERTScore F1 (knows what is right)",
    "length": "length alone: as long as the right one",
}  # fmt: skip
TROUBLES = {"wrong": "wrong", "invented": "nothing is right", "failed": "failed",
            "held back": "right, held back", "not answered": "not answered"}  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def page(made: dict[str, Any], rows: Sequence[Row], cases: int) -> str:
    """The whole file. cases: how many of the worst are shown."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined,
        finalize=_printable, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    bad = worst(rows)
    style = Markup((FOLDER / "report.css").read_text(encoding="utf-8"))
    return environment.get_template("report.html").render(
        made=made, style=style, tiles=tiles(made), groups=groups(made), rows=compared(made),
        plots=_plots(made), telling=_telling(made), cases=[case(row) for row in bad[:cases]],
        bad=len(bad), said=_unbroken,
    )  # fmt: skip


def _printable(value: object) -> object:
    """Text without control characters, wherever on the page it stands."""
    return _CONTROL.sub("�", value) if type(value) is str else value


def _unbroken(value: float | None, unit: Unit) -> str:
    return said(value, unit).replace(" ", "\N{NO-BREAK SPACE}")


def tiles(made: dict[str, Any]) -> list[dict[str, str]]:
    """The headline figures that have a value."""
    known = {figure.name: figure for figure in FIGURES}
    found = [_shown(made, known[name]) for name in HEADLINES]
    return [one for one in found if one["value"] != "–"]


def groups(made: dict[str, Any]) -> list[tuple[str, list[dict[str, str]]]]:
    """All figures, by group."""
    return [
        (name, [_shown(made, figure) for figure in figures])
        for name, figures in groupby(FIGURES, key=lambda figure: figure.group)
    ]


def _shown(made: dict[str, Any], figure: Figure) -> dict[str, str]:
    one = made["figures"][figure.name]
    return {
        "label": figure.label, "value": said(one["value"], figure.unit),
        "between": between(one, figure.unit), "n": str(one["n"]),
        "why": made["not_scored"].get(figure.name, ""),
    }  # fmt: skip


def compared(made: dict[str, Any]) -> list[dict[str, Any]]:
    """Each figure beside the other run's, with the difference; nothing without an other run."""
    from markupsafe import Markup

    if "against" not in made:
        return []
    told = made["against"]["figures"]
    scaled = [told[f.name] for f in FIGURES if f.unit in {"share", "score"}]
    ends = (abs(one[end]) for one in scaled for end in ("low", "high") if one[end])
    most = min(WIDEST, max(ends, default=WIDEST))
    rows = []
    for figure in FIGURES:
        one = told[figure.name]
        if one["value"] is None:
            continue
        drawn = figure.unit in {"share", "score"} and one["low"] is not None
        rows.append({
            "label": figure.label, "verdict": one["verdict"], "word": VERDICTS[one["verdict"]],
            "this": said(made["figures"][figure.name]["value"], figure.unit),
            "other": said(one["other"], figure.unit), "change": change(one["value"], figure.unit),
            "between": between(one, figure.unit, changes=True),
            "plot": Markup(whisker(one["low"], one["value"], one["high"], most)) if drawn else "",
        })  # fmt: skip
    return rows


def _plots(made: dict[str, Any]) -> dict[str, Any]:
    from markupsafe import Markup

    curve, calibration = made["risk_coverage"], made["calibration"]
    other = made.get("against", {}).get("risk_coverage")
    return {
        "risk": Markup(risk_plot(curve, other)) if curve else None,
        "other": bool(other),
        "area": _area(made),
        "reliability": Markup(reliability_plot(calibration)) if calibration else None,
        "points": _every(list(zip(curve["coverage"], curve["risk"], curve["threshold"],
                                  strict=True))) if curve else [],
    }  # fmt: skip


def _area(made: dict[str, Any]) -> str:
    """The area less the other run's, in words; empty where there is none."""
    one = made.get("against", {}).get("area")
    if not one:
        return ""
    told = f"{change(one['value'], 'score')} ({between(one, 'score', changes=True)})"
    return f"{told}, {VERDICTS[one['verdict']]}"


def _every(points: list[Any], most: int = 12) -> list[Any]:
    """At most that many points, evenly taken, the last among them."""
    if len(points) <= most:
        return points
    return [points[round(n * (len(points) - 1) / (most - 1))] for n in range(most)]


def _telling(made: dict[str, Any]) -> list[tuple[str, str, int]]:
    told = made["telling"]
    return [(words, said(told[name]["auroc"], "score"), told[name]["n"])
            for name, words in TELLING.items()]  # fmt: skip


def case(row: Row) -> dict[str, Any]:
    """One of the worst, in words."""
    reply = row.reply
    cited = [
        (clean(one.document), clean(one.heading), clean(one.quote))
        for one in reply.citations[:SHOWN]
    ]
    wanted = [clean(text) for text in row.gold.answers[:SHOWN]]
    return {
        "id": clean(reply.id), "trouble": trouble(row), "word": TROUBLES[trouble(row) or ""],
        "support": said(reply.support, "score"), "question": clean(row.question),
        "text": clean(reply.text), "held": not reply.answered, "wanted": wanted,
        "more_wanted": len(row.gold.answers) - len(wanted), "cited": cited,
        "more_cited": len(reply.citations) - len(cited), "failure": clean(reply.failure or ""),
    }  # fmt: skip


def clean(text: str) -> str:
    """One line, of printable characters, not too long."""
    return shorten(_CONTROL.sub("�", text), LONG)

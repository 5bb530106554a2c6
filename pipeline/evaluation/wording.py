"""Figures as people read them: 23.3 %, 0.246, $0.0012. Not here: what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.evaluation.figures import Unit

DASH = "–"
VERDICTS = {"better": "better", "worse": "worse", "even": "no difference shown",
            "other": "differs", "unknown": "not scored"}  # fmt: skip


def said(value: float | None, unit: Unit) -> str:
    """One value; a dash where there is none."""
    if value is None:
        return DASH
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit == "usd":
        return f"${value:,.4f}" if abs(value) < 1 else f"${value:,.2f}"
    if unit == "seconds":
        return f"{value:.2f} s"
    return f"{value:.3f}" if unit == "score" else f"{value:,.2f}"


def change(value: float | None, unit: Unit) -> str:
    """A difference, with its sign; of shares in points."""
    if value is None:
        return DASH
    sign = "+" if value > 0 else "−" if value < 0 else ""
    text = said(abs(value), unit)
    return sign + (text.removesuffix(" %") + " pt" if unit == "share" else text)


def between(figure: Mapping[str, Any], unit: Unit, changes: bool = False) -> str:
    """The 95 % interval of a figure; empty where there is none."""
    if figure["low"] is None or figure["high"] is None:
        return ""
    word = change if changes else said
    low, high = word(figure["low"], unit), word(figure["high"], unit)
    short = low.removesuffix(" %").removesuffix(" pt").removesuffix(" s")
    return f"{short} to {high}"

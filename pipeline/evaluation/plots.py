"""Small pictures as inline SVG: risk over coverage, reliability, one difference with its interval.

Colours are the page's own (classes and variables of report.css), so that light and dark agree.
Numbers come in, nothing of the user's text does. Not here: the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

WIDE, HIGH = 380, 290
LEFT, RIGHT, TOP, BOTTOM = 54, 12, 14, 42
MOST = 240  # points of a curve that are drawn
Points = Sequence[tuple[float, float]]


class Frame:
    """Axes from 0 to 1 and from 0 to `top`; gives places in the picture."""

    def __init__(self, top: float = 1.0) -> None:
        self.top = top

    def x(self, value: float) -> float:
        return round(LEFT + value * (WIDE - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        return round(HIGH - BOTTOM - min(value, self.top) / self.top * (HIGH - TOP - BOTTOM), 1)

    def path(self, points: Points) -> str:
        return "M" + "L".join(f"{self.x(a)},{self.y(b)}" for a, b in points)

    def axes(self, across: str, up: str) -> str:
        """Grid, numbers in per cent, and what the axes are."""
        parts = []
        for step in range(6):
            at, mark = step / 5, self.top * step / 5
            y, x = self.y(mark), self.x(at)
            parts.append(f'<path class="grid" d="M{LEFT},{y}H{WIDE - RIGHT}"/>')
            parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{_pct(mark)}</text>')
            parts.append(
                f'<text x="{x}" y="{HIGH - BOTTOM + 17}" text-anchor="middle">{_pct(at)}</text>'
            )
        middle = (LEFT + WIDE - RIGHT) / 2
        height = (TOP + HIGH - BOTTOM) / 2
        parts.append(
            f'<text class="name" x="{middle}" y="{HIGH - 6}" text-anchor="middle">{across}</text>'
            f'<text class="name" transform="translate(10,{height}) rotate(-90)" '
            f'text-anchor="middle">{up}</text>'
        )
        return "".join(parts)


def risk_plot(curve: Mapping[str, Any], other: Mapping[str, Any] | None = None) -> str:
    """Share wrong over share answered, the perfect and the random order, and where it stands."""
    points = _thinned(list(zip(curve["coverage"], curve["risk"], strict=True)))
    theirs = _thinned(list(zip(other["coverage"], other["risk"], strict=True))) if other else []
    highest = max(risk for _, risk in [*points, *theirs, (0.0, curve["chance"])])
    frame = Frame(_ceiling(highest))
    right = 1 - curve["chance"]
    ideal = [(0.0, 0.0), (right, 0.0)] + [
        (at, 1 - right / at) for n in range(1, 31) if (at := right + (1 - right) * n / 30) > 0
    ]
    across, base = points[-1][0], frame.y(0)
    area = f"{frame.path(points)}L{frame.x(across)},{base}L{frame.x(points[0][0])},{base}Z"
    parts = [
        frame.axes("answered, of all questions", "wrong, of the answered"),
        f'<path class="area" d="{area}"/>',
        f'<path class="ideal" d="{frame.path(ideal)}"/>',
        f'<path class="chance" d="{frame.path([(0, curve["chance"]), (1, curve["chance"])])}"/>',
        f'<path class="other" d="{frame.path(theirs)}"/>' if theirs else "",
        f'<path class="line" d="{frame.path(points)}"/>',
        _dot(frame, curve["chosen"]),
    ]
    told = f"Risk over coverage: area {curve['area']:.3f}, by chance {curve['chance']:.3f}"
    return _svg(parts, told)


def reliability_plot(calibration: Mapping[str, Any]) -> str:
    """Share right over said support, bin by bin with its interval; bars tell how many there are."""
    frame = Frame()
    most = max(one["count"] for one in calibration["bins"])
    parts = [frame.axes("support that was said", "share that is right")]
    for one in calibration["bins"]:
        left, right = frame.x(one["low"]) + 2, frame.x(one["high"]) - 2
        top = frame.y(0.22 * one["count"] / most)
        parts.append(
            f'<rect class="bar" x="{left:.1f}" y="{top}" width="{right - left:.1f}" '
            f'height="{frame.y(0) - top:.1f}"/>'
        )
    parts.append(f'<path class="chance" d="{frame.path([(0, 0), (1, 1)])}"/>')
    means = [(one["support"], one["right"]) for one in calibration["bins"]]
    parts.append(f'<path class="line thin" d="{frame.path(means)}"/>')
    for one in calibration["bins"]:
        x = frame.x(one["support"])
        low, high = frame.y(one["right_low"]), frame.y(one["right_high"])
        parts.append(f'<path class="whisker" d="M{x},{low}V{high}"/>')
        parts.append(f'<circle class="dot" cx="{x}" cy="{frame.y(one["right"])}" r="4.5"/>')
    return _svg(parts, f"Reliability: expected calibration error {calibration['ece']:.3f}")


def whisker(low: float, value: float, high: float, most: float) -> str:
    """A difference with its interval on a scale from -most to most."""

    def at(number: float) -> float:
        return round(60 + 56 * max(-1.0, min(1.0, number / most)), 1)

    return (
        '<svg class="whisk" viewBox="0 0 120 16" aria-hidden="true">'
        '<path class="grid" d="M60,0V16"/>'
        f'<path class="whisker" d="M{at(low)},8H{at(high)}"/>'
        f'<circle class="dot" cx="{at(value)}" cy="8" r="4"/></svg>'
    )


def _dot(frame: Frame, chosen: Mapping[str, float] | None) -> str:
    if chosen is None:
        return ""
    x, y = frame.x(chosen["coverage"]), frame.y(chosen["risk"])
    side, anchor = (-9, "end") if chosen["coverage"] > 0.7 else (9, "start")
    return (
        f'<circle class="chosen" cx="{x}" cy="{y}" r="5.5"/>'
        f'<text class="said" x="{x + side}" y="{y - 9:.1f}" text-anchor="{anchor}">'
        "as answered</text>"
    )


def _svg(parts: Sequence[str], told: str) -> str:
    head = f'<svg class="plot" viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{told}">'
    return head + "".join(parts) + "</svg>"


def _pct(share: float) -> str:
    return f"{100 * share:.0f} %"


def _ceiling(highest: float) -> float:
    """The next of 10, 20, 40, 60 and 100 %, so that five steps are round numbers."""
    return next((top for top in (0.1, 0.2, 0.4, 0.6) if highest <= top * 0.98), 1.0)


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    step = max(1, -(-len(points) // MOST))
    return points if step == 1 else [*points[::step], points[-1]]

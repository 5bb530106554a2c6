"""Plots of the service's parts. Every plot has its table in RESULTS.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.figures import OURS, THEIRS, save

Results = dict[str, dict[str, Any]]  # part -> what it found


def draw(parts: dict[str, Any], folder: Path) -> None:
    """One file a plot that has something to show."""
    results = {name: part["result"] for name, part in parts.items()}
    for name, (names, plot) in PLOTS.items():
        found = {part: results[part] for part in names if part in results}
        if found:
            save(folder / f"{name}.png", plot, found)


def speed(figure: Any, results: Results) -> None:
    axes = figure.subplots()
    names = [row["recipe"] for row in results.values()]
    rows = list(results.values())
    took = axes.bar([n - 0.2 for n in range(len(rows))], [r["seconds"] for r in rows], 0.38,
                    color=OURS, label="the job")  # fmt: skip
    bound = axes.bar([n + 0.2 for n in range(len(rows))], [r["bound_seconds"] for r in rows], 0.38,
                     color=THEIRS, label="its bound (bar: 1.25 times)")  # fmt: skip
    axes.bar_label(took, fmt="%.1f", padding=2)
    axes.bar_label(bound, fmt="%.1f", padding=2)
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel("seconds (less is better)")
    axes.margins(y=0.15)
    axes.legend(fontsize=7)


def latency(figure: Any, results: Results) -> None:
    axes = figure.subplots()
    ways = results["latency"]["ways"]
    for place, key, colour in ((-0.2, "p50_ms", OURS), (0.2, "p95_ms", THEIRS)):
        values = [row[key] for row in ways.values()]
        drawn = axes.barh([n + place for n in range(len(ways))], values, 0.38, color=colour,
                          label=key[:3])  # fmt: skip
        axes.bar_label(drawn, fmt="%.3g", padding=3)
    axes.set_yticks(range(len(ways)), list(ways))
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel("milliseconds of one question (less is better)")
    axes.legend(fontsize=7)


def load(figure: Any, results: Results) -> None:
    left, right = figure.subplots(1, 2)
    workers = [row["workers"] for row in results.values()]
    speeds = [row["a_second"] for row in results.values()]
    drawn = left.bar([str(n) for n in workers], speeds, color=OURS)
    left.bar_label(drawn, fmt="%.3g", padding=2)
    left.set(xlabel="workers", ylabel="questions a second (more is better)")
    left.margins(y=0.15)
    for row in results.values():
        course = row["memory_mb"]
        right.plot([at for at, _ in course], [mb for _, mb in course],
                   label=f"{row['workers']} worker(s)", linewidth=1)  # fmt: skip
    right.set(xlabel="seconds", ylabel="resident MB of a worker", ylim=(0, None))
    right.legend(fontsize=7)


Plot = Callable[[Any, Results], None]
PLOTS: dict[str, tuple[tuple[str, ...], Plot]] = {
    "service_speed": (("speed_plain", "speed_default"), speed),
    "service_latency": (("latency",), latency),
    "service_load": (("throughput_1", "throughput_2", "throughput_4"), load),
}

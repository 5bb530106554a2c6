"""results.json to RESULTS.md and plots. Can be run again without measuring.

What each part says stands in say_speed.py and say_quality.py; plots in figures.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import figures, say_quality, say_speed

Say = Callable[[dict[str, Any]], str]
ORDER: tuple[tuple[str, str, Say], ...] = (
    ("retrieval", "Retrieval quality", say_quality.retrieval),
    ("answering", "Answers without an LLM", say_quality.answering),
    ("splitting", "Splitting", say_quality.splitting),
    ("indexing", "Indexing speed", say_speed.indexing),
    ("searching", "Search speed", say_speed.searching),
    ("scaling", "Growth", say_speed.scaling),
    ("cold", "A cold question", say_speed.cold),
)
BUSY = 0.2  # share of the cores that others kept busy, above which timings are doubtful


def render(results: Path) -> Path:
    """Write RESULTS.md and plots/ beside the results; give the report's path."""
    parts: dict[str, Any] = json.loads(results.read_text(encoding="utf-8"))
    plots = results.parent / "plots"
    plots.mkdir(exist_ok=True)
    figures.draw(parts, plots)
    blocks = [_head(parts), _bars(parts)]
    for name, title, say in ORDER:
        if name in parts:
            blocks.append(f"## {title}\n\n{say(parts[name]['result'])}\n\n{_footer(parts[name])}")
    report = results.parent / "RESULTS.md"
    report.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    print(f"wrote {report}")
    return report


def _head(parts: dict[str, Any]) -> str:
    """What this is, on what machine, how to rerun it."""
    newest = max(parts.values(), key=lambda part: part["date"])
    facts, versions = newest["machine"], newest["versions"]
    quick = sorted(name for name, part in parts.items() if part["quick"])
    lines = [
        "# What Pilotfish measures",
        "Every comparison ran side by side on one machine, in alternating rounds, each measured "
        "process fresh; ratios are medians over rounds, absolute numbers stand beside them. "
        "Data: the development tree described in its own README; held-out data was not touched. "
        "No LLM was called.",
        f"Machine: {facts['processor']}, {facts['cores']} cores, {facts['memory_gb']} GB, "
        f"{facts['system']}. Last part measured on {newest['date']}.",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
        "Rerun: `make bench`, or `python -m benchmarks` (`--quick` for small subsets, "
        "`--only NAME` "
        "for one part, `render` to write this page again without measuring).",
    ]
    if quick:
        lines.append(
            f"**Subset numbers** (`--quick`; they show that it runs, nothing more): "
            f"{', '.join(quick)}."
        )
    return "\n\n".join(lines)


def _bars(parts: dict[str, Any]) -> str:
    """Every promise with a number, and whether this run met it."""
    rows = [
        f"| {name} | {bar} | {'met' if met else '**not met**'} |"
        for name, _, _ in ORDER
        for bar, met in parts.get(name, {}).get("result", {}).get("bars", {}).items()
    ]
    return "\n".join(["## Bars", "", "| part | bar | this run |", "|---|---|---|", *rows])


def _footer(part: dict[str, Any]) -> str:
    others = part["machine"]["busy_before"]
    doubt = " **The machine was busy: timings are doubtful.**" if others > BUSY else ""
    return (
        f"*`{part['command']}`, {part['date']}, {part['seconds']:,.0f} s; "
        f"{others:.0%} of the cores were busy before.*{doubt}"
    )

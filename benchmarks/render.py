"""results.json of each suite to RESULTS.md and plots. Runs again without measuring.

What each part says stands in say_quality.py, say_judges.py, say_helpers.py, say_routing.py,
say_speed.py and say_service.py; plots in figures.py and figures_service.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import (
    figures,
    figures_service,
    say_helpers,
    say_judges,
    say_prompting,
    say_prompting_adapter,
    say_prompting_multihop,
    say_quality,
    say_routing,
    say_service,
    say_speed,
    say_structured,
)

Results = dict[str, dict[str, Any]]  # part -> what it found
Say = Callable[[Results], str]


def _one(name: str, say: Callable[[dict[str, Any]], str]) -> Say:
    return lambda results: say(results[name])


# Heading, the parts beneath it, what they say.
ORDER: tuple[tuple[str, tuple[str, ...], Say], ...] = (
    ("Retrieval quality", ("retrieval",), _one("retrieval", say_quality.retrieval)),
    ("Answers without an LLM", ("answering",), _one("answering", say_quality.answering)),
    ("Claims and their evidence", ("support",), _one("support", say_judges.support)),
    ("Claims judged by words", ("rules",), _one("rules", say_judges.rules)),
    ("Reading", ("reading",), _one("reading", say_judges.reading)),
    ("Reranking", ("reranking",), _one("reranking", say_judges.reranking)),
    ("Pruning", ("pruning",), _one("pruning", say_judges.pruning)),
    (
        "End to end without an LLM, promises kept",
        ("endtoend",),
        _one("endtoend", say_judges.endtoend),
    ),
    ("Sets that the cross-encoder never saw", ("left_out",), _one("left_out", say_judges.left_out)),
    ("Sources that disagree", ("disagreeing",), _one("disagreeing", say_judges.disagreeing)),
    ("Sampling checks", ("sampling",), _one("sampling", say_judges.sampling)),
    ("Repair", ("repair",), _one("repair", say_helpers.repair)),
    ("Guard", ("guard",), _one("guard", say_helpers.guard)),
    ("Routing and cascades", ("routing",), _one("routing", say_routing.routing)),
    ("Splitting", ("splitting",), _one("splitting", say_quality.splitting)),
    ("Indexing speed", ("indexing",), _one("indexing", say_speed.indexing)),
    ("Search speed", ("searching",), _one("searching", say_speed.searching)),
    ("Growth", ("scaling",), _one("scaling", say_speed.scaling)),
    ("A cold question", ("cold",), _one("cold", say_speed.cold)),
    ("Questions over graphs", ("graphs",), _one("graphs", say_structured.graphs)),
    ("Questions and claims over a table", ("answers",), _one("answers", say_structured.answers)),
    ("Which table", ("finding",), _one("finding", say_structured.finding)),
    ("SQL and schemas", ("databases",), _one("databases", say_structured.databases)),
    ("Tokens of a question over a table", ("prompts",), _one("prompts", say_structured.prompts)),
    ("Manuals", ("manuals",), _one("manuals", say_structured.manuals)),
    ("Large structures", ("large",), _one("large", say_structured.large)),
    ("Multi-hop questions", ("multihop",), _one("multihop", say_prompting_multihop.multihop)),
    (
        "Decomposition",
        ("decomposition",),
        _one("decomposition", say_prompting_multihop.decomposition),
    ),
    (
        "Small classifiers",
        ("classification",),
        _one("classification", say_prompting.classification),
    ),
    (
        "Demonstrations",
        ("demonstrations",),
        _one("demonstrations", say_prompting.demonstrations),
    ),
    ("The query adapter", ("adapter",), _one("adapter", say_prompting_adapter.adapter)),
    ("Questions rewritten", ("rewriting",), _one("rewriting", say_prompting_adapter.rewriting)),
    ("Compression", ("compression",), _one("compression", say_prompting.compression)),
    (
        "Tables cut in prompts",
        ("table_cutting",),
        _one("table_cutting", say_prompting.table_cutting),
    ),
    ("Multi-hop questions beside peers", ("peers",), _one("peers", say_prompting_multihop.peers)),
    ("Edges out of prose", ("prose",), _one("prose", say_structured.prose)),
    ("Sources", ("routed",), _one("routed", say_structured.routed)),
    *say_service.SECTIONS,
)
SERVICE, JUDGES = ("service", "results.json"), ("judges", "results.json")
STRUCTURED, PROMPTING = ("structured", "results.json"), ("prompting", "results.json")
NESTED = (SERVICE, JUDGES, STRUCTURED, PROMPTING)
BUSY = 0.2  # share of the cores that others kept busy, above which timings are doubtful


def render(results: Path) -> Path:
    """Write RESULTS.md and plots/ beside the results; give the report's path."""
    parts, service = _read(results), _read(results.parent.joinpath(*SERVICE))
    parts |= _read(results.parent.joinpath(*JUDGES))
    parts |= _read(results.parent.joinpath(*STRUCTURED))
    parts |= _read(results.parent.joinpath(*PROMPTING))
    plots = results.parent / "plots"
    plots.mkdir(exist_ok=True)
    figures.draw(parts, plots)
    figures_service.draw(service, plots)
    every = parts | service
    blocks = [_head(parts, service), _bars(every)]
    for title, names, say in ORDER:
        found = {name: every[name] for name in names if name in every}
        if found:
            said = say({name: part["result"] for name, part in found.items()})
            blocks += [f"## {title}", said, *map(_footer, found.values())]
    report = results.parent / "RESULTS.md"
    report.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    print(f"wrote {report}")
    return report


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _head(parts: dict[str, Any], service: dict[str, Any]) -> str:
    """What this is, on what machine, how to rerun it."""
    every = parts | service
    newest = _newest(every)
    facts, quick = newest["machine"], sorted(n for n, part in every.items() if part["quick"])
    lines = [
        "# What Pilotfish measures",
        "Every comparison ran side by side on one machine, in alternating rounds, each measured "
        "process fresh; ratios are medians over rounds, absolute numbers stand beside them. "
        "Data: the development tree described in its own README; held-out data was not touched. "
        "No hosted LLM was called: where one is needed, a local server plays it over the wire.",
        f"Machine: {facts['processor']}, {facts['cores']} cores, {facts['memory_gb']} GB, "
        f"{facts['system']}. Last part measured on {newest['date']}.",
        *(f"{title}: {_versions(_newest(some))}."
          for title, some in (("Versions", parts), ("Versions, service", service)) if some),
        "Rerun: `make bench` and `make bench-service`, or `python -m benchmarks` and "
        "`python -m benchmarks.service` (`--quick` for small subsets, `--only NAME` for one part, "
        "`render` to write this page again without measuring).",
    ]  # fmt: skip
    if quick:
        lines.append(
            f"**Subset numbers** (`--quick`; they show that it runs, nothing more): "
            f"{', '.join(quick)}."
        )
    return "\n\n".join(lines)


def _newest(parts: dict[str, Any]) -> dict[str, Any]:
    return max(parts.values(), key=lambda part: str(part["date"]))


def _versions(part: dict[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in part["versions"].items())


def _bars(parts: dict[str, Any]) -> str:
    """Every promise with a number, and whether this run met it."""
    rows = [
        f"| {name} | {bar} | {'met' if met else '**not met**'} |"
        for _, names, _ in ORDER
        for name in names
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

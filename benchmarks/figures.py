"""Plots of the results, as small PNG files. Every plot has its table in RESULTS.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

OURS, THEIRS = "#1f6f8b", "#b8b8b8"
SHADES = {"bm25": "#9ccde0", "dense": "#4a9ab5", "fused": "#12404f"}
Draw = Callable[[Any, dict[str, Any]], None]


def draw(parts: dict[str, Any], folder: Path) -> None:
    """One file a part that was measured."""
    import matplotlib

    matplotlib.use("Agg")
    for name, plot in PLOTS.items():
        if name in parts:
            save(folder / f"{name}.png", plot, parts[name]["result"])


def save(path: Path, plot: Draw, result: dict[str, Any]) -> None:
    """Draw one plot into a file."""
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=(7.2, 3.6), layout="constrained")
    plot(figure, result)
    figure.savefig(path, dpi=90, metadata={"Software": None})
    pyplot.close(figure)


def _bars(axes: Any, names: Sequence[str], values: Sequence[float], unit: str) -> None:
    """Horizontal bars, ours in colour, each with its number."""
    own = [OURS if name.startswith("Pilotfish") else THEIRS for name in names]
    drawn = axes.barh(range(len(names)), values, color=own)
    axes.bar_label(drawn, fmt="%.3g", padding=3)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel(unit)


def retrieval(figure: Any, result: dict[str, Any]) -> None:
    axes = figure.subplots()
    sets, systems = list(result["sets"]), list(result["average"])
    wide = 0.8 / len(systems)
    greys = ["#cfcfcf", "#b0b0b0", "#909090", "#707070"]
    for number, system in enumerate(systems):
        values = [result["sets"][name]["systems"][system]["ndcg@10"] for name in sets]
        places = [place + number * wide for place in range(len(sets))]
        colour = SHADES.get(system) or greys[number % len(greys)]
        axes.bar(places, values, wide, label=system, color=colour)
    axes.set_xticks([place + 0.4 - wide / 2 for place in range(len(sets))], sets)
    axes.set_ylabel("nDCG@10 (higher is better)")
    axes.legend(fontsize=7, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.08))


def indexing(figure: Any, result: dict[str, Any]) -> None:
    found = result["median"]
    _bars(figure.subplots(), list(found), list(found.values()), "documents/s (more is better)")


def searching(figure: Any, result: dict[str, Any]) -> None:
    found = {name: row["p50_ms"] for name, row in result["systems"].items()}
    _bars(
        figure.subplots(), list(found), list(found.values()), "p50, milliseconds (less is better)"
    )


def scaling(figure: Any, result: dict[str, Any]) -> None:
    left, right = figure.subplots(1, 2)
    sizes = [int(size) for size in result["sizes"]]
    for name, colour in SHADES.items():
        for mark, key in (("-o", "p50_ms"), (":", "p95_ms")):
            values = [row["search"][name][key] for row in result["sizes"].values()]
            left.plot(sizes, values, mark, color=colour, label=f"{name} {key[:3]}", markersize=3)
    left.set(xscale="log", xlabel="passages", ylabel="milliseconds", ylim=(0, None))
    left.legend(fontsize=7)
    for kind, found in result["lists"].items():
        shares = [float(share) for share in found["sweep"]]
        recalls = [row["recall@10"] for row in found["sweep"].values()]
        label = f"{found['vectors']:,} {kind}"
        right.plot(shares, recalls, "-o", label=label, markersize=3)
        right.plot(found["share"], found["shipped"]["recall@10"], "k*", markersize=8)
    right.axhline(0.98, color="grey", linewidth=0.7)
    right.set(xlabel="share of lists read (star: shipped)", ylabel="recall@10 against exact")
    right.legend(fontsize=7)


def cold(figure: Any, result: dict[str, Any]) -> None:
    left, right = figure.subplots(1, 2)
    for axes, key, unit in ((left, "seconds", "seconds"), (right, "peak_mb", "peak memory, MB")):
        found = {name: row[key]["median"] for name, row in result["systems"].items()}
        _bars(axes, list(found), list(found.values()), f"{unit} (less is better)")


def answering(figure: Any, result: dict[str, Any]) -> None:
    axes = figure.subplots()
    rows = result["risk_coverage"]
    coverage = [row["coverage"] for row in rows.values()]
    risk = [row["risk"] for row in rows.values()]
    axes.plot(coverage, risk, "-o", color=OURS, markersize=3)
    for threshold, x, y in zip(rows, coverage, risk, strict=True):
        axes.annotate(threshold, (x, y), textcoords="offset points", xytext=(3, 5), fontsize=7)
    axes.set(xlabel="coverage: share of questions answered", ylim=(0, 1), xlim=(0, 1.05))
    axes.set_ylabel("risk: share wrong among answered")


def routing(figure: Any, result: dict[str, Any]) -> None:
    """Held-out accuracy over mean cost, of what would ship and of the plain ones."""
    every = figure.subplots(1, len(result["cascades"]))
    looks = {"chosen": ("-o", OURS), "frugal": ("--", "#9ccde0"), "automix": (":", "#707070"),
             "mix": ("-", THEIRS)}  # fmt: skip
    for axes, (name, found) in zip(every, result["cascades"].items(), strict=True):
        for kind, (mark, colour) in looks.items():
            points = sorted(point[kind] for point in found["curve"].values() if kind in point)
            axes.plot(*zip(*points, strict=True), mark, color=colour, label=kind)
        for system in found["systems"].values():
            axes.plot(system["mean_cost"], system["accuracy"], "k^", markersize=4)
        axes.set_xscale("log")
        axes.set_xlabel(f"dollars a question, {name}")
        axes.set_ylabel("share right")
    every[0].legend(fontsize=7)


PLOTS: dict[str, Draw] = {
    "retrieval": retrieval, "indexing": indexing, "searching": searching,
    "scaling": scaling, "cold": cold, "answering": answering, "routing": routing,
}  # fmt: skip

"""Prose and tables of the routing part. Not here: measuring (routing.py), plots (figures.py)."""

from __future__ import annotations

from typing import Any

from benchmarks.say_quality import plot, table


def routing(result: dict[str, Any]) -> str:
    blocks = [
        "Recorded answers of routing/*, no system was called. Every number is of held-out folds: "
        "MMLU by subject, so that its test subjects are unseen; the others by question. APGR is "
        "RouteLLM's: the area between the weak system's accuracy and the router's over the share "
        "of strong calls, divided by that of the strong one; random is 0.5. Intervals are 95 % "
        "bootstrap, by row and, wider, by subject.",
    ]
    blocks += [_pair(name, found) for name, found in result["pairs"].items()]
    blocks += [
        "Cascades: cost at equal accuracy. Costs are tokens x the price list of the time "
        "(`benchmarks/costs.py`); each system that is called on the way is paid. The cheapest of "
        "the budgets tried at which a kind of rule was at least as right as the strongest system "
        "on held-out folds (which flatters all of them alike); `chosen` is what `tune cascade` "
        "would ship. frugal: FrugalGPT's thresholds; automix: one or two thresholds or a table on "
        "the lexical verifier; weighed: ours.",
        plot("routing", "share right against dollars a question"),
    ]
    blocks += [_cascade(name, found) for name, found in result["cascades"].items()]
    return "\n\n".join(blocks)


def _pair(name: str, found: dict[str, Any]) -> str:
    rows = [[router, row["apgr"], _span(row["by row"]), _span(row.get("by subject"))]
            for router, row in found["apgr"].items()]  # fmt: skip
    said = f", {found['subjects']} subjects" if found["subjects"] else ""
    return (
        f"{name}: {found['rows']:,} questions{said}; weak {found['weak']}, strong "
        f"{found['strong']}; an oracle has APGR {found['oracle']}.\n\n"
        + table(["router", "APGR", "by row", "by subject"], rows)
    )


def _span(pair: list[float] | None) -> str:
    return f"{pair[0]:.3f} to {pair[1]:.3f}" if pair else "-"


def _cascade(name: str, found: dict[str, Any]) -> str:
    systems = ", ".join(f"{system} {row['accuracy']} for ${row['mean_cost']:.4g}"
                        for system, row in found["systems"].items())  # fmt: skip
    rows = [
        [kind, *((row["rule"], row["accuracy"], f"{row['of_strongest']:.1%}") if row else
                 ("never as right", "-", "-"))]
        for kind, row in found["equal"].items()
    ]  # fmt: skip
    return f"{name}: {found['rows']:,} questions; {systems}.\n\n" + table(
        ["kind", "rule", "share right", f"cost of {found['strongest']}'s"], rows
    )

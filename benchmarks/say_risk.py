"""Prose and tables of what promises are worth. Not here: measuring (risk.py)."""

from __future__ import annotations

from typing import Any

from benchmarks.say_quality import table


def risk(result: dict[str, Any]) -> str:
    promises = result["promises"]
    columns = list(next(iter(next(iter(promises.values())).values())))
    rows = [
        [f"{float(error):.0%}", rule, *(row[c] for c in columns)]
        for error, rules in promises.items() for rule, row in rules.items()
    ]  # fmt: skip
    shifts = [
        [name, f"{float(error):.0%}", row["coverage"], row["wrong of answered"]]
        for name, by in result["shift"].items() for error, row in by.items()
    ]  # fmt: skip
    measures = [[name, *row.values()] for name, row in result["calibration"].items()]
    return "\n\n".join([
        f"{result['answered']:,} answers to {result['questions']:,} questions "
        f"({', '.join(f'{n:,} of {name}' for name, n in result['sets'].items())}), "
        f"{result['right']:.0%} of them right whatever their support. Halved 20 times by source "
        "document: one half is labelled and promises, the other is asked. Coverage is the share of "
        "all questions that is answered under the promise; broken, the share of resplits in which "
        "more of the answers was wrong than promised (a finite half strays around its true rate); "
        "no bound: the lowest threshold at which the labels themselves show few enough errors.",
        table(["promise", "rule", *columns], rows),
        "After a shift, labelled on one set and asked on the other. Nothing promises this:",
        table(["labels", "promise", "coverage", "wrong of answered"], shifts),
        "What support says on the halves that were not labelled:",
        table(["support", "Brier score", "calibration error"], measures),
    ])  # fmt: skip

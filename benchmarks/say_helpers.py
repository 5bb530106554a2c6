"""Prose and tables of repair and guard. Not here: measuring (repair.py, guard.py)."""

from __future__ import annotations

from typing import Any

from benchmarks.say_quality import table

_REPAIRED = ("n", "caught", "mended", "left", "harmed", "reworded", "beside harmed")
_RATES = ("recall at 0.01", "recall at 0.001")


def repair(result: dict[str, Any]) -> str:
    rows = [
        [judge, repairer, kind, *(row.get(column, "-") for column in _REPAIRED)]
        for judge, repairers in result["judges"].items()
        for repairer, kinds in repairers.items()
        for kind, row in kinds.items()
        if repairer == "rewrite" or judge == "pilot"
    ]
    return "\n\n".join([
        "Answers of two sentences over held-out documents, one of them altered by rule in one "
        "number, date, name, negation or antonym, or left right. caught: gone, mended, or without "
        "a citation; mended: the truth stands there again; left: still there as it was; beside "
        "harmed: the right sentence beside it was changed. right, wice and right, fever_symmetric: "
        "claims that people wrote and found supported; harmed: dropped or changed by more than a "
        "softened word.",
        table(["judge", "repairer", "what", *_REPAIRED], rows),
        f"Right sentences of answers that rewrite harms: {result['right sentences harmed']:.1%}.",
    ])  # fmt: skip


def guard(result: dict[str, Any]) -> str:
    orders = [[name, *(row[rate] for rate in _RATES)] for name, row in result["orders"].items()]
    families = [
        [name, family, *(row[rate] for rate in _RATES)]
        for name, found in result["orders, family left out"].items()
        for family, row in found.items()
    ]
    blocked = [
        [name, row["texts"], row["texts hit"], row["sentences"], row["above"], row["share"]]
        for name, row in result["over-blocking"].items()
    ]
    shipped, toxic = result["orders, as shipped"], result["toxicity"]
    return "\n\n".join([
        "Attacks of BIPIA put into its benign contexts, judged by a model that was trained without "
        "their type (a fifth of the types at a time). The threshold is where that share of the "
        "sentences of benign contexts, without attack, lies above it; an attack is found when a "
        "sentence that holds part of it does. attacks only: without our own templates, questions "
        "and commands.",
        table(["judge", *_RATES], orders),
        "The harder question, with every type alike left out too:",
        table(["judge", "family left out", *_RATES], families),
        f"As shipped, at its own threshold, knowing these types: {shipped['recall']:.1%} found. "
        "What it holds of benign texts:",
        table(["texts", "of them", "texts hit", "sentences", "above", "share"], blocked),
        "Personal data in guard/pii, by type; a span counts when both ends are within a character:",
        table(["type", "there", "said", "precision", "recall"],
              [[kind, *row.values()] for kind, row in result["personal data"].items()]),
        f"Toxicity, {toxic['n']:,} tweets that were not trained on, {toxic['toxic']:,} of them "
        "hateful or offensive:",
        table(["judge", "AUROC", "precision", "recall"],
              [[name, *toxic[name].values()] for name in ("model", "word list")]),
    ])  # fmt: skip

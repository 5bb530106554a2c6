"""Prose and tables of classifiers and demonstrations. Not here: measuring (prompting/)."""

from __future__ import annotations

from typing import Any

from benchmarks.say_quality import table
from prompters.demonstrations.pool import HOWS


def classification(result: dict[str, Any]) -> str:
    columns = ("accuracy", "macro F1", "kept", "above the folds' confidence", "right of those",
               "calibration error", "words", "vectors", "adapted", "commonest label",
               "seconds to train", "ms a text")  # fmt: skip
    rows = [[name, one["train"], one["test"], one["view"], *(one[c] for c in columns)]
            for name, one in result["sets"].items()]  # fmt: skip
    return "\n\n".join([
        "Texts that were not trained on. kept: the largest share, surest first, of which 98 % are "
        "right: so many an LLM need not see. above the folds' confidence: the share that is kept "
        "by the confidence at which 98 % of the training folds were right, and how many of those "
        "are right here. words, vectors: the same logistic over one of the two alone; adapted: "
        "over both, after a SetFit-style adapter of the vectors, which is not shipped. trec and "
        "headlines have no test part here: every fifth text is one.",
        table(["set", "train", "test", "view", *columns], rows),
    ])  # fmt: skip


def demonstrations(result: dict[str, Any]) -> str:
    rows = [[name, k, *(one[f"{how} {k}"] for how in HOWS), one["gate"],
             "yes" if one[f"tuned beats dense at {k}"] else "no", one["plug-in classifier"]]
            for name, one in result["sets"].items() for k in (4, 8)]  # fmt: skip
    return "\n\n".join([
        "Accuracy of the in-context reader, a kernel vote over the K demonstrations of the prompt, "
        "which stands for a frozen LLM. The pool is part of the training set; adapter and gate saw "
        "nothing else. significant: tuned above dense by a paired sign test at 5 %.",
        table(["set", "K", *HOWS, "gate", "significant", "plug-in classifier"], rows),
    ])  # fmt: skip


def compression(result: dict[str, Any]) -> str:
    rows = [[share, way, one["kept"], one["tokens"]]
            for share, ways in result["ways"].items() for way, one in ways.items()]  # fmt: skip
    return "\n\n".join([
        f"{result['questions']} held-out questions whose answer is in the ten retrieved passages. "
        "ours: sentences by the pilot's readings, weights cross-fitted; tokens: rare words kept "
        "one by one, an answer counts when its words still stand side by side; whole: the first "
        "passages that fit, and so fewer tokens than allowed. At half of the tokens whole passages "
        "keep as much.",
        table(["budget", "way", "answers kept", "tokens kept"], rows),
    ])  # fmt: skip


def table_cutting(result: dict[str, Any]) -> str:
    rows = [[kind, one["count"], way, one[way]["kept"], one[way]["tokens"]]
            for kind, one in result["kinds"].items() for way in ("ours", "first")]  # fmt: skip
    return "\n\n".join([
        "Questions of wtq_dev whose answer is one cell. row: rows that hold it and are wider than "
        "stays; block: whole tables of more rows than stay. first: the first cells or rows. A "
        "prompt cuts only where its passages do not fit.",
        table(["kind", "count", "way", "answers kept", "tokens kept"], rows),
    ])  # fmt: skip

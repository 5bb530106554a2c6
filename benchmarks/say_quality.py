"""Prose and tables of the quality parts. Not here: measuring, plots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; the first column left, the others right."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def plot(name: str, what: str) -> str:
    return f"![{what}](plots/{name}.png)"


def retrieval(result: dict[str, Any]) -> str:
    sizes = "; ".join(
        f"{name}: {row['documents']:,} documents, {row['passages']:,} passages, "
        f"{row['queries']:,} queries"
        for name, row in result["sets"].items()
    )
    return "\n\n".join([
        "bm25, dense and fused are the product's own search, through its steps; a document counts "
        "by its best passage. bm25s (Lucene's variant, k1 1.2, b 0.75) reads the same tokens, "
        f"of the same passages and of whole documents. {sizes}.",
        _encoders(result),
        plot("retrieval", "nDCG@10 by set and system"), *_scores(result), _apart(result),
        "Fused minus the better single retriever, paired bootstrap over queries (10,000 draws; for "
        "the average, queries are drawn within each set):", _gains(result),
        "Caveats: grades are binary; these are development sets, and design choices were made on "
        "them; 2wiki's pool is made of its questions' own contexts and easier than Wikipedia.",
    ])  # fmt: skip


def _scores(result: dict[str, Any]) -> tuple[str, str]:
    """nDCG and recall of every system on every set."""
    sets, average = result["sets"], result["average"]
    ndcg = [
        [s, *(row["systems"][s]["ndcg@10"] for row in sets.values()), average[s]] for s in average
    ]
    recalls = [
        [s, *(row["systems"][s][f"recall@{k}"] for row in sets.values() for k in (10, 100))]
        for s in average
    ]
    head = ["recall", *(f"{name} @{k}" for name in sets for k in (10, 100))]
    return table(["nDCG@10", *sets, "average"], ndcg), table(head, recalls)


def _encoders(result: dict[str, Any]) -> str:
    """Our vectors beside torch's, on the documents that torch had time for."""
    rows = [
        [name, *(row["encoders"][k] for k in ("documents", "passages", "ours", "torch fp32"))]
        for name, row in result["sets"].items()
    ]
    return (
        "The served encoder beside sentence-transformers in fp32 on torch, both by exact cosine, "
        "nDCG@10 (of a large set, the judged documents and others in order):\n\n"
        + table(["set", "documents", "passages", "ours", "torch fp32"], rows)
    )


def _apart(result: dict[str, Any]) -> str:
    rows = [[what, *values.values()] for what, values in result["apart"].items()]
    return table(["difference in nDCG@10", *result["sets"]], rows)


def _gains(result: dict[str, Any]) -> str:
    found = result["fused_against_best_single"]
    rows = [[n, r["against"], r["difference"], r["low"], r["high"]] for n, r in found.items()]
    return table(["fused on", "against", "difference", "95 % from", "to"], rows)


def answering(result: dict[str, Any]) -> str:
    present, removed = result["gold_present"], result["gold_removed"]
    rows = [[key, present[key], removed[key]] for key in present]
    columns = ("coverage", "risk", "answered of removed")
    risks = [[t, *(row[c] for c in columns)] for t, row in result["risk_coverage"].items()]
    speed = result["seconds_per_question"]
    return "\n\n".join([
        f"Questions of nq_oracle and xquad over one collection of {result['documents']:,} "
        "contexts, "
        "through the default recipe without an LLM: the best sentence, judged and cited, or an "
        "abstention. A fifth of the contexts was left out; on their questions abstaining is right "
        "(an answer may still occur in another passage, and then counts as right). Right "
        "means that "
        f"a gold answer occurs in the answer. p50 {speed['p50_ms']:,.0f} ms, p95 "
        f"{speed['p95_ms']:,.0f} ms a question; {result['citations']:,} citations were re-read.",
        table(["share", "gold passage present", "gold passage removed"], rows),
        plot("answering", "risk against coverage"),
        f"Had the threshold been another (shipped: {result['threshold']}); support is judged "
        "the same:",
        table(["threshold", *columns], risks),
    ])  # fmt: skip


def splitting(result: dict[str, Any]) -> str:
    splitters = result["splitters"]
    columns = list(next(iter(splitters.values())))
    rows = [[name, *(row[c] for c in columns)] for name, row in splitters.items()]
    return "\n\n".join([
        f"SciFact's {result['documents']:,} abstracts. Sizes are in the encoder's own tokens; for "
        "LlamaIndex's splitter the room is the encoder's limit less the median title. Too "
        "long: share "
        "of passages that the encoder would cut, with their title. Exact offsets: share "
        "whose stated "
        "place holds exactly their text. BM25 is bm25s on the same tokens for all.",
        table(["splitter", *columns], rows),
    ])  # fmt: skip

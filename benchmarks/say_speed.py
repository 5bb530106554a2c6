"""Prose and tables of the speed parts. Not here: measuring, plots."""

from __future__ import annotations

from typing import Any

from benchmarks.say_quality import plot, table


def indexing(result: dict[str, Any]) -> str:
    rows = [
        [name, result["median"][name], ", ".join(map(str, speeds)), result["ratio"].get(name, "")]
        for name, speeds in result["documents_per_second"].items()
    ]
    whole = result["whole"]
    first, again = whole["first"], whole["again"]
    return "\n\n".join([
        f"`add` of {result['documents']:,} SciFact abstracts ({result['passages']:,} "
        "passages), end to "
        "end: parsing in its sandbox, splitting, storing, encoding, both indexes on disk. "
        "LlamaIndex "
        "is handed the ready passages and fills an in-memory vector index with the same "
        "weights, so "
        "it neither parses, splits, stores nor builds a lexical index. Models are loaded "
        "before the "
        "clock starts. Fresh process each time, rounds alternating.",
        plot("indexing", "documents per second"),
        table(["system", "documents/s, median", "rounds", "times faster (ours)"], rows),
        f"The whole set once: {first['documents']:,} documents, {first['passages']:,} passages in "
        f"{first['seconds']:,.1f} s ({whole['documents_per_second']:g} documents/s, peak "
        f"{first['peak_mb']:,.0f} MB). Added again unchanged: {again['seconds']:.2f} s, "
        f"{again['encode_calls']} calls of the encoder, {again['embedded']} passages embedded.",
    ])  # fmt: skip


def searching(result: dict[str, Any]) -> str:
    rows = [
        [name, row["p50_ms"], row["p95_ms"], result["ratio"].get(name, ""), row["same_top_10"]]
        for name, row in result["systems"].items()
    ]
    memory = ", ".join(f"{name} {value:,.0f} MB" for name, value in result["peak_mb"].items())
    return "\n\n".join([
        f"Fused search for the best 10 of {result['passages']:,} SciFact passages, "
        f"{result['queries']} "
        f"queries in each of {result['rounds']} rounds, one client, warm, the question's encoding "
        "included. Every store holds the same passages and vectors; the peers encode the question "
        "with the same weights on torch. Depth: how many passages each retriever hands to the "
        "fusion (ours: 100). One computing thread unless it says default; 'times slower' compares "
        "like with like, and the bar takes the lesser of both settings at equal depth. On a busy "
        "machine torch's threads wait for each other. Haystack scans, and gets 20 queries only.",
        plot("searching", "p50 of one search"),
        table(["system", "p50 ms", "p95 ms", "times slower than ours", "same top 10"], rows),
        f"Peak memory of the measured process: {memory}. 'Same top 10' is the mean share of our "
        "ten passages that the peer returned too; their tokenisers and BM25 variants differ.",
    ])  # fmt: skip


def scaling(result: dict[str, Any]) -> str:
    both = [(n, p) for n in ("bm25", "dense", "fused") for p in ("p50", "p95")]
    rows = [
        [int(size), *(row["search"][n][f"{p}_ms"] for n, p in both),
         row["peak_mb"], row["build"]["index_mb"], row["build"]["database_mb"], row["open_seconds"]]
        for size, row in result["sizes"].items()
    ]  # fmt: skip
    head = ["passages", *(f"{n} {p} ms" for n, p in both),
            "peak MB", "index MB", "database MB", "first search s"]  # fmt: skip
    growth = ", ".join(
        f"{name} {next(iter(row.values())):g}" for name, row in result["growth"].items()
    )
    return "\n\n".join([
        "Generated passages of 90 words drawn with SciFact's word frequencies, vectors drawn in "
        "clusters; real questions, their encoding included. Peak: the searching process, fresh.",
        plot("scaling", "latency by size; recall of inverted lists by latency"),
        table(head, rows),
        f"From the smallest to the largest, times: {growth}.",
        *(_lists(kind, found) for kind, found in result["lists"].items()),
        "Real vectors are SciFact's and 2wiki's passages, as they are and fewer; inverted lists "
        "were forced on them to see their recall on true neighbourhoods. Repeated ones are the "
        "same with copies under noise (cosine to the original about 0.9), so near twins compete; "
        "that is easier for inverted lists than as many distinct passages would be. The "
        "questions are SciFact's.",
    ])  # fmt: skip


def _lists(kind: str, found: dict[str, Any]) -> str:
    exact = ", ".join(f"{int(n):,}: {row['p50_ms']:g} ms" for n, row in found["exact"].items())
    least = found["least_share"]
    rows = [
        [share, row["p50_ms"], row["p95_ms"], row["recall@10"]]
        for share, row in found["sweep"].items()
    ]
    return "\n\n".join([
        f"**{found['vectors']:,} {kind} vectors**, {found['lists']:,} inverted lists, built in "
        f"{found['build_seconds']:,.0f} s. Exact scan, p50 by size: {exact}; encoding one "
        "question: "
        f"{found['encode_query']['p50_ms']:g} ms. Shipped share of lists read: {found['share']}, "
        f"recall@10 {found['shipped']['recall@10']:.3f}; the least share tried that reaches 0.98: "
        f"{least if least is not None else 'none'}.",
        table(["share read", "p50 ms", "p95 ms", "recall@10"], rows),
    ])  # fmt: skip


def cold(result: dict[str, Any]) -> str:
    rows = [
        [name, row["seconds"]["median"], ", ".join(map(str, row["seconds"]["all"])),
         row["peak_mb"]["median"]]
        for name, row in result["systems"].items()
    ]  # fmt: skip
    ratio = result["ratio"]
    return "\n\n".join([
        f"`pilotfish ask` without an LLM over {result['passages']:,} SciFact passages, "
        "process started "
        f"cold, {result['rounds']} runs each, alternating. LlamaIndex loads its persisted "
        "index and "
        "BM25 retriever, fuses and prints the best passage; ours also extracts, judges and cites. "
        "The disk's cache is warm for both.",
        plot("cold", "seconds and peak memory of a cold question"),
        table(["system", "seconds, median", "runs", "peak MB, median"], rows),
        f"LlamaIndex takes {ratio['seconds']:g} times as long and {ratio['peak_mb']:g} times "
        "the memory.",
    ])  # fmt: skip

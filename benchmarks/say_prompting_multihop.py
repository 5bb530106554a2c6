"""Prose and tables of multi-hop questions and their decomposition. Not here: measuring."""

from __future__ import annotations

from typing import Any

from benchmarks.say_quality import table

WAYS = ("fused", "single", "multihop")


def multihop(result: dict[str, Any]) -> str:
    rows = []
    for name, found in (*result["recall"].items(), ("single-hop questions", result["single"])):
        for way in WAYS:
            own = found[way]
            if own["count"]:
                rows.append([name, way, own["count"], own["5"], own["10"], own["ms"]])
    answers = [[recipe, own["count"], own["f1"], own["exact"], own["given"], own["f1 of the given"]]
               for recipe, own in result["answers"].items()]  # fmt: skip
    return "\n\n".join([
        "2Wiki's corpus and the passages of Natural Questions in one collection. Share of "
        "questions all of whose gold documents stand among the first 5 and 10; ms a question. "
        "fused: BM25 and vectors; single: that, reranked; multihop: hop after hop, as "
        "default does. held out: no weight of decomposition was fitted to these. The "
        "cross-encoder that reads the hops has "
        "seen most of 2Wiki in training; questions that it has not seen stand apart.",
        table(["questions", "retrieval", "count", "at 5", "at 10", "ms"], rows),
        "Answers without an LLM to held-out questions: token F1 and exactness of whatever is "
        "thought of, the share that is given at the usual bar (support 0.5), F1 of those. Every "
        "answer cites the sentences of its last hop, a comparison those of both.",
        table(["recipe", "count", "F1", "exact", "given", "F1 of the given"], answers),
    ])  # fmt: skip


def decomposition(result: dict[str, Any]) -> str:
    rows = [
        [name, way, own["count"], own["overlap"], own["hops right"], own["ms"]]
        for name, ways in result["sets"].items()
        for way, own in ways.items()
    ]
    alone = result["single questions"]["left alone"]
    forms = ", ".join(f"{form} {share:.2f}" for form, share in result["forms"].items())
    return "\n\n".join([
        "Sub-questions against gold ones (silver in 2Wiki), on questions that no weight was "
        "fitted to: token F1 under the best one-to-one alignment, what is left over counting 0; "
        "share with the right number of sub-questions. Gold ones of 2Wiki have a name where "
        "ours have #1. rules: the baseline of patterns; whole: the question itself.",
        table(["set", "way", "count", "overlap", "hops right", "ms"], rows),
        f"Of {result['single questions']['count']} questions of Natural Questions "
        f"{alone['fitted']:.3f} are left alone (rules {alone['rules']:.3f}). Forms of 2Wiki told "
        f"right: {forms}.",
    ])  # fmt: skip


def peers(result: dict[str, Any]) -> str:
    keys = ("calls", "tokens", "written", "seconds", "median", "f1", "said")
    rows = [[name, *(one[key] for key in keys)] for name, one in result["systems"].items()]
    return "\n\n".join([
        f"{result['questions']} 2Wiki questions that nothing was fitted to, means a question. All "
        "speak to one test LLM over the wire, where calls and tokens are counted; it takes "
        f"{result['latency']:g} s a call, gives the gold hops when asked to decompose, and the "
        "bare gold answer where its prompt holds what every hop needs. tokens: sent; written: the "
        "LLM's replies; said: answers given. The peers give what the LLM says; ours withholds "
        "what it cannot carry, which is why a bare answer without hops is hardly ever given.",
        table(["system", "calls", "tokens", "written", "s", "s, median", "F1", "said"], rows),
    ])  # fmt: skip

"""Prose and tables of the query adapter and of rewritten questions. Not here: measuring."""

from __future__ import annotations

from typing import Any

from benchmarks.say_quality import table


def adapter(result: dict[str, Any]) -> str:
    rows = []
    for name, found in result["sets"].items():
        for way in ("labelled", "made"):
            own = found[way]
            rows.append([
                name, way, own["pairs"], own["how"] if own["kept"] else "not kept",
                *(f"{found['plain'][r]} → {own['ndcg@10'][r]}" for r in ("dense", "fused")),
                _gain(own["gain"]["dense"]), _gain(own["documents without pairs"].get("dense")),
            ])  # fmt: skip
    return "\n\n".join([
        "A matrix for questions' vectors, fitted by `pilotfish tune search` to half of a set's "
        "questions (labelled) or to pairs made from its titles and sentences (made), and asked the "
        "other half: nDCG@10. It is kept only where pairs held back within the first half say so "
        "(paired bootstrap, 95 %). Questions of the other half are often about documents that had "
        "a pair; those about documents without one stand in the last column. On SciFact the "
        "adapter has learned the documents of its pairs, not the field: dense search loses on the "
        "others.",
        table(["set", "pairs", "count", "adapter", "dense", "fused", "gain, dense",
               "gain, documents without pairs"], rows),
    ])  # fmt: skip


def rewriting(result: dict[str, Any]) -> str:
    found = {f"{name}, {kind}": own for name, kinds in result["sets"].items()
             for kind, own in kinds.items()}  # fmt: skip
    found["2wiki, follow-up questions"] = result["turns"]
    rows = [
        [name, own["questions"], way, own["plain"], own[way]["ndcg@10"], _gain(own[way]["gain"])]
        for name, own in found.items()
        for way in ("spelling", "abbreviations", "feedback", "turns")
        if way in own
    ]
    return "\n\n".join([
        "nDCG@10 of fused retrieval, without and with one rewriting. misspelt: one seeded slip in "
        "a content word, two in long questions. abbreviated: long forms put into the short forms "
        "that the collection defines. Follow-up questions: second hops whose subject is only "
        '"it". On by default are spelling and turns; abbreviations and feedback (keywords of the '
        "first passages) are not: neither gains anything sure here, and feedback costs SciFact's.",
        table(["questions", "count", "rewriting", "plain", "rewritten", "gain (95 %)"], rows),
    ])  # fmt: skip


def _gain(found: list[float] | None) -> str:
    return "" if not found else f"{found[0]:+.3f} ({found[1]:+.3f} to {found[2]:+.3f})"

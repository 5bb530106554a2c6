"""Prose and tables of the structured sources' parts. Not here: measuring (structured/)."""

from __future__ import annotations

from typing import Any

from benchmarks.say_quality import table


def graphs(result: dict[str, Any]) -> str:
    ways = ("tuned", "linked", "zero-shot", "classifier")
    meta, small = result["metaqa"], result["pq2h"]
    rows = [[f"MetaQA, {hops} hops", *(meta[way][hops] for way in ways)] for hops in "123"]
    rows.append(["PQ-2H, half taught", *(small[way]["2"] for way in ways)])
    never, figures = meta["never taught"], meta["figures"]
    return "\n\n".join([
        "Hits@1 without an LLM. MetaQA: 100 questions a hop are taught, "
        f"{meta['asked a hop']} others a hop asked; means of {meta['draws']} draws. tuned: the "
        "topic is given; linked: it is found in the question; zero-shot: nothing was taught on "
        "this graph (the eight weights of the untaught score were chosen on both graphs); "
        "classifier: a logistic over words and pairs of words that knows whole paths.",
        table(["questions", *ways], rows),
        f"Paths of which no question was taught ({never['paths']} kinds, {never['questions']} "
        f"questions): {never['scorer']:.3f}, the classifier {never['classifier']:.3f}. Support "
        f"says {figures['mean support']:.3f} on average where {figures['right']:.3f} are right; "
        f"of the surest half {figures['right of the surest half']:.3f}. "
        f"{figures['ms a question']:.0f} ms a question.",
    ])  # fmt: skip


def answers(result: dict[str, Any]) -> str:
    asked, claims = result["questions"], result["claims"]
    return "\n\n".join([
        "WikiTableQuestions, dev tables that the weights never saw, the table given, no LLM: "
        f"{asked['accuracy']:.3f} of {asked['count']:.0f} right (the cell that shares most words: "
        f"{asked['baseline_word_overlap']:.3f}). At 80 % right it answers "
        f"{asked['coverage_at_80']:.1%}; above a confidence of 0.8 "
        f"(of {asked['share_above_0.8']:.0%}) {asked['right_above_0.8']:.3f} are right. "
        "Calibration error "
        f"{asked['calibration_error']:.3f}; {asked['seconds'] * 1000:.0f} ms of a core a question.",
        f"TabFact, cross-fitted by table: {claims['accuracy']:.3f} right at full coverage (always "
        f"the commoner label: {claims['baseline_majority']:.3f}), "
        f"{claims['accuracy_at_25']:.3f} of the surest quarter; "
        f"calibration error {claims['calibration_error']:.3f}.",
    ])  # fmt: skip


def finding(result: dict[str, Any]) -> str:
    firsts = ("1", "5", "10")
    wtq, tatqa = result["wtq"], result["tatqa"]
    rows = [[name, *(wtq[name][k] for k in firsts), wtq[name]["ms a question"]]
            for name in ("bm25", "dense", "tables")]  # fmt: skip
    units = [
        [name, *(tatqa[name][k] for k in firsts)] for name in ("bm25", "dense", "fused", "reranked")
    ]
    return "\n\n".join([
        f"WikiTableQuestions: {wtq['questions']} questions over all 1,678 tables, which have no "
        "titles; the right table among the first. bm25 reads every cell, dense the table's card.",
        table(["retriever", *firsts, "ms"], rows),
        f"TAT-QA, one collection: all gold units (passages that hold every number of the "
        f"derivation, or the answer) among the first; {tatqa['questions']} questions.",
        table(["retriever", *firsts], units),
    ])  # fmt: skip


def databases(result: dict[str, Any]) -> str:
    gold, csv = result["gold"], result["csv"]
    ways = ("random", "names_only", "names_and_values", "with_encoder")
    rows = [[row["columns"], row["kept_at_most"], row["possible"], *(row[way] for way in ways)]
            for row in result["linking"]]  # fmt: skip
    return "\n\n".join([
        f"Gold SQL in the locked reader: {gold['equal']} of {gold['questions']} give the gold rows "
        f"({gold['not_empty_equal']} of the {gold['not_empty']} results that are not empty).",
        "Questions of which every gold column is kept, by how many columns there are and how many "
        "are kept; possible: gold needs no more than that. Beyond 12 columns tables of other "
        "people stand beside the restaurants.",
        table(["columns", "kept", "possible", *ways], rows),
        f"A CSV of {csv['rows']:,} rows: {csv['start_load_and_aggregate']:.2f} s from nothing "
        f"to its aggregate, {csv['aggregate_once_loaded']:.3f} s once it is loaded.",
    ])  # fmt: skip


def prompts(result: dict[str, Any]) -> str:
    rows = [[name, *(result[name][k] for k in ("mean", "median", "largest"))]
            for name in ("sql", "table")]  # fmt: skip
    return "\n\n".join([
        f"{result['questions']} questions of WTQ, tokens: sql: the whole prompt that asks for SQL, "
        "instructions, schema and examples of cells; table: the table's cells alone.",
        table(["prompt", "mean", "median", "largest"], rows),
        f"Sending the table would take {result['ratio']} times the tokens.",
    ])  # fmt: skip


def manuals(result: dict[str, Any]) -> str:
    columns = list(next(iter(result["ways"].values())))
    rows = [[way, *(row.get(c, "") for c in columns)] for way, row in result["ways"].items()]
    return "\n\n".join([result["about"], table(["way", *columns], rows)])


def large(result: dict[str, Any]) -> str:
    graph, many = result["graph"], result["tables"]
    return "\n\n".join([
        f"A graph of {graph['triples']:,} triples: added in {graph['add seconds']:.0f} s, read in "
        f"{graph['load seconds']:.1f} s, a question of up to three hops "
        f"{graph['p50 ms']:.0f} ms p50, {graph['p95 ms']:.0f} ms p95, "
        f"{graph['peak mb']:.0f} MB at most.",
        f"{many['tables']:,} tables: added in {many['add seconds']:.0f} s, found in "
        f"{many['p50 ms']:.0f} ms p50.",
    ])  # fmt: skip


def routed(result: dict[str, Any]) -> str:
    sets = [name for name in next(iter(result["ways"].values())) if name != "ms a question"]
    rows = [[way, name, row[name]["right"], row[name]["wrong"]]
            for way, row in result["ways"].items() for name in sets]  # fmt: skip
    fresh, left = result["router"]["held out half"], result["router"]["left out"]
    outside = ", ".join(f"{name} {one['likeliest holds']:.3f}" for name, one in left.items())
    return "\n\n".join([
        "One collection of texts, tables, a graph and a manual. Of questions that some kind's "
        f"evidence answers, the likeliest kind holds the answer in {fresh['likeliest holds']:.3f} "
        f"(always text: {result['router']['always text']:.3f}), and a kind that does is kept in "
        f"{fresh['kept']:.3f}, while {fresh['left out']:.1f} of four kinds are left out. A set of "
        f"reading left out of the fit: {outside}.",
        f"The default recipe without an LLM, {result['questions a set']} questions a set, share "
        "of all questions; the questions for commands have no answer without one.",
        table(["way", "set", "right", "wrong"], rows),
    ])  # fmt: skip


def prose(result: dict[str, Any]) -> str:
    columns = list(next(iter(result["halves"].values())))
    rows = [[name, *(one[c] for c in columns)] for name, one in result["halves"].items()]
    told = ("asked", "right", "wrong", "graph")
    asked = [[way, name, *(one[c] for c in told)]
             for way, found in result["answers"].items()
             for name, one in found.items()]  # fmt: skip
    return "\n\n".join([
        "Edges that patterns read out of 2Wiki's gold passages against its evidence triples. "
        "found: share of the gold edges; right where said: of those of whose subject and relation "
        "the patterns say something.",
        table(["half", *columns], rows),
        "Answers without an LLM, with edges of files (there are none) and of prose; graph: share "
        "answered from edges.",
        table(["edges", "set", *told], asked),
    ])  # fmt: skip

"""Prose and tables of the judges' parts. Not here: measuring (judges/)."""

from __future__ import annotations

from typing import Any

from benchmarks.say_quality import table
from benchmarks.say_risk import risk


def support(result: dict[str, Any]) -> str:
    columns = ("rows", "judge", "left out", "model near for", "simple logistic", "overlap",
               "cosine", "length", "balanced accuracy")  # fmt: skip
    rows = [[name, int(row["rows"]), *(row[c] for c in columns[1:])]
            for name, row in result["sets"].items()]  # fmt: skip
    return "\n\n".join([
        "AUROC of P(supported) on held-out rows: documents that the cross-encoder was not trained "
        "on; of the last three sets, which state no licence, it saw none. judge: the logistic over "
        "cross-encoder and plain comparisons, cross-fitted; left out: fitted without the set (the "
        "cross-encoder did see the other documents of the first five sets). halueval_qa is not "
        "counted: its length alone scores there.",
        table(["set", *columns], rows),
        f"Mean without halueval_qa: {result['mean']:.3f}; with the set left out of the fitted "
        f"judge {result['mean left out']:.3f}. {result['pairs per second']} claims a second, each "
        "laid against its evidence and three of its sentences.",
    ])  # fmt: skip


def left_out(result: dict[str, Any]) -> str:
    columns = ("never seen", "seen by the network", "simple logistic", "overlap", "cosine")
    rows = [[name, *(row[c] for c in columns)] for name, row in result["sets"].items()]
    weights = list(next(iter(result["reranking"]["sets"].values()))["unseen"])
    ranked = [[name, row["unseen queries"], *(row["unseen"][w] for w in weights)]
              for name, row in result["reranking"]["sets"].items()]  # fmt: skip
    without = " and ".join(", ".join(names) for names in result["without"])
    return "\n\n".join([
        f"Two networks of {' and '.join(map(str, result['steps']))} steps, trained from the "
        f"encoder without {without}. AUROC of P(supported): never seen: neither the network nor "
        "the judge over it saw the set; seen by the network: the other one, with the judge "
        "cross-fitted. Of sets without a licence no network saw any row.",
        table(["set", *columns], rows),
        f"Mean of never seen, without halueval_qa: {result['mean']:.3f}.",
        "Reranking by the first of them, nDCG@10 by the model's weight, on queries whose documents "
        "it never saw:",
        table(["set", "queries", *weights], ranked),
        f"Mean gain at the shipped weight: {result['reranking']['mean gain']}.",
    ])  # fmt: skip


def disagreeing(result: dict[str, Any]) -> str:
    rows = [[kind, row["pairs"], row["shown"]] for kind, row in result["kinds"].items()]
    return "\n\n".join([
        "Pairs of sources: a cited held-out sentence and another document that says it shorter, "
        "altered by rule, or left right; and claims of fever_symmetric beside their evidence. "
        "shown: the answer shows and cites both. Rules are strict on purpose: a pair that is said "
        "in other words is mostly missed.",
        table(["other source", "pairs", "shown"], rows),
    ])  # fmt: skip


def rules(result: dict[str, Any]) -> str:
    made = result["variants"]
    sets = list(next(iter(made.values())))
    rows = [[name, *(row[one][0] for one in sets)] for name, row in made.items()]
    return "\n\n".join([
        "Judges by words alone (`judge = rules`), AUROC; caps are hard rules on numbers and "
        "negation, which answers keep and `verify` does not.",
        table(["judge", *sets], rows),
    ])  # fmt: skip


def reading(result: dict[str, Any]) -> str:
    columns = list(next(iter(result["mean"].values())))
    rows = [
        [judge, name, int(row["questions"]), *(row[c] for c in columns[1:])]
        for judge, by in result["sets"].items()
        for name, row in by.items()
    ]
    return "\n\n".join([
        "Held-out questions with the passage that answers them. sentence: an answer stands in the "
        "sentence that was read from; f1: SQuAD's. The last columns: AUROC of support, right "
        "passage against the best-ranked one of the whole collection that holds no answer, and "
        "against a shuffled one. rules: best sentence and the kind of value asked for.",
        table(["judge", "set", *columns], rows),
    ])  # fmt: skip


def reranking(result: dict[str, Any]) -> str:
    weights = list(next(iter(result["sets"].values()))["all"])
    rows = [
        [f"{name}, {which}", row["unseen queries" if which == "unseen" else "queries"],
         *(row[which][w] for w in weights)]
        for name, row in result["sets"].items() for which in ("all", "unseen")
    ]  # fmt: skip
    cost = ", ".join(f"{n} {row['milliseconds']} ms" for n, row in result["sets"].items())
    return "\n\n".join([
        "nDCG@10 by the cross-encoder's weight against the retrieval's score; 0 is fused "
        f"retrieval, 1 the model alone, {result['weight']} is shipped. unseen: queries whose "
        "documents training did not see.",
        table(["set", "queries", *weights], rows),
        f"20 passages a question: {cost}. Mean gain on unseen queries: {result['mean gain']}.",
    ])  # fmt: skip


def pruning(result: dict[str, Any]) -> str:
    judge, found = next(reversed(result["judges"].items()))
    rows = [
        [name, point["budget"], point["tokens"], point["kept"],
         point["whole passages at equal tokens"]]
        for name, curve in found["curves"].items() for point in curve
    ]  # fmt: skip
    return "\n\n".join([
        f"Share of answer spans among the ten retrieved passages that pruning keeps ({judge}). "
        "shipped: its weights of the pilot's readings were fitted on these questions; those fitted "
        "on the other half were not, and the bars are theirs.",
        table(["method", "budget", "tokens", "kept", "whole passages at equal tokens"], rows),
    ])  # fmt: skip


def endtoend(result: dict[str, Any]) -> str:
    columns = ("questions", "answered", "right of all", "AUROC of support", "p50 seconds")
    rows = [[judge, *(row[c] for c in columns)] for judge, row in result["judges"].items()]
    sets = [[judge, *row["right by set"].values()] for judge, row in result["judges"].items()]
    names = list(next(iter(result["judges"].values()))["right by set"])
    kept = result["answered without an LLM at a kept promise"]
    return "\n\n".join([
        "One collection of all passages of nq_oracle, xquad and 2wiki; held-out questions, the "
        "gold passages of a fifth of them taken away; no LLM. Right: exact match or F1 of at "
        "least 0.8, yes and no exactly. rules answers with whole sentences, which are hardly ever "
        "that short.",
        table(["judge", *columns], rows), "Right by set:", table(["judge", *names], sets),
        "Answered at a kept promise: "
        + ", ".join(f"{share:.1%} at {error}" for error, share in kept.items()) + ".",
        risk(result["risk"]),
    ])  # fmt: skip


def sampling(result: dict[str, Any]) -> str:
    samples, contrast = result["samples"], result["contrast"]
    rows = [["four systems' answers to a problem", name, figure]
            for name, figure in samples["AUROC"].items()]  # fmt: skip
    rows += [["right and made-up answers over evidence", name, figure]
             for name, figure in contrast["AUROC"].items()]  # fmt: skip
    return "\n\n".join([
        f"AUROC for `the answer is right`. Samples: {samples['answers']} problems of "
        f"gsm8k_cascade, {samples['right']:.0%} right; its four recorded systems stand for four "
        "samples of one model, which nobody recorded. Contrast: "
        f"{contrast['answers']} answers of halueval_qa that training left out, "
        f"{contrast['right']:.0%} right; the reader finds an answer for "
        f"{contrast['the reader answers']:.0%} of them.",
        table(["answers", "score", "AUROC"], rows),
        f"Contrast flags {contrast['made-up answers flagged']:.0%} of the made-up answers and "
        f"{contrast['right answers flagged']:.0%} of the right ones.",
    ])  # fmt: skip

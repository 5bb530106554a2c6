"""The public sets as examples: verification, reading, hops, tables. Data by PILOTFISH_BENCH_DATA.

Only sets with a stated licence are training sets (TRAINING); the others validate. Which side a
record falls on follows from its source document. Not here: made examples (making.py), negatives
from retrieval (mining.py).
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.premise import premise
from models.training.examples import (
    CONTRADICTED,
    NO_ANSWER,
    REFUSED,
    SUPPORTED,
    UNSUPPORTED,
    Example,
    components,
    held,
)

ROOT = Path(__file__).resolve().parent.parent.parent
LABELS = {"supported": SUPPORTED, "contradicted": CONTRADICTED, "unsupported": UNSUPPORTED}
# In these sets "unsupported" is all that is not supported, contradictions too.
COARSE = frozenset({"wice", "begin", "halueval_qa", "qags_cnndm", "aggrefact_cliff"})
LICENSED = ("scifact", "fever_symmetric", "wice", "begin", "halueval_qa")
UNLICENSED = ("climate_fever", "qags_cnndm", "aggrefact_cliff")
READING = ("nq_oracle", "xquad")


def data_root() -> Path:
    """The folder of benchmark data; exits with 3 when it is missing."""
    root = Path(os.environ.get("PILOTFISH_BENCH_DATA") or ROOT.parent / "shared" / "data")
    if not (root / "verification").is_dir():
        sys.stderr.write(f"benchmark data is missing: {root} (set PILOTFISH_BENCH_DATA)\n")
        raise SystemExit(3)
    return root


def rows(name: str) -> Iterator[dict[str, Any]]:
    """Records of a `.jsonl.gz` file, named without its ending."""
    with gzip.open(data_root() / f"{name}.jsonl.gz", "rt", encoding="utf-8") as handle:
        for line in handle:
            yield json.loads(line)


def verification(name: str) -> list[Example]:
    """One set of claims; records that share a claim or a text lie on one side."""
    examples = []
    for row, group in grouped(name):
        verdict = LABELS[row["label"]]
        if name in COARSE and verdict == UNSUPPORTED:
            verdict = REFUSED
        text = premise(row["claim"], titled(row.get("title"), row["evidence"]))
        examples.append(Example(row["claim"], text, name, verdict=verdict, held=held(group)))
    return examples


def grouped(name: str) -> Iterator[tuple[dict[str, Any], str]]:
    """(row, the group whose rows lie on one side) of a verification set."""
    found = list(rows(f"verification/{name}"))
    groups = components([(r["claim"], r.get("doc_id") or r["evidence"]) for r in found])
    if name == "wice":
        groups = [row["claim_id"].split("-")[0] for row in found]
    if name == "scifact":  # claims and abstracts hang together: whole abstracts go to one side
        groups = [row["doc_id"] for row in found]
    return zip(found, groups, strict=True)


def answered() -> Iterator[Example]:
    """HaluEval's right answers (HotpotQA's questions) where they stand in their evidence."""
    for row, group in grouped("halueval_qa"):
        if row["label"] != "supported" or len(row["evidence"].split()) > 160:
            continue
        span = place_of(row["evidence"], [row["answer"]])
        if span is not None:
            yield Example(row["question"], row["evidence"], "halueval_qa read", 1.0, None, span,
                          held(group))  # fmt: skip


def rationales() -> Iterator[Example]:
    """SciFact's gold sentences by themselves carry or refute their claim."""
    for row in rows("verification/scifact"):
        sentences = row.get("rationale") or []
        if sentences and row["label"] != "unsupported":
            text = " ".join(str(s) for s in sentences)
            yield Example(row["claim"], text, "scifact", verdict=LABELS[row["label"]],
                          held=held(row["doc_id"]))  # fmt: skip


def reading(name: str, *, with_title: bool = False) -> Iterator[Example]:
    """Questions with the passage that answers them; the first answer's first place is the span."""
    for row in rows(f"reading/{name}"):
        span = place_of(row["context"], row["answers"], row.get("answer_start"))
        if span is not None:
            text = titled(row["title"] if with_title else None, row["context"])
            shift = len(text) - len(row["context"])
            yield Example(row["question"], text, name, 1.0, None,
                          (span[0] + shift, span[1] + shift), held(row["title"]))  # fmt: skip


def place_of(text: str, answers: list[str], start: int | None = None) -> tuple[int, int] | None:
    """Where the first answer that occurs stands; an exact `start` is used where it fits."""
    if start is not None and text[start : start + len(answers[0])] == answers[0]:
        return start, start + len(answers[0])
    for answer in answers:
        at = text.find(answer)
        if at < 0:
            at = text.lower().find(answer.lower())
        if at >= 0 and answer and len(text) == len(text.lower()):
            return at, at + len(answer)
    return None


def titled(title: str | None, text: str) -> str:
    """The text after its title, as passages are read."""
    return f"{title}. {text}" if title else text


def hops() -> Iterator[Example]:
    """2Wiki's single steps: each gold passage read for its step, each step's answer as a claim."""
    for row in rows("multihop/2wiki"):
        out = held("2wiki " + row["id"])
        gold = [titled(p["title"], p["text"]) for p in row["passages"] if p["gold"]]
        wrong = [titled(p["title"], p["text"]) for p in row["passages"] if not p["gold"]]
        yield from _whole(row, gold, wrong, out)
        steps = row.get("hops") or []
        objects = [triple[2] for triple in row["evidence_triples"]]
        for step, answer in zip(steps, objects, strict=False):
            yield from _step(step, answer, gold, wrong, out)


def _whole(row: dict[str, Any], gold: list[str], wrong: list[str], out: bool) -> Iterator[Example]:
    # No single text holds a yes or a no, nor the first hop's what the second one gives.
    said = [] if row["answers"][0].lower() in {"yes", "no"} else row["answers"]
    for text in gold:
        span = place_of(text, said) or NO_ANSWER
        yield Example(row["question"], text, "2wiki", 1.0, None, span, out)
    for text in wrong[:4]:
        none = NO_ANSWER if place_of(text, row["answers"]) is None else None
        yield Example(row["question"], text, "2wiki", 0.0, None, none, out)


def _step(
    step: dict[str, str], answer: str, gold: list[str], wrong: list[str], out: bool
) -> Iterator[Example]:
    for text in gold:
        span = place_of(text, [answer])
        named = _named(step["question"], text)
        if span is not None and named:
            yield Example(step["question"], text, "2wiki step", 1.0, None, span, out)
            yield Example(step["answer"], text, "2wiki step", 1.0, SUPPORTED, None, out)
        elif span is None:
            yield Example(step["answer"], text, "2wiki step", None, UNSUPPORTED, None, out)
            yield Example(step["question"], text, "2wiki step", 0.0 if not named else None, None,
                          NO_ANSWER, out)  # fmt: skip


def _named(question: str, text: str) -> bool:
    """Whether the passage's title, up to a bracket, stands in the question."""
    title = text.partition(". ")[0].partition(" (")[0].lower()
    return title in question.lower()


def tabfact(limit: int) -> Iterator[Example]:
    """Statements against the rows of their table that are nearest to them."""
    tables = {row["id"]: row for row in rows("tables/tabfact.tables")}
    for number, row in enumerate(rows("tables/tabfact")):
        if number >= limit:
            return
        table = tables[row["table_id"]]
        text = premise(row["claim"], linear(table), 80)
        out = held("tabfact " + table["id"])
        told = LABELS[row["label"]]
        yield Example(row["claim"], f"{table['title']}. {text}", "tabfact", verdict=told, held=out)


def linear(table: dict[str, Any]) -> str:
    """`column: value; ...` of each row, a line (and a sentence) each."""
    heads = [str(head).strip() for head in table["columns"]]
    lines = []
    for row in table["rows"]:
        cells = zip(heads, row, strict=False)
        lines.append("; ".join(f"{head}: {str(value).strip()}" for head, value in cells))
    return "\n\n".join(lines)


def tables_read(limit: int) -> Iterator[Example]:
    """WikiTableQuestions whose answer is one cell: read it from the nearest rows."""
    tables = {row["id"]: row for row in rows("tables/wtq.tables")}
    made = 0
    for row in rows("tables/wtq_train"):
        table = tables.get(row["table_id"])
        if table is None or len(row["answers"]) != 1 or made >= limit:
            continue
        cells = [cell for line in table["rows"] for cell in line]
        text = premise(row["question"], linear(table), 90)
        if cells.count(row["answers"][0]) == 1 and text.count(": " + row["answers"][0]) == 1:
            start = text.index(": " + row["answers"][0]) + 2
            made += 1
            span = (start, start + len(row["answers"][0]))
            out = held("wtq " + table["id"])
            yield Example(row["question"], text, "wtq", 1.0, None, span, out)


def finance() -> Iterator[Example]:
    """TAT-QA questions whose answer is one span of its paragraphs."""
    for row in rows("tables/tatqa"):
        if row["answer_type"] != "span" or row["answer_from"] != "text":
            continue
        for text in row["paragraphs"]:
            span = place_of(text, [str(a) for a in row["answers"]])
            short = text if len(text.split()) < 160 else ""
            if span is not None and short:
                yield Example(row["question"], text, "tatqa", 1.0, None, span,
                              held("tatqa " + row["table_id"]))  # fmt: skip


def medicine() -> Iterator[Example]:
    """PubMedQA: the conclusion is carried by the abstract; the abstract is relevant."""
    for row in rows("reading/pubmedqa"):
        out = held("pubmed " + row["id"])
        text = premise(row["long_answer"], row["context"])
        yield Example(row["long_answer"], text, "pubmedqa", 1.0, SUPPORTED, None, out)
        yield Example(row["question"], premise(row["question"], row["context"]), "pubmedqa", 1.0,
                      None, None, out)  # fmt: skip

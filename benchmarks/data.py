"""Reads the development data and writes it as files to add. Not here: any measuring."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """A corpus of {id, title, text}, judged queries (id -> text) and their grades."""

    name: str
    corpus: list[Row]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


def lines(path: Path) -> list[Row]:
    """The records of one gzipped JSON lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def retrieval_set(root: Path, name: str, documents: int = 0, queries: int = 0) -> RetrievalSet:
    """One set; with limits, the first judged queries, their documents, and fill to that many."""
    folder = root / "retrieval" / name
    qrels: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines():
        query, document, grade = line.split("\t")
        qrels[query][document] = int(grade)
    asked = {row["id"]: row["text"] for row in lines(folder / "queries.jsonl.gz")}
    asked = {i: text for i, text in asked.items() if i in qrels}
    corpus = lines(folder / "corpus.jsonl.gz")
    if queries:
        asked = dict(list(asked.items())[:queries])
    judged = {query: qrels[query] for query in asked}
    if documents:
        corpus = _some(corpus, {d for grades in judged.values() for d in grades}, documents)
    return RetrievalSet(name, corpus, asked, judged)


def _some(corpus: Sequence[Row], wanted: set[str], count: int) -> list[Row]:
    """All wanted documents and others to make up `count`, in the corpus' order."""
    room = max(0, count - len(wanted))
    others = [row["id"] for row in corpus if row["id"] not in wanted][:room]
    keep = wanted | set(others)
    return [row for row in corpus if row["id"] in keep]


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Plain JSON lines, as `pilotfish add` takes them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return path


def digest(texts: Iterable[str]) -> str:
    """sha256 over texts, in order."""
    sha = hashlib.sha256()
    for text in texts:
        sha.update(text.encode() + b"\0")
    return sha.hexdigest()

"""Which table a question is about: WikiTableQuestions' 1,678 tables as one collection, and the
units of TAT-QA that hold a question's numbers. Beside them BM25 alone and the encoder alone.

Not here: answers from a table (answers.py).
"""

from __future__ import annotations

import gzip
import random
import re
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data
from benchmarks.data import Row, lines
from benchmarks.ground import COMPLETE, Ground, opened
from pilotfish.types import Passage, Question, Scope
from pipeline.library import Library

ASKED, UNITS_ASKED = 800, 300
FIRST = (1, 5, 10)
GAIN = 0.05


def measure(here: Ground) -> dict[str, Any]:
    """Shares of questions whose table is among the first ones."""
    wtq = _wtq(here)
    tatqa = _tatqa(here)
    best = wtq["tables"]["5"]
    return {
        "wtq": wtq, "tatqa": tatqa,
        "bars": {
            f"WTQ: the right table in the first 5, above BM25 alone by {GAIN}":
                best >= wtq["bm25"]["5"] + GAIN,
            f"TAT-QA: all gold units in the first 5, above BM25 and dense by {GAIN}":
                max(tatqa["fused"]["5"], tatqa["reranked"]["5"])
                >= max(tatqa["bm25"]["5"], tatqa["dense"]["5"]) + GAIN,
        },
    }  # fmt: skip


def collection(here: Ground, name: str) -> Library:
    """The tables of a set as one collection, added once for this code."""
    place = here.place(f"tables-{name}")
    if not (place / COMPLETE).exists():
        shutil.rmtree(place, ignore_errors=True)
        files = here.work / "files"
        files.mkdir(parents=True, exist_ok=True)
        library = opened(place, create=True)
        library.add([str(path) for path in _files(here.data / "tables", files, name)])
        (place / COMPLETE).touch()
    return opened(place)


def _files(tables: Path, files: Path, name: str) -> list[Path]:
    path = files / f"{name}.tables.jsonl"
    path.write_bytes(gzip.decompress((tables / f"{name}.tables.jsonl.gz").read_bytes()))
    if name != "tatqa":
        return [path]
    seen: dict[str, Row] = {}
    for row in lines(tables / "tatqa.jsonl.gz"):
        for at, text in enumerate(row["paragraphs"]):
            key = f"{row['table_id']}#{at}"
            seen.setdefault(key, {"id": key, "text": text})
    return [path, data.write(files / "tatqa-paragraphs.jsonl", seen.values())]


def _wtq(here: Ground) -> dict[str, Any]:
    rows = lines(here.data / "tables" / "wtq_dev.jsonl.gz")
    random.Random(5).shuffle(rows)
    rows = rows[: 60 if here.quick else ASKED]
    library, found = collection(here, "wtq"), {}
    for name, retriever in (("bm25", "bm25"), ("dense", "dense"), ("tables", "fused")):
        begun = time.perf_counter()
        hits = [_rank(library, row, retriever) for row in rows]
        seconds = (time.perf_counter() - begun) / len(rows)
        found[name] = {str(k): round(float(np.mean([hit <= k for hit in hits])), 4) for k in FIRST}
        found[name]["ms a question"] = round(seconds * 1000, 1)
    return found | {"questions": len(rows)}


def _rank(library: Library, row: Row, retriever: str) -> int:
    asked = Question(row["question"], scope=Scope(kind="table"))
    passages = library.search(asked, retriever, 50).passages
    documents = list(dict.fromkeys(passage.document for passage in passages))
    return documents.index(row["table_id"]) + 1 if row["table_id"] in documents else 10**6


def _tatqa(here: Ground) -> dict[str, Any]:
    """Units are rows and paragraphs; gold ones hold the derivation's numbers, or the answer."""
    rows = lines(here.data / "tables" / "tatqa.jsonl.gz")
    random.Random(5).shuffle(rows)
    rows = rows[: 40 if here.quick else UNITS_ASKED]
    library, found = collection(here, "tatqa"), {}
    units = _units(here)
    for name in ("bm25", "dense", "fused", "reranked"):
        hits = [_covered(library, row, name, units) for row in rows]
        known = [hit for hit in hits if hit is not None]
        found[name] = {str(k): round(float(np.mean([hit <= k for hit in known])), 4) for k in FIRST}
    return found | {"questions": len(known), "of": len(rows)}


def _units(here: Ground) -> dict[str, list[str]]:
    """Table id -> its rows and paragraphs as texts."""
    found: dict[str, list[str]] = {}
    for table in lines(here.data / "tables" / "tatqa.tables.jsonl.gz"):
        found[table["id"]] = [" ".join(row) for row in table["rows"]]
    return found


def _covered(library: Library, row: Row, retriever: str, units: dict[str, list[str]]) -> int | None:
    """How many of the first passages it takes to hold all gold numbers; None: nobody can say."""
    wanted = _numbers(row.get("derivation") or "") or {_plain(a) for a in row["answers"]}
    whole = " ".join([*units.get(row["table_id"], []), *row["paragraphs"]])
    if not wanted or not all(one in _plain(whole) for one in wanted):
        return None
    passages = library.search(Question(row["question"]), retriever, 20).passages
    left = set(wanted)
    for rank, passage in enumerate(passages, 1):
        if _of(passage, row["table_id"]):
            left -= {one for one in left if one in _plain(passage.text)}
        if not left:
            return rank
    return 10**6


def _of(passage: Passage, table_id: str) -> bool:
    return passage.document.partition("#")[0] == table_id


def _numbers(text: str) -> set[str]:
    return {one.rstrip(".,") for one in re.findall(r"\d[\d,.]*", text)} - {"100"}


def _plain(text: str) -> str:
    return " ".join(text.lower().split())

"""Measures the candidates for serving the default encoder: quality per set, passages per second.

Run `PYTHONPATH=. python benchmarks/export.py [quality]`; data by PILOTFISH_BENCH_DATA (default
../shared/data). Speeds are taken in alternating rounds of one run, on the first PASSAGES SciFact
abstracts, against LlamaIndex's HuggingFaceEmbedding path (sentence-transformers, torch fp32, ten
texts a call). Quality is nDCG@10 by brute-force cosine over whole sets. Not here: the recipe.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import graph, samples, weights
from models.batches import Batch, plan
from models.export import feeds
from models.quantise import observe, quantise

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("PILOTFISH_BENCH_DATA") or ROOT.parent / "shared" / "data")
PASSAGES = int(os.environ.get("PILOTFISH_BENCH_PASSAGES", "600"))
SETS = ("scifact", "cranfield", "2wiki")
ROUNDS, LIMIT = 3, 256
Vectors = NDArray[np.float32]
Run = Callable[[Sequence[str]], Vectors]


def read(name: str, file: str) -> list[dict[str, Any]]:
    """The records of one file of a retrieval set."""
    with gzip.open(DATA / "retrieval" / name / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def texts(name: str) -> list[str]:
    """Passages as `title text`."""
    return [f"{row.get('title', '')} {row['text']}".strip() for row in read(name, "corpus")]


def candidates(model: Any, work: Path) -> dict[str, tuple[Path, int, int]]:
    """Label -> (graph, inner threads, calling threads); graphs are written to `work`."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    plain, fused, ours = work / "plain.onnx", work / "fused.onnx", work / "int8.onnx"
    graph.write(model, plain)
    graph.fuse(model, plain, fused)
    loaded = onnx.load(str(fused))
    onnx.save(quantise(loaded, observe(loaded, feeds(model, samples.calibration()))), str(ours))
    found = {
        "fp32 plain, 1x2 threads": (plain, 2, 1),
        "fp32 fused, 1x2 threads": (fused, 2, 1),
        "fp32 fused, 2x1 threads": (fused, 1, 2),
    }
    dynamic: dict[str, dict[str, Any]] = {
        "int8 dynamic, 7-bit weights": {"reduce_range": True},
        "int8 dynamic, u8 weights": {"weight_type": QuantType.QUInt8},
        "int8 dynamic, 7-bit, attention fp32": {"reduce_range": True, "ops": ["MatMul"]},
    }
    for number, (label, options) in enumerate(dynamic.items()):
        target = work / f"dynamic{number}.onnx"
        ops = options.pop("ops", ["MatMul", "Attention"])
        extra = {"DefaultTensorType": onnx.TensorProto.FLOAT}
        quantize_dynamic(
            fused,
            target,
            per_channel=True,
            op_types_to_quantize=ops,
            extra_options=extra,
            **options,
        )
        found[f"{label}, 2x1 threads"] = (target, 1, 2)
    return found | {"int8 static split (served), 2x1 threads": (ours, 1, 2)}


def onnx_run(file: Path, inner: int, outer: int, budget: int = 512) -> Run:
    """A function that encodes texts with one session of `inner` threads, `outer` callers."""
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = inner, 3
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(weights.packaged_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LIMIT)

    def infer(batch: Batch) -> tuple[list[int], Vectors]:
        feed = {"input_ids": batch.ids, "attention_mask": batch.mask}
        feed["token_type_ids"] = np.zeros_like(batch.ids)
        return batch.index, session.run(None, feed)[0]

    def run(passages: Sequence[str]) -> Vectors:
        tokens = [encoding.ids for encoding in tokenizer.encode_batch_fast(list(passages))]
        vectors = np.zeros((len(passages), 384), np.float32)
        with ThreadPoolExecutor(outer) as pool:
            for index, rows in pool.map(infer, plan(tokens, 0, budget)):
                vectors[index] = rows
        return vectors

    return run


def torch_run(model: Any) -> Run:
    """LlamaIndex's path: ten texts a call in their own order, torch fp32."""

    def run(passages: Sequence[str]) -> Vectors:
        tens = [list(passages[start : start + 10]) for start in range(0, len(passages), 10)]
        rows = [model.encode(ten, batch_size=10, show_progress_bar=False) for ten in tens]
        return np.concatenate(rows)

    return run


def ndcg(run: Run, name: str, depth: int = 10) -> float:
    """Mean nDCG@10 of a set's judged queries, brute-force cosine."""
    judged: dict[str, dict[str, float]] = {}
    for line in (DATA / "retrieval" / name / "qrels.tsv").read_text().splitlines():
        query, document, grade = line.split("\t")
        judged.setdefault(query, {})[document] = float(grade)
    ids = [row["id"] for row in read(name, "corpus")]
    queries = [row for row in read(name, "queries") if row["id"] in judged]
    scores = run([row["text"] for row in queries]) @ run(texts(name)).T
    discount = 1 / np.log2(np.arange(2, depth + 2))
    values = []
    for row, line_scores in zip(queries, scores, strict=True):
        grades = judged[row["id"]]
        top = np.argsort(-line_scores, kind="stable")[:depth]
        gain = sum(grades.get(ids[i], 0.0) * d for i, d in zip(top, discount, strict=False))
        best = sorted(grades.values(), reverse=True)[:depth]
        values.append(gain / float(np.dot(best, discount[: len(best)])))
    return float(np.mean(values))


def main(with_quality: bool) -> None:
    """Print one Markdown table."""
    if not (DATA / "retrieval" / "scifact").is_dir():
        sys.exit(f"no benchmark data at {DATA}; set PILOTFISH_BENCH_DATA to its folder")
    from sentence_transformers import SentenceTransformer

    model = graph.load(weights.resolve(weights.DEFAULT_MODEL))
    reference = SentenceTransformer(str(weights.packaged_folder()), device="cpu")
    passages = texts("scifact")[:PASSAGES]
    with tempfile.TemporaryDirectory() as folder:
        runs = {"torch fp32, batches of 10": torch_run(reference)}
        runs |= {k: onnx_run(*v) for k, v in candidates(model, Path(folder)).items()}
        seconds: dict[str, list[float]] = {label: [] for label in runs}
        vectors: dict[str, Vectors] = {}
        for _ in range(ROUNDS):
            for label, run in runs.items():
                start = time.perf_counter()
                vectors[label] = run(passages)
                seconds[label].append(time.perf_counter() - start)
        print_table(runs, seconds, vectors, with_quality)


def print_table(
    runs: dict[str, Run],
    seconds: dict[str, list[float]],
    vectors: dict[str, Vectors],
    with_quality: bool,
) -> None:
    """Best round of each candidate; the first candidate is the reference of ratio and cosine."""
    first = next(iter(runs))
    columns = SETS if with_quality else ()
    print("| candidate | passages/s | ratio | cosine | " + " | ".join(columns))
    print("|---|--:|--:|--:|" + "--:|" * len(columns))
    for label, run in runs.items():
        best = min(seconds[label])
        cosine = float((vectors[label] * vectors[first]).sum(axis=1).mean())
        scores = "".join(f" {ndcg(run, name):.4f} |" for name in columns)
        ratio = min(seconds[first]) / best
        speed = len(vectors[label]) / best
        print(f"| {label} | {speed:.1f} | {ratio:.2f} | {cosine:.4f} |{scores}", flush=True)


if __name__ == "__main__":
    main("quality" in sys.argv[1:])

"""On what and with which versions something was measured. Not here: measuring."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

LIBRARIES = (
    "pilotfish", "onnxruntime", "tantivy", "faiss-cpu", "numpy", "torch", "sentence-transformers",
    "transformers", "bm25s", "llama-index-core", "llama-index-embeddings-huggingface",
    "llama-index-retrievers-bm25", "haystack-ai", "sentence-transformers-haystack",
)  # fmt: skip


def facts() -> dict[str, object]:
    """Processor, cores, memory, system; how busy others kept it just before the run."""
    return {
        "processor": _processor(),
        "cores": _cores(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.platform(),
        "busy_before": round(_busy(), 2),
    }


def versions(libraries: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Python's and the libraries' versions."""
    found = {"python": platform.python_version()}
    for name in libraries:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _busy(seconds: float = 2.0) -> float:
    """Share of all cores' time that was not idle, over a short wait; 0 where it is not known."""
    before = _ticks()
    time.sleep(seconds)
    idle, total = (after - first for after, first in zip(_ticks(), before, strict=True))
    return 1 - idle / total if total > 0 else 0.0


def _ticks() -> tuple[int, int]:
    """(idle, total) ticks since boot."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0, 0
    numbers = [int(field) for field in stat.read_text().split("\n", 1)[0].split()[1:]]
    return numbers[3] + numbers[4], sum(numbers[:8])


def _cores() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

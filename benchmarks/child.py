"""Runs one measurement in a fresh process and gives its result, wall time and peak memory.

`call("indexing", "ours", {...})` runs `benchmarks.indexing.ours(**{...})` in a child. Not here:
what is measured.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.ground import ROOT

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class ChildFailed(RuntimeError):
    """A measuring process did not end well; the message carries the end of its stderr."""


def call(
    module: str, function: str, arguments: Mapping[str, Any], threads: int = 0
) -> dict[str, Any]:
    """The function's dict, with `peak_mb` of its process added. threads: 0 leaves defaults."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "result.json"
        spoken = [module, function, json.dumps(dict(arguments)), str(target)]
        timed = run([sys.executable, "-m", "benchmarks.child", *spoken], threads)
        result: dict[str, Any] = json.loads(target.read_text())
    return result | {"peak_mb": timed["peak_mb"]}


def run(command: Sequence[str], threads: int = 0) -> dict[str, Any]:
    """Wall seconds and peak resident megabytes of a command; its stdout.

    threads: for OpenMP and BLAS, that is for torch, faiss and numpy; 0 leaves their defaults.
    """
    environment = {k: v for k, v in os.environ.items() if not _ours(k)}
    environment |= {"PYTHONPATH": str(ROOT), "TOKENIZERS_PARALLELISM": "true"}
    environment |= {"HF_HUB_OFFLINE": "1", "HAYSTACK_TELEMETRY_ENABLED": "False"}
    if threads:
        environment |= {name: str(threads) for name in _THREADS}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, cwd=ROOT, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            said = err.read().decode(errors="replace")[-3000:]
            raise ChildFailed(f"{' '.join(command)[:200]}: {said}")
        return {
            "seconds": round(seconds, 3),
            "peak_mb": round(usage.ru_maxrss / 1024, 1),
            "stdout": out.read().decode(),
        }


def _ours(name: str) -> bool:
    """Settings of the user's own Pilotfish must not reach a measurement."""
    return name.startswith("PILOTFISH_") and name not in {"PILOTFISH_CACHE", "PILOTFISH_BENCH_DATA"}


def main() -> None:
    module, function, arguments, target = sys.argv[1:]
    found = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    Path(target).write_text(json.dumps(found(**json.loads(arguments))))


if __name__ == "__main__":
    main()

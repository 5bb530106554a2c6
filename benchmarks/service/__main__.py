"""`python -m benchmarks.service [--quick] [--only NAME]...`: measures the running service.

Real processes, a real Redis, a real LLM server over the wire. Each part runs in its own process
and is merged into results.json when it ends; one that fails is reported and the others go on.
Not here: what is measured (one file a part), the rendering (benchmarks/render.py).
"""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.ground import ROOT, ground

PARTS = ("speed", "latency", "fairness", "scale", "faults")
HERE = ROOT / "benchmarks" / "service"


def main() -> int:
    """0: all parts ran; 1: some failed; 3: no data."""
    options = _options()
    if options.target:
        return _measure(options.only[0], Path(options.target), options.quick)
    ground(options.quick).collection("scifact")  # made once, before anything is timed
    results = HERE / ("quick" if options.quick else "") / "results.json"
    results = Path(options.results or results)
    results.parent.mkdir(parents=True, exist_ok=True)
    failed = [name for name in options.only or PARTS if not _part(name, results, options.quick)]
    if failed:
        print(f"error: failed: {', '.join(failed)} (see above)", file=sys.stderr)
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.service", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers; to try it out")
    parser.add_argument("--only", action="append", choices=PARTS, help="one part; may be repeated")
    parser.add_argument("--results", help="file to merge into")
    parser.add_argument("--target", help=argparse.SUPPRESS)
    return parser.parse_args()


def _part(name: str, results: Path, quick: bool) -> bool:
    """Measure one part in a process of its own and merge what it found."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    target = results.with_name(f"{name}.part.json")
    command = [sys.executable, "-m", "benchmarks.service", "--only", name]
    command += ["--target", str(target), *(["--quick"] if quick else [])]
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode or not target.exists():
        return False
    merged: dict[str, Any] = json.loads(results.read_text()) if results.exists() else {}
    merged[name] = json.loads(target.read_text())
    results.write_text(json.dumps(merged, indent=1) + "\n", encoding="utf-8")
    target.unlink()
    print(f"{name}: {merged[name]['seconds']} s", file=sys.stderr, flush=True)
    return True


def _measure(name: str, target: Path, quick: bool) -> int:
    """In the part's own process; told to end, it ends its fleet first."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    here = ground(quick)
    record: dict[str, Any] = {
        "date": machine.now(),
        "machine": machine.facts(),
        "versions": machine.versions(),
        "quick": quick,
        "command": f"python -m benchmarks.service --only {name}{' --quick' if quick else ''}",
    }
    start = time.perf_counter()
    result = importlib.import_module(f"benchmarks.service.{name}").measure(here)
    record |= {"seconds": round(time.perf_counter() - start, 1), "result": result}
    target.write_text(json.dumps(record, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

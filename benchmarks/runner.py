"""Runs the parts of a suite, each in a process of its own, and merges what they found.

A part that fails is reported and the others go on; what a part leaves running, however it ended,
is killed. Not here: what is measured (one file a part), the report (render.py).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import leftovers, machine
from benchmarks.ground import ROOT, ground

HERE = ROOT / "benchmarks"
ACTIONS = ("run", "render", "measure")
INTERRUPTED = 130
GRACE_SECONDS = 90.0  # in which a part that is told to end must have ended its children


@dataclass(frozen=True, slots=True)
class Suite:
    """`parts`: name -> (module of `package`, arguments of its `measure`). `results`: the file's
    place below benchmarks/ or benchmarks/quick/. `prepare` makes what no part may be charged for.
    `cores`: how many a part and its children may use at most; None: all. `limit`: seconds of one
    part, after which it is ended and has failed.
    """

    package: str
    parts: Mapping[str, tuple[str, Mapping[str, Any]]]
    results: str
    prepare: Callable[[bool], object]
    versions: Callable[[], Mapping[str, str]]
    cores: int | None = None
    limit: float = 14_400.0

    def chosen(self, wanted: list[str] | None) -> list[str]:
        """The parts of these names; a module's name stands for all of its parts."""
        return [name for name, (module, _) in self.parts.items()
                if not wanted or name in wanted or module in wanted]  # fmt: skip

    @property
    def choices(self) -> list[str]:
        return sorted({*self.parts, *(module for module, _ in self.parts.values())})


def main(suite: Suite, about: str) -> int:
    """0: all parts ran; 1: some failed; 3: no data; 130: interrupted."""
    options = _options(suite, about)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end what was started, then end
    if options.action == "measure":
        return _measure(suite, options.only[0], Path(options.target), options.quick)
    results = Path(options.results or _place(suite.results, options.quick))
    failed = []
    if options.action == "run":
        suite.prepare(options.quick)
        names = suite.chosen(options.only)
        try:
            failed = [name for name in names if not _part(suite, name, results, options.quick)]
        except KeyboardInterrupt:
            print("error: interrupted; what ran is ended", file=sys.stderr)
            return INTERRUPTED
    _rendered(results)
    if failed:
        print(f"error: failed: {', '.join(failed)} (see above)", file=sys.stderr)
    return 1 if failed else 0


def _options(suite: Suite, about: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(f"python -m {suite.package}", description=about)
    parser.add_argument("action", nargs="?", default="run", choices=ACTIONS)
    parser.add_argument("--quick", action="store_true", help="small subsets; to try it out")
    parser.add_argument(
        "--only", action="append", choices=suite.choices, help="one part; may be repeated"
    )
    parser.add_argument("--results", help="file to merge into")
    parser.add_argument("--target", help=argparse.SUPPRESS)
    return parser.parse_args()


def _place(results: str, quick: bool) -> Path:
    return (HERE / "quick" if quick else HERE) / results


def _rendered(results: Path) -> None:
    """Write the report that these results belong to."""
    from benchmarks.render import NESTED, render

    nested = results.parts[-2:] in NESTED
    main_results = results.parents[1] / "results.json" if nested else results
    if not results.exists() and not main_results.exists():
        return
    try:
        render(main_results)
    except ModuleNotFoundError as error:
        mend = 'pip install "pilotfish[bench]", then python -m benchmarks render'
        print(f"not rendered: {error.name} is missing: {mend}", file=sys.stderr)


def _part(suite: Suite, name: str, results: Path, quick: bool) -> bool:
    """Measure one part in a process of its own and merge what it found."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    results.parent.mkdir(parents=True, exist_ok=True)
    target = results.with_name(f"{name}.part.json")
    target.unlink(missing_ok=True)
    command = [sys.executable, "-m", suite.package, "measure", "--only", name]
    command += ["--target", str(target), *(["--quick"] if quick else [])]
    with leftovers.swept():
        status = _run(command, suite.limit)
    if status or not target.exists():
        return False
    merged: dict[str, Any] = json.loads(results.read_text()) if results.exists() else {}
    merged[name] = json.loads(target.read_text())
    results.write_text(json.dumps(merged, indent=1) + "\n", encoding="utf-8")
    target.unlink()
    print(f"{name}: {merged[name]['seconds']} s", file=sys.stderr, flush=True)
    return True


def _run(command: list[str], limit: float) -> int:
    """The status of a part, which is ended when it takes too long or we are told to end."""
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        print(f"error: took over {limit:g} s: ended", file=sys.stderr)
        return 1
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _measure(suite: Suite, name: str, target: Path, quick: bool) -> int:
    """In the part's own process."""
    if suite.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: suite.cores])
    module, arguments = suite.parts[name]
    here = ground(quick)
    record: dict[str, Any] = {
        "date": machine.now(),
        "machine": machine.facts(),
        "versions": dict(suite.versions()),
        "quick": quick,
        "command": f"python -m {suite.package} --only {name}{' --quick' if quick else ''}",
    }
    start = time.perf_counter()
    result = importlib.import_module(f"{suite.package}.{module}").measure(here, **arguments)
    record |= {"seconds": round(time.perf_counter() - start, 1), "result": result}
    target.write_text(json.dumps(record, indent=1), encoding="utf-8")
    return 0

"""Questions asked of an opened library, without the service: what its figures are held against.

    with Embedded(workspace, "plain", llm_url) as embedded:
        seconds = embedded.ask("Does ...?")

Each question is timed in the child itself. Not here: the service.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.ground import ROOT
from tests.service.fleet import MODEL
from tests.service.processes import environment

if TYPE_CHECKING:
    from pipeline.library import Library

WARM_UP = 10


class Embedded:
    """A process of its own that answers one question after another."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, question: str) -> dict[str, float]:
        """`seconds` and `cpu_seconds` that the library took."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        assert said, f"the embedded library has ended: {self._process.wait(10)}"
        told: dict[str, float] = json.loads(said)
        return told


@contextlib.contextmanager
def embedded(workspace: Path, recipe: str, llm: str | None) -> Iterator[Embedded]:
    """Warm; `llm`: the address of the LLM, None for none."""
    command = [sys.executable, "-m", "benchmarks.service.embedded", str(workspace), recipe]
    command += [llm] if llm else []
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env=environment({"OPENAI_API_KEY": "sk-test-not-a-real-key"}),
    )  # fmt: skip
    try:
        made = Embedded(process)
        for number in range(WARM_UP):
            made.ask(f"Does warm-up {number} precede?")
        yield made
    finally:
        process.kill()
        process.communicate()


def _library(workspace: str, llm: str | None) -> Library:
    from pilotfish.settings import LLMSettings, Settings
    from pipeline.library import Library

    own = LLMSettings(model=MODEL, api_base=llm) if llm else LLMSettings()
    return Library(Settings(workspace=Path(workspace), llm=own, threads=1))


def main(workspace: str, recipe: str, llm: str | None = None) -> None:
    """In the child: one line of JSON in, one out."""
    from pilotfish.types import Question

    library, out = _library(workspace, llm), os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints must not come between
    for line in sys.stdin:
        begun, used = time.perf_counter(), time.process_time()
        library.ask(Question(json.loads(line)), recipe)
        told: dict[str, Any] = {"cpu_seconds": time.process_time() - used}
        told["seconds"] = time.perf_counter() - begun
        out.write(json.dumps(told) + "\n")
        out.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Shared by all tests: one small collection, and the command line as a real child process.

The collection is built once per session by `pilotfish add`; tests that change it get a copy.
Every run of the command line is checked for tracebacks. Not here: anything of one folder only.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests import warm
from tests.llm_server import LLMServer
from tests.warm import ROOT, Child

BLOCK = re.compile(r"\[(k[a-z2-7]+)\] (.*?) \[/\1\]", re.S)
ASKED = "Within how many days may goods be returned?"
UNANSWERABLE = "Who is the king of France?"

RETURNS = """# Returns

Goods may be returned within 30 days of delivery. Opened software cannot be returned.

## Refunds

Refunds are paid to the original card within five working days.
"""
SHIPPING = (
    "Orders above 50 euros ship free of charge. Express delivery costs 12 euros per parcel.\n"
)
WARRANTY = (
    "<html><head><title>Warranty</title></head><body><main><h1>Warranty</h1>"
    "<p>The warranty on every motor lasts three years.</p></main></body></html>"
)
PRICES = "item,price,stock\nanvil,12.50,4\nrope,3.20,120\nlantern,8.75,15\n"
CHINESE = "# 退货政策\n\n客户可以在三十天内退货。总部位于上海市。\n"
NOTES = (
    {"id": "n-1", "title": "Harbour", "text": "The harbour office opens at seven in the morning.",
     "year": 2019, "team": "ops"},
    {"id": "n-2", "title": "Crane", "text": "The yellow crane lifts forty tonnes at most.",
     "year": 2022, "team": "ops"},
    {"id": "n-3", "title": "Canteen", "text": "The canteen serves fish soup on every Friday.",
     "year": 2023, "team": "food"},
)  # fmt: skip


def write_documents(folder: Path) -> Path:
    """Five files and a JSONL of three documents in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"returns.md": RETURNS, "shipping.txt": SHIPPING, "warranty.html": WARRANTY,
             "prices.csv": PRICES, "chinese.md": CHINESE}  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    lines = [json.dumps(note) + "\n" for note in NOTES]
    (folder / "notes.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


@dataclass(frozen=True, slots=True)
class Done:
    """How a run of the command line ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """stdout as JSON lines; fails when anything else stands there."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def one(self) -> Any:
        (line,) = self.lines
        return line


@dataclass(frozen=True, slots=True)
class Pilotfish:
    """`pilotfish` in `folder` on one workspace, with an environment of nothing of ours."""

    folder: Path
    workspace: Path
    env: dict[str, str] = field(default_factory=dict)
    before: Callable[[], None] | None = None  # runs in the child before the program

    def __call__(
        self, *arguments: object, code: int | None = 0, stdin: bytes = b"", timeout: float = 120
    ) -> Done:
        """Run to the end; `code` is the exit status it must have (None: any)."""
        child = self.start(*arguments)
        try:
            out, err = child.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            raise
        return checked(child.returncode, out, err, code)

    def start(self, *arguments: object) -> Child:
        """Only start it, in a group of its own."""
        command = ["-m", "pilotfish.cli.main", *map(str, arguments)]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        if self.before is None:
            return warm.start(command, self.folder, self.environment(), **pipes)
        return subprocess.Popen(
            [sys.executable, *command], cwd=self.folder, env=self.environment(),
            start_new_session=True, preexec_fn=self.before, **pipes,
        )  # fmt: skip

    def environment(self) -> dict[str, str]:
        """Ours out, the workspace in."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PILOTFISH_", "OPENAI_"))}
        if "PILOTFISH_CACHE" in os.environ:
            kept["PILOTFISH_CACHE"] = os.environ["PILOTFISH_CACHE"]
        own = {"PILOTFISH_WORKSPACE": str(self.workspace), "PYTHONPATH": str(ROOT)}
        return kept | own | {"NO_COLOR": "1", "PYTHONUTF8": "1", "COLUMNS": "200"} | self.env

    def having(self, **env: object) -> Pilotfish:
        """The same with more environment."""
        more = {name: str(value) for name, value in env.items()}
        return Pilotfish(self.folder, self.workspace, self.env | more, self.before)

    def on(self, workspace: Path) -> Pilotfish:
        """The same on another workspace."""
        return Pilotfish(self.folder, workspace, self.env, self.before)

    def unprivileged(self) -> Pilotfish:
        """The same, held to file permissions even when the tests are run by root."""
        return Pilotfish(self.folder, self.workspace, self.env, drop_override)

    def asking(self, server: LLMServer, **env: object) -> Pilotfish:
        """The same with the local LLM server configured, and every question sent to it."""
        return self.having(**{
            "OPENAI_API_KEY": "sk-test-not-a-real-key", "PILOTFISH_LLM__MODEL": "openai/test-model",
            "PILOTFISH_LLM__API_BASE": server.url, "PILOTFISH_LLM__TIMEOUT": "20",
            "PILOTFISH_EXTRACT_ABOVE": "1.0", **env,
        })  # fmt: skip


def checked(code: int, out: bytes, err: bytes, wanted: int | None) -> Done:
    """What came, after the checks that hold for every run."""
    done = Done(code, out.decode(), err.decode())
    assert "Traceback (" not in done.err + done.out, done.err + done.out
    assert "\x1b[" not in done.out, "colour codes on a pipe"
    assert wanted is None or code == wanted, f"exit {code}, not {wanted}\n{done.err}\n{done.out}"
    return done


def drop_override() -> None:
    """Give up root's right to pass over file permissions (Linux: CAP_DAC_*)."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH; 24: PR_CAPBSET_DROP
            libc.prctl(24, capability, 0, 0, 0)


def quoted_by(messages: Sequence[Mapping[str, str]]) -> str:
    """An LLM that answers with the first sentence of the first passage, and its key."""
    found = BLOCK.search(messages[-1]["content"])
    return f"{found.group(2).split('. ')[0].rstrip('.')} [{found.group(1)}]." if found else "?"


@pytest.fixture
def llm() -> Iterator[LLMServer]:
    with LLMServer(respond=quoted_by) as server:
        yield server


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `docs` of the shared collection; read only."""
    return write_documents(tmp_path_factory.mktemp("shared") / "docs")


@pytest.fixture(scope="session")
def shared(documents: Path) -> Pilotfish:
    """The command line on the shared collection; for runs that change nothing."""
    pilotfish = Pilotfish(documents.parent, documents.parent / "workspace")
    report = pilotfish("--json", "add", "docs").one
    assert len(report["added"]) == 8 and not report["failed"], report
    shutil.copytree(pilotfish.workspace, pilotfish.workspace.with_name("pristine"))
    return pilotfish


@pytest.fixture(scope="session")
def pristine(shared: Pilotfish) -> Path:
    """The shared workspace as it was built: no question has been asked of it."""
    return shared.workspace.with_name("pristine")


@pytest.fixture
def mine(pristine: Path, tmp_path: Path) -> Pilotfish:
    """The command line on a copy of the shared collection, in a folder of its own."""
    shutil.copytree(pristine, tmp_path / "workspace")
    return Pilotfish(tmp_path, tmp_path / "workspace")


@pytest.fixture
def fresh(tmp_path: Path) -> Pilotfish:
    """The command line in an empty folder, without a workspace."""
    return Pilotfish(tmp_path, tmp_path / "workspace")


_SLOW_FOLDERS = {"models", "faults", "llm"}
_SLOW_FILES = {"test_sandbox.py", "test_mutations.py", "test_llama_split.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts the encoder, child processes or a server is slow: `make test-fast` skips it."""
    for item in items:
        if item.path.parent.name in _SLOW_FOLDERS or item.path.name in _SLOW_FILES:
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """What a test printed goes to the main process as UTF-8; half characters do not pass."""
    report: Any = yield
    report.sections = [(name, text.encode("utf-8", "replace").decode())
                       for name, text in report.sections]  # fmt: skip
    return report

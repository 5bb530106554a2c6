"""The house: which folder may import which, who owns a third party, how modules look."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Pilotfish

BELOW: dict[str, set[str]] = {
    "pilotfish": set(),
    "store": {"pilotfish"},
    "models": {"pilotfish", "store"},
    "corpus": {"pilotfish", "store"},
    "retrievers": {"pilotfish", "store", "models", "corpus"},
    "prompters": {"pilotfish", "store", "models", "corpus"},
    "verifiers": {"pilotfish", "store", "models", "corpus"},
}
HELPERS = {"retrievers", "prompters", "verifiers"}
BELOW["pipeline"] = {*BELOW}
BELOW["workers"] = {*BELOW}
# The command line imports the engine inside its commands, never at its own import.
LAZY = ("pilotfish/cli/",)

HOMES = {
    "litellm": r"pipeline/llm(_\w+)?\.py|pipeline/prices\.py",
    "openai": r"pipeline/llm(_\w+)?\.py",
    "sqlalchemy": r"store/.*",
    "alembic": r"store/.*",
    "onnx": r"models/.*",
    "onnxruntime": r"models/.*",
    "onnxscript": r"models/.*",
    "torch": r"models/.*",
    "sentence_transformers": r"models/.*",
    "transformers": r"models/.*",
    "tokenizers": r"models/.*",
    "tantivy": r"retrievers/\w+_index\.py",
    "duckdb": r"retrievers/locked/.*",
    "sqlglot": r"retrievers/locked/.*",
    "faiss": r"retrievers/\w+_index\.py",
    "llama_index": r"corpus/.*|pilotfish/adapters/.*|retrievers/llama_store\.py",
    "pypdfium2": r"corpus/formats/.*",
    "docx": r"corpus/formats/.*",
    "pptx": r"corpus/formats/.*",
    "selectolax": r"corpus/formats/.*",
    "openpyxl": r"corpus/formats/.*|pipeline/(questions|outputs)\.py",
    "rdflib": r"corpus/formats/.*",
    "networkx": r"retrievers/graph/.*",
    "rapidfuzz": r"retrievers/graph/.*|prompters/spelling\.py",
    "rank_bm25": r"prompters/demonstrations/.*",
    "sklearn": r"models/.*",
    "scipy": r"models/.*",
    "celery": r"workers/.*",
    "redis": r"workers/.*",
    "fastapi": r"workers/.*",
    "typer": r"pilotfish/cli/.*",
    "rich": r"pilotfish/cli/.*",
    "dotenv": r"pilotfish/settings\.py",
    "pydantic": r"pilotfish/settings(_groups)?\.py|workers/.*",
    "httpx2": r"pilotfish/client/.*",
    "kombu": r"workers/.*",
    "starlette": r"workers/.*",
    "uvicorn": r"workers/.*",
    "h11": r"workers/.*",
    "psycopg": r"store/.*|retrievers/locked/postgres\.py",
    "opentelemetry": r"workers/telemetry_otel\.py",
}
# Where any exception may end, and why.
BOUNDARIES = {
    "pilotfish/step.py": "one helper must not end an item",
    "pilotfish/cli/context.py": "a bug of ours becomes one line and exit code 1",
    "pipeline/llm.py": "LiteLLM, its SDKs and httpx become a Failure",
    "pipeline/batch.py": "a worker thread's error is raised again by the thread that waits",
    "corpus/jail.py": "the parser's child: any library may raise anything",
    "workers/answering.py": "no item may end its worker: it is put back, and dies after three",
    "workers/access.py": "no request may end in a traceback",
    "workers/indexing.py": "no file may end its worker",
    "workers/telemetry_otel.py": "telemetry may end neither a request nor an item",
    "corpus/add.py": "one file of an add: what breaks on it is its failure, the rest goes on",
    "retrievers/llama_store.py": "whatever a vector store raises: it is away, or wrongly set up",
}
HEAVY = ("torch", "litellm", "llama_index", "transformers", "sqlalchemy", "onnxruntime", "faiss",
         "sentence_transformers", "tantivy", "numpy")  # fmt: skip


def modules() -> Iterator[tuple[str, ast.Module]]:
    """(path from the root, syntax tree) of every module of the product."""
    for folder in BELOW:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """(top name, for types only) of every import, wherever it stands."""
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name.split(".")[0], id(node) in typing_only
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0], id(node) in typing_only
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            constants = [each for each in node.args[:1] if isinstance(each, ast.Constant)]
            yield from ((str(each.value).split(".")[0], False) for each in constants)


def test_imports_point_one_way() -> None:
    wrong = [
        f"{path} imports {name}"
        for path, tree in modules()
        for name, _ in imports(tree)
        if name in BELOW
        and name != path.split("/")[0]
        and name not in BELOW[path.split("/")[0]]
        and not path.startswith(LAZY)
    ]
    assert not wrong


def test_helper_folders_never_import_each_other() -> None:
    for folder in HELPERS:
        assert not BELOW[folder] & HELPERS


def test_the_command_line_imports_the_engine_inside_its_commands_only() -> None:
    wrong = [
        f"{path} imports {name} at its top"
        for path, tree in modules()
        if path.startswith(LAZY)
        for statement in tree.body
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for name, _ in imports(statement)
        if name in BELOW and name != "pilotfish"
    ]
    assert not wrong


def test_every_third_party_has_one_home() -> None:
    wrong = [
        f"{path} imports {name}"
        for path, tree in modules()
        for name, typing_only in imports(tree)
        if name in HOMES and not typing_only and not re.fullmatch(HOMES[name], path)
    ]
    assert not wrong


def test_any_exception_is_caught_at_the_listed_boundaries_only() -> None:
    found = {path for path, tree in modules() if any(catches_all(node) for node in ast.walk(tree))}
    assert found <= set(BOUNDARIES)


def catches_all(node: ast.AST) -> bool:
    """A bare `except:`, or Exception / BaseException that does not raise on."""
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = "BaseException" if node.type is None else ast.unparse(node.type)
    passed_on = any(isinstance(inner, ast.Raise) and inner.exc is None for inner in node.body)
    return bool(re.search(r"\b(Base)?Exception\b", caught)) and not passed_on


def test_nothing_is_unpickled_evaluated_or_executed() -> None:
    wrong = [
        f"{path}: {ast.unparse(node)[:60]}"
        for path, tree in modules()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Call) and ast.unparse(node.func) in {"eval", "exec", "os.system"})
        or (isinstance(node, ast.keyword) and node.arg == "shell")
    ]
    wrong += [path for path, tree in modules() for name, _ in imports(tree)
              if name in {"pickle", "marshal", "shelve", "dill", "joblib"}]  # fmt: skip
    assert not wrong


def test_modules_are_short_and_say_what_they_do() -> None:
    for path, tree in modules():
        lines = (ROOT / path).read_text(encoding="utf-8").count("\n")
        assert lines <= 300, f"{path} has {lines} lines"
        assert path.endswith("migrations/env.py") or ast.get_docstring(tree), f"{path} says nothing"


def test_test_names_are_unique_across_folders() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("statement", ["import pilotfish", "import pilotfish.cli.main"])
def test_importing_the_package_loads_nothing_heavy(statement: str, tmp_path: Path) -> None:
    assert not loaded(f"{statement}; import sys; print(*sys.modules)", tmp_path) & set(HEAVY)


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from pilotfish.cli.main import main; sys.argv = ['pilotfish', '--help']\n"
        "try: main()\nexcept SystemExit: print(*sys.modules)"
    )
    assert not loaded(code, tmp_path) & set(HEAVY)


def loaded(code: str, folder: Path) -> set[str]:
    """Top names on the last line that `code` prints."""
    environment = Pilotfish(folder, folder).environment()
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_importing_the_package_takes_under_a_fifth_of_a_second(tmp_path: Path) -> None:
    assert min(import_seconds(tmp_path) for _ in range(3)) < 0.2


def import_seconds(folder: Path) -> float:
    """Cumulative seconds of `import pilotfish` as Python itself measures them."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import pilotfish"], cwd=folder, check=True,
        env=Pilotfish(folder, folder).environment(), capture_output=True, text=True,
    )  # fmt: skip
    (line,) = re.findall(r"\|\s*(\d+) \| pilotfish$", done.stderr, re.M)
    return int(line) / 1e6

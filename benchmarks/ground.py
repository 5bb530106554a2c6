"""Where a benchmark stands: data, a work folder, full or quick; and the collections it searches.

Collections lie in a folder named after the product's code, so that a change of code never
meets an old index. Not here: any measuring.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import data
from benchmarks.data import RetrievalSet

if TYPE_CHECKING:
    from pipeline.library import Hooks, Library

ROOT = Path(__file__).resolve().parent.parent
SETS = ("scifact", "cranfield", "2wiki")
QUICK_DOCUMENTS, QUICK_QUERIES = 300, 30
_CODE = ("store", "models", "corpus", "retrievers", "pilotfish")
NO_DATA = 3
COMPLETE = "complete"  # a file that says so


@dataclass(frozen=True, slots=True)
class Ground:
    """`data`: the development tree. `work`: collections of this code. `quick`: small subsets."""

    data: Path
    work: Path
    quick: bool

    def retrieval_set(self, name: str) -> RetrievalSet:
        limits = (QUICK_DOCUMENTS, QUICK_QUERIES) if self.quick else (0, 0)
        return data.retrieval_set(self.data, name, *limits)

    def corpus_file(self, name: str, count: int = 0) -> Path:
        """The set's documents as JSON lines, all or the first `count`."""
        path = self.work / "files" / f"{name}-{count or 'all'}.jsonl"
        if not path.exists():
            rows = self.retrieval_set(name).corpus
            data.write(path, rows[:count] if count else rows)
        return path

    def place(self, name: str) -> Path:
        """The workspace of the set's collection."""
        return self.work / "collections" / name

    def collection(self, name: str) -> Library:
        """The set as a collection, added once for this code."""
        place = self.place(name)
        if not (place / COMPLETE).exists():
            shutil.rmtree(place, ignore_errors=True)
            print(f"  adding {name} ...", file=sys.stderr, flush=True)
            library = opened(place, create=True)
            library.add([str(self.corpus_file(name))])
            (place / COMPLETE).touch()
        return opened(place)


def ground(quick: bool, *, sweep: bool = False) -> Ground:
    """From the environment; exits with 3 when the data is missing. sweep: drop stale work."""
    tree = Path(os.environ.get("PILOTFISH_BENCH_DATA") or ROOT.parent / "shared" / "data")
    if not (tree / "retrieval" / "scifact" / "corpus.jsonl.gz").is_file():
        print(
            f"error: no benchmark data at {tree}\n"
            "  mend: set PILOTFISH_BENCH_DATA to the folder that holds retrieval/ and reading/",
            file=sys.stderr,
        )
        raise SystemExit(NO_DATA)
    work = cache() / f"{_code_digest()}-{'quick' if quick else 'full'}"
    for old in cache().glob("*-quick" if quick else "*-full"):
        if sweep and old != work:
            shutil.rmtree(old, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    return Ground(tree, work, quick)


def cache() -> Path:
    """What may be thrown away: collections, reference vectors."""
    root = os.environ.get("PILOTFISH_CACHE") or Path.home() / ".cache" / "pilotfish"
    return Path(root).expanduser() / "benchmarks"


def opened(workspace: Path, *, create: bool = False) -> Library:
    """A library with default settings, whatever the environment says: no LLM, all cores."""
    from pilotfish.settings import Settings
    from pipeline.library import Library

    return Library(Settings(workspace=workspace), create=create)


def add(workspace: Path, file: Path, hooks: Hooks | None = None) -> Library:
    """Make a workspace and add one file to it."""
    from pipeline.library import Hooks

    library = opened(workspace, create=True)
    library.add([str(file)], hooks or Hooks())
    return library


def _code_digest() -> str:
    digest = hashlib.sha256()
    files = [path for folder in _CODE for path in sorted((ROOT / folder).rglob("*.py"))]
    for path in [*files, ROOT / "pipeline" / "library.py"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]

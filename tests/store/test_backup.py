"""A backup comes back whole, or is refused; a workspace's secret is made once."""

from __future__ import annotations

import stat
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotfish.errors import InputError, NotFound, SettingsError
from store import documents
from store.backup import backup, restore
from store.collections import find
from store.workspace import Workspace, exists, open_workspace, require
from tests.store.made import document, fresh_database, put, with_collection


def made(root: Path, text: str = "the text") -> Workspace:
    """A workspace with one document."""
    root.mkdir(parents=True)
    fresh_database(root).close()
    workspace = open_workspace(root, create=False)
    put(workspace.database, with_collection(workspace.database), document("a", text))
    return workspace


def text_in(root: Path) -> str | None:
    workspace = open_workspace(root, create=False)
    with workspace.database.read() as connection:
        found = documents.slice_of(connection, find(connection, "default").id, "a", 0, 99)
    workspace.database.close()
    return found


def test_a_backup_holds_the_database_and_the_secret(tmp_path: Path) -> None:
    workspace, file = made(tmp_path / "old"), tmp_path / "b.zip"
    assert backup(workspace, file) == file.stat().st_size
    restore(file, tmp_path / "new", force=False)
    assert text_in(tmp_path / "new") == "the text"
    assert (tmp_path / "new" / "secret").read_bytes() == workspace.secret
    assert stat.S_IMODE((tmp_path / "new" / "secret").stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.zip", "new", "old"]


def test_a_backup_beside_an_open_writer_holds_what_was_committed(tmp_path: Path) -> None:
    workspace, file = made(tmp_path / "old"), tmp_path / "b.zip"
    with workspace.database.write() as connection:
        documents.put(connection, 1, 9, document("b", "not yet committed"))
        backup(workspace, file)
    restore(file, tmp_path / "new", force=False)
    again = open_workspace(tmp_path / "new", create=False)
    with again.database.read() as connection:
        assert [row["id"] for row in documents.listing(connection, 1)] == ["a"]
    assert again.database.check() == "ok"


def test_a_backup_that_cannot_be_written_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    workspace = made(tmp_path / "old")
    with pytest.raises(InputError, match="choose another file"):
        backup(workspace, tmp_path / "no" / "such" / "folder.zip")
    assert [p.name for p in tmp_path.iterdir()] == ["old"]


def test_a_workspace_is_replaced_only_by_force(tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    backup(made(tmp_path / "old", "old text"), file)
    made(tmp_path / "new", "new text")
    with pytest.raises(InputError, match="--force"):
        restore(file, tmp_path / "new", force=False)
    assert text_in(tmp_path / "new") == "new text"
    restore(file, tmp_path / "new", force=True)
    assert text_in(tmp_path / "new") == "old text"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.zip", "new", "old"]


def test_a_folder_of_other_files_is_not_thrown_away(tmp_path: Path) -> None:
    file, folder = tmp_path / "b.zip", tmp_path / "papers"
    backup(made(tmp_path / "old"), file)
    folder.mkdir()
    (folder / "thesis.txt").write_text("three years of work")
    with pytest.raises(InputError, match="papers"):
        restore(file, folder, force=False)
    assert (folder / "thesis.txt").read_text() == "three years of work"


def test_an_empty_folder_may_be_restored_into(tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    backup(made(tmp_path / "old"), file)
    (tmp_path / "new").mkdir()
    restore(file, tmp_path / "new", force=False)
    assert text_in(tmp_path / "new") == "the text"


def test_a_backup_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"none\.zip"):
        restore(tmp_path / "none.zip", tmp_path / "new", force=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    backup(made(folder / "old"), folder / "b.zip")
    return folder / "b.zip"


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_damaged_backup_is_refused_or_comes_back_exactly(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    sound = whole.read_bytes()
    at = data.draw(st.integers(0, len(sound) - 1))
    damaged = bytearray(sound)
    damaged[at] ^= data.draw(st.integers(1, 255))
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "b.zip").write_bytes(damaged)
    try:
        restore(folder / "b.zip", folder / "new", force=False)
    except InputError as error:
        assert "no whole pilotfish backup" in str(error)
        assert [p.name for p in folder.iterdir()] == ["b.zip"]
    else:
        for name in ("pilotfish.db", "secret"):
            with zipfile.ZipFile(whole) as archive:
                assert (folder / "new" / name).read_bytes() == archive.read(name)


@pytest.mark.parametrize(
    "manifest",
    ['{"format": 2, "files": {}}', "[]", "null", '{"format": 1, "files": {"../evil": "0"}}', "{"],
)
def test_a_foreign_archive_is_refused(tmp_path: Path, manifest: str) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("manifest.json", manifest)
        archive.writestr("../evil", "x")
    with pytest.raises(InputError, match="no whole pilotfish backup"):
        restore(tmp_path / "b.zip", tmp_path / "in" / "new", force=False)
    assert not (tmp_path / "in" / "evil").exists() and not (tmp_path / "in" / "new").exists()


def test_half_a_backup_is_refused(tmp_path: Path, whole: Path) -> None:
    (tmp_path / "b.zip").write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(InputError, match="no whole pilotfish backup"):
        restore(tmp_path / "b.zip", tmp_path / "new", force=False)


def test_the_secret_is_made_once_and_is_its_owners_only(tmp_path: Path) -> None:
    first = made(tmp_path / "w")
    second = open_workspace(tmp_path / "w", create=False)
    path = tmp_path / "w" / "secret"
    assert first.secret == second.secret == path.read_bytes() and len(first.secret) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [p for p in path.parent.iterdir() if p.name.startswith(".secret-")]


def test_processes_that_open_a_new_workspace_together_get_one_secret(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    fresh_database(tmp_path / "w").close()
    secrets: list[bytes] = []
    gate = threading.Barrier(8)

    def work() -> None:
        gate.wait()
        secrets.append(open_workspace(tmp_path / "w", create=False).secret)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(secrets) == 8 and len(set(secrets)) == 1


def test_workspaces_have_different_secrets(tmp_path: Path) -> None:
    assert made(tmp_path / "a").secret != made(tmp_path / "b").secret


def test_a_workspace_that_is_a_file_or_is_missing_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SettingsError, match="is a file"):
        open_workspace(tmp_path / "file", create=True)
    with pytest.raises(NotFound, match="pilotfish add"):
        open_workspace(tmp_path / "none", create=False)
    with pytest.raises(NotFound, match="pilotfish add"):
        require(tmp_path / "none")
    assert not exists(tmp_path / "none")

"""A backup comes back whole, or is refused; a workspace's secret is made once."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotfish.errors import InputError, NotFound, SettingsError
from store import documents
from store.backup import backup, restore
from store.collections import find
from store.workspace import Workspace, exists, open_workspace
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
    made(tmp_path / "new", "new text").database.close()
    with pytest.raises(InputError, match="--force"):
        restore(file, tmp_path / "new", force=False)
    assert text_in(tmp_path / "new") == "new text"
    restore(file, tmp_path / "new", force=True)
    assert text_in(tmp_path / "new") == "old text"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.zip", "new", "old"]


def closed(root: Path, text: str = "the text") -> Path:
    made(root, text).database.close()
    return root


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """A backup of "old text" and a closed workspace of "new text"."""
    backup(made(tmp_path / "old", "old text"), tmp_path / "b.zip")
    return tmp_path / "b.zip", closed(tmp_path / "new", "new text")


def test_a_workspace_in_use_is_not_replaced(two: tuple[Path, Path]) -> None:
    file, root = two
    user = open_workspace(root, create=False)
    with pytest.raises(InputError, match="another process uses"):
        restore(file, root, force=True)
    assert put(user.database, with_collection(user.database), document("b", "more")) == 2
    user.database.close()
    assert text_in(root) == "new text"
    restore(file, root, force=True)
    assert text_in(root) == "old text"


def test_the_log_of_a_killed_writer_is_not_replayed_over_the_backup(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    file, root = two
    writer = open_workspace(root, create=False)
    put(writer.database, with_collection(writer.database), document("a", "in the log only"))
    shutil.copytree(root, tmp_path / "killed")
    writer.database.close()
    assert (tmp_path / "killed" / "pilotfish.db-wal").stat().st_size
    restore(file, tmp_path / "killed", force=True)
    assert text_in(tmp_path / "killed") == "old text"


def test_a_damaged_workspace_is_replaced(two: tuple[Path, Path]) -> None:
    file, root = two
    (root / "pilotfish.db").write_bytes(b"no database" * 999)
    (root / "pilotfish.db-wal").write_bytes(b"no log" * 999)
    restore(file, root, force=True)
    assert text_in(root) == "old text"


@pytest.mark.parametrize("at", range(1, 6))
def test_a_restore_that_breaks_anywhere_leaves_the_old_documents_whole(
    two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    file, root = two
    secret = (root / "secret").read_bytes()
    (root / "collections").mkdir()
    calls = iter(range(1, 99))
    whole: dict[str, Callable[..., object]] = {"replace": os.replace, "fsync": os.fsync}

    def breaks(name: str) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            if next(calls) == at:
                raise OSError(errno.ENOSPC, "No space left on device")
            return whole[name](*arguments)

        return call

    for name in whole:  # two files synced, three renames
        monkeypatch.setattr(f"store.backup.os.{name}", breaks(name))
    with pytest.raises(InputError, match=r"cannot restore into .*No space left on device"):
        restore(file, root, force=True)
    monkeypatch.undo()
    assert text_in(root) == "new text" and (root / "secret").read_bytes() == secret
    assert not list(root.glob(".restore-*"))


def test_a_link_to_a_workspace_stays_a_link_and_other_files_stay(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    file, root = two
    (root / "thesis.txt").write_text("three years of work")
    (tmp_path / "link").symlink_to(root)
    restore(file, tmp_path / "link", force=True)
    assert (tmp_path / "link").is_symlink() and text_in(root) == "old text"
    assert (root / "thesis.txt").is_file()


def test_a_link_to_a_folder_that_is_not_there_yet_is_followed(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "later")
    restore(two[0], tmp_path / "link", force=False)
    assert text_in(tmp_path / "later") == "old text" and (tmp_path / "link").is_symlink()


def test_the_indexes_of_the_replaced_documents_go_and_so_does_what_a_kill_left(
    two: tuple[Path, Path],
) -> None:
    file, root = two
    for folder in ("collections/default/index", ".restore-killed", ".backup-killed"):
        (root / folder).mkdir(parents=True)
        (root / folder / "file").write_text("x")
    restore(file, root, force=True)
    found = {path.name for path in root.iterdir()}
    locks = {"pilotfish.use.lock", "pilotfish.write.lock"}
    assert found == {"pilotfish.db", "secret"} | locks


def test_a_backup_is_its_owners_only_and_two_at_once_are_both_whole(tmp_path: Path) -> None:
    workspace, file = made(tmp_path / "old"), tmp_path / "b.zip"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: backup(workspace, file), range(8)))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    restore(file, tmp_path / "new", force=False)
    assert text_in(tmp_path / "new") == "the text"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.zip", "new", "old"]


def test_a_backup_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    for name in ("fsync", "replace"):
        real: Callable[..., object] = getattr(os, name)

        def call(*a: object, name: str = name, real: Callable[..., object] = real) -> object:
            steps.append(name)
            return real(*a)

        monkeypatch.setattr(f"store.backup.os.{name}", call)
    workspace = made(tmp_path / "old")
    steps.clear()
    backup(workspace, tmp_path / "b.zip")
    assert steps == ["fsync", "replace", "fsync"]


def test_a_backup_to_where_no_file_can_be_says_so(tmp_path: Path) -> None:
    workspace = made(tmp_path / "old")
    (tmp_path / "file").write_text("x")
    for target in (tmp_path / "file" / "b.zip", tmp_path / "old", Path(os.devnull)):
        with pytest.raises(InputError, match="choose another file"):
            backup(workspace, target)
    assert Path(os.devnull).is_char_device()


def test_a_damaged_database_is_told_by_backup(tmp_path: Path) -> None:
    workspace = made(tmp_path / "old")
    workspace.database.close()
    (tmp_path / "old" / "pilotfish.db").write_bytes(b"no database" * 999)
    with pytest.raises(SettingsError, match="is damaged"):
        backup(workspace, tmp_path / "b.zip")
    assert [p.name for p in tmp_path.iterdir()] == ["old"]


def test_a_copy_that_cannot_be_made_is_told_apart_from_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = made(tmp_path / "old")

    def full(**_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("store.backup.tempfile.TemporaryDirectory", full)
    with pytest.raises(InputError, match=r"cannot copy the database .*make room"):
        backup(workspace, tmp_path / "b.zip")
    assert [p.name for p in tmp_path.iterdir()] == ["old"]


def test_a_secret_of_another_length_is_refused_with_the_mend(tmp_path: Path) -> None:
    root = closed(tmp_path / "w")
    (root / "secret").write_bytes(b"")
    with pytest.raises(SettingsError, match=r"holds 0 bytes, not 32: delete it"):
        open_workspace(root, create=False)
    (root / "secret").unlink()
    assert len(open_workspace(root, create=False).secret) == 32


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
    assert not exists(tmp_path / "none")

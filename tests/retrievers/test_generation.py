"""Generations: what is damaged or unfinished is refused, and readers of the old one finish."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pilotfish.errors import IndexCorrupt
from retrievers import bm25_index, generation
from retrievers.generation import FORMAT, Manifest, begin, clone, current, hashes, publish, verify


def manifest(folder: Path, revision: int = 1) -> Manifest:
    return Manifest(FORMAT, "uid", revision, "fake-1", 2, 2, 0, hashes(folder))


def published(root: Path, revision: int = 1, text: str = "words") -> Path:
    """A live generation with a lexical index and one more file."""
    folder = begin(root, revision)
    bm25_index.update(folder / "bm25", [(1, text), (2, "more")], [])
    (folder / "dense.faiss").write_bytes(bytes(range(200)))
    publish(root, folder, manifest(folder, revision))
    return folder


def test_a_manifest_that_the_pointer_does_not_vouch_for_is_refused(tmp_path: Path) -> None:
    folder = published(tmp_path)
    sound = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(sound.replace('"revision": 1', '"revision": 9'))
    with pytest.raises(IndexCorrupt, match="is damaged"):
        current(tmp_path)


def test_before_the_first_build_there_is_none(tmp_path: Path) -> None:
    assert current(tmp_path / "index") is None


def test_a_published_generation_is_current_and_whole(tmp_path: Path) -> None:
    folder = published(tmp_path)
    assert current(tmp_path) == folder
    found = generation.read_manifest(folder)
    assert found == manifest(folder)
    verify(folder, found)
    assert {"dense.faiss", "bm25/meta.json"} < set(found.files)
    assert not any(name.endswith((".lock", "manifest.json")) for name in found.files)


def test_a_flipped_byte_in_any_file_is_refused(tmp_path: Path) -> None:
    folder = published(tmp_path)
    found = generation.read_manifest(folder)
    assert len(found.files) > 5
    for name in found.files:
        sound = (folder / name).read_bytes()
        for at in sorted({0, len(sound) // 2, len(sound) - 1} if sound else ()):
            damaged = bytearray(sound)
            damaged[at] ^= 1
            (folder / name).write_bytes(damaged)
            with pytest.raises(IndexCorrupt, match=r"is damaged .*doctor --repair") as caught:
                verify(folder, found)
            assert name in str(caught.value)
        (folder / name).write_bytes(sound + b"\0")
        with pytest.raises(IndexCorrupt):
            verify(folder, found)
        (folder / name).write_bytes(sound)
    verify(folder, found)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    folder = published(tmp_path)
    (folder / "dense.faiss").unlink()
    with pytest.raises(IndexCorrupt, match=r"dense\.faiss cannot be read"):
        verify(folder, generation.read_manifest(folder))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", f'{{"format": {FORMAT}}}', "\x00", '{"other": 1}']
)
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    folder = published(tmp_path)
    (folder / "manifest.json").write_text(text)
    with pytest.raises(IndexCorrupt, match=r"manifest\.json cannot be read"):
        generation.read_manifest(folder)


def test_a_manifest_of_another_format_is_refused(tmp_path: Path) -> None:
    folder = published(tmp_path)
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace(f'"format": {FORMAT}', '"format": 99'))
    with pytest.raises(IndexCorrupt, match="index format 99"):
        generation.read_manifest(folder)


@pytest.mark.parametrize("name", [b"", b"../../etc", b"gen-1/../..", b"other", b"\xff\xfe"])
def test_a_pointer_to_no_generation_is_refused(tmp_path: Path, name: bytes) -> None:
    published(tmp_path)
    (tmp_path / "CURRENT").write_bytes(name)
    with pytest.raises(IndexCorrupt, match="doctor --repair"):
        current(tmp_path)


def test_any_flipped_bit_of_the_pointer_is_refused(tmp_path: Path) -> None:
    published(tmp_path)
    sound = (tmp_path / "CURRENT").read_bytes()
    for bit in range(8 * len(sound)):
        damaged = bytearray(sound)
        damaged[bit // 8] ^= 1 << bit % 8
        (tmp_path / "CURRENT").write_bytes(damaged)
        with pytest.raises(IndexCorrupt):
            folder = current(tmp_path)
            assert folder is not None
            generation.read_manifest(folder)


def test_an_unfinished_generation_never_becomes_current(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever call on the way to publishing is the last that is made."""
    live = published(tmp_path)

    class Killed(Exception):
        pass

    real, left = generation.fsync, 0

    def fsync(path: Path) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        real(path)

    monkeypatch.setattr(generation, "fsync", fsync)
    monkeypatch.setattr(os, "replace", _never)
    for allowed in range(5):
        left, folder = allowed, begin(tmp_path, 2)
        (folder / "dense.faiss").write_bytes(b"new")
        with pytest.raises((Killed, AssertionError)):
            publish(tmp_path, folder, manifest(folder, 2))
        assert current(tmp_path) == live
        verify(live, generation.read_manifest(live))


def _never(*_: object) -> None:
    raise AssertionError("the rename comes last")


def test_everything_is_on_disk_before_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    rename = os.replace

    def renamed(source: Path, target: Path) -> None:
        synced.append("RENAME")
        rename(source, target)

    monkeypatch.setattr(generation, "fsync", lambda path: synced.append(path.name))
    monkeypatch.setattr(os, "replace", renamed)
    folder = begin(tmp_path, 1)
    (folder / "dense.faiss").write_bytes(b"new")
    publish(tmp_path, folder, manifest(folder))
    before = synced[: synced.index("RENAME")]
    assert before == ["dense.faiss", "manifest.json", folder.name, "CURRENT.new"]


def test_building_on_a_clone_leaves_the_old_generation_as_it_was(tmp_path: Path) -> None:
    old = published(tmp_path)
    before = hashes(old)
    reader = bm25_index.BM25Index(old / "bm25")
    new = begin(tmp_path, 2)
    clone(old / "bm25", new / "bm25")
    bm25_index.update(new / "bm25", [(3, "words words")], [1])
    publish(tmp_path, new, manifest(new, 2))
    assert hashes(old) == before
    verify(old, generation.read_manifest(old))
    assert [i for i, _ in reader.search("words", 9)] == [1]
    assert [i for i, _ in bm25_index.BM25Index(old / "bm25").search("words", 9)] == [1]
    assert [i for i, _ in bm25_index.BM25Index(new / "bm25").search("words", 9)] == [3]


def age(folder: Path, seconds: float = generation._KEEP_SECONDS + 5) -> None:
    """Let that much time have passed for a folder."""
    past = time.time() - seconds
    os.utime(folder, (past, past))


def test_a_generation_is_swept_only_when_its_time_of_grace_is_over(tmp_path: Path) -> None:
    old, young = published(tmp_path, 1), published(tmp_path, 2)
    age(old)
    live = published(tmp_path, 3)
    assert not old.exists() and young.is_dir() and live.is_dir()


def test_the_time_of_grace_begins_when_a_generation_is_replaced(tmp_path: Path) -> None:
    long_live = published(tmp_path, 1)
    age(long_live, 5 * generation._KEEP_SECONDS)
    published(tmp_path, 2)
    published(tmp_path, 3)
    assert long_live.is_dir()
    age(long_live)
    generation.sweep(tmp_path)
    assert not long_live.exists()


def test_nothing_is_swept_while_it_cannot_be_told_which_one_is_live(tmp_path: Path) -> None:
    live = published(tmp_path)
    age(live)
    (tmp_path / "CURRENT").write_text("gen-")
    generation.sweep(tmp_path)
    assert live.is_dir()


def test_the_live_generation_is_kept_however_old_it_is(tmp_path: Path) -> None:
    live = published(tmp_path)
    os.utime(live, (0, 0))
    generation.sweep(tmp_path)
    assert current(tmp_path) == live and live.is_dir()

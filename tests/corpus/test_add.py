"""Adding: unchanged costs nothing, changed replaces, and each file fails alone."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from corpus import add
from corpus.add import Adder, Report
from corpus.limits import MB, Limits
from corpus.parsed import Parsed, ParsedTable, ParseFailure, Section
from corpus.sandbox import Sandbox
from corpus.split import Splitter
from pilotfish.errors import SettingsError
from store import collections, documents, passages
from store.collections import Collection
from store.database import Database
from tests.store.made import drop, fresh_database, with_collection


class LinesParser(Sandbox):
    """Stands in for the sandbox: `*.jsonl` gives a document a line, `bad*` fails."""

    def __init__(self) -> None:
        super().__init__()
        self.parsed: list[str] = []

    def parse(
        self, path: Path | None, data: bytes | None, name: str
    ) -> Iterator[Parsed | ParseFailure]:
        self.parsed.append(name)
        text = data.decode() if path is None and data is not None else _read(path)
        if name.endswith(".jsonl"):
            yield from (_line(line, name) for line in text.splitlines())
        elif "bad" in name:
            yield ParseFailure(name, "it is bad: mend it")
        else:
            warnings = ("a warning",) if "odd" in text else ()
            yield Parsed(None, name, text, "text/plain", warnings=warnings)


def _read(path: Path | None) -> str:
    assert path is not None
    return path.read_text()


def _line(line: str, name: str) -> Parsed | ParseFailure:
    if not line.startswith("{"):
        return ParseFailure(name, f"line {line!r} is no JSON")
    fields = json.loads(line)
    metadata = {"year": fields.get("year")}
    return Parsed(fields["id"], "T", fields["text"], "application/jsonl", metadata=metadata)


def count(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


@dataclass(slots=True)
class World:
    folder: Path
    database: Database
    collection: Collection
    parser: LinesParser
    row_limit: int = 2

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / name.replace("_", ".")).write_text(text)

    def add(self, *names: str) -> Report:
        splitter = Splitter(count, 60, self.row_limit)
        adder = Adder(self.database, self.collection, splitter, self.parser)
        return adder([str(self.folder / name) for name in names])

    def texts(self) -> dict[str, str]:
        with self.database.read() as connection:
            found = documents.listing(connection, self.collection.id)
            shown = [documents.show(connection, self.collection.id, str(r["id"])) for r in found]
            return {str(one["id"]): str(one["text"]) for one in shown}

    def revision(self) -> int:
        with self.database.read() as connection:
            return collections.find(connection, "default").revision


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path / "docs")
    database = fresh_database(tmp_path)
    yield World(Path(), database, with_collection(database), LinesParser())
    database.close()


def jsonl(**lines: str) -> str:
    return "".join(json.dumps({"id": key, "text": text}) + "\n" for key, text in lines.items())


def test_new_documents_are_added_with_their_passages(world: World) -> None:
    world.write(a_txt="Some text here.", b_jsonl=jsonl(x="First one.", y="Second one."))
    report = world.add("a.txt", "b.jsonl")
    assert (report.added, report.updated, report.unchanged) == (["a.txt", "x", "y"], [], 0)
    assert report.passages == 3 and not report.failed
    assert world.texts() == {"a.txt": "Some text here.", "x": "First one.", "y": "Second one."}
    with world.database.read() as connection:
        assert passages.count(connection, world.collection.id) == 3
        assert passages.misquoted(connection, world.collection.id) == 0


def test_an_unchanged_file_is_not_even_parsed(world: World) -> None:
    world.write(a_txt="Some text here.", b_jsonl=jsonl(x="First.", y="Second."))
    world.add("a.txt", "b.jsonl")
    before = world.revision()
    report = world.add("a.txt", "b.jsonl")
    assert (report.added, report.updated, report.unchanged) == ([], [], 3)
    assert world.parser.parsed == ["a.txt", "b.jsonl"] and world.revision() == before


def test_a_changed_file_replaces_what_it_gave(world: World) -> None:
    world.write(a_txt="Old text here.")
    world.add("a.txt")
    world.write(a_txt="New text here.")
    report = world.add("a.txt")
    assert (report.added, report.updated, report.unchanged) == ([], ["a.txt"], 0)
    assert world.texts() == {"a.txt": "New text here."}
    with world.database.read() as connection:
        assert passages.count(connection, world.collection.id) == 1


def test_of_a_changed_file_only_the_changed_documents_are_stored_again(world: World) -> None:
    world.write(b_jsonl=jsonl(x="First.", y="Second."))
    world.add("b.jsonl")
    world.write(b_jsonl=jsonl(x="First.", y="Changed.", z="Third."))
    report = world.add("b.jsonl")
    assert (report.added, report.updated, report.unchanged) == (["z"], ["y"], 1)


def test_a_file_that_was_touched_but_says_the_same_is_unchanged(world: World) -> None:
    world.write(b_jsonl=jsonl(x="First."))
    world.add("b.jsonl")
    before = world.revision()
    (world.folder / "b.jsonl").write_text('{"text": "First.", "id": "x"}\n')
    report = world.add("b.jsonl")
    assert report.unchanged == 1 and world.parser.parsed == ["b.jsonl"] * 2
    assert world.revision() == before


def test_changed_metadata_alone_is_a_change(world: World) -> None:
    world.write(b_jsonl='{"id": "x", "text": "First.", "year": 1}\n')
    world.add("b.jsonl")
    world.write(b_jsonl='{"id": "x", "text": "First.", "year": 2}\n')
    assert world.add("b.jsonl").updated == ["x"]


def test_an_id_that_stands_twice_in_one_run_fails_and_names_the_first(world: World) -> None:
    world.write(b_jsonl=jsonl(x="First."), c_jsonl=jsonl(x="Another.", y="Second."))
    report = world.add("b.jsonl", "c.jsonl")
    assert report.added == ["x", "y"] and world.texts()["x"] == "First."
    (failure,) = report.failed
    assert failure.source == "c.jsonl"
    assert "'x' was already added from b.jsonl: give each document its own" in failure.reason


def test_the_same_file_named_twice_is_no_failure(world: World) -> None:
    world.write(a_txt="Some text.")
    report = world.add("a.txt", "a.txt")
    assert (report.added, report.unchanged, report.failed) == (["a.txt"], 1, [])


def test_an_id_that_moved_to_another_file_replaces_the_old(world: World) -> None:
    world.write(b_jsonl=jsonl(x="Old."))
    world.add("b.jsonl")
    world.write(c_jsonl=jsonl(x="New."))
    assert world.add("c.jsonl").updated == ["x"]
    with world.database.read() as connection:
        assert documents.keys_of_source(connection, world.collection.id, "b.jsonl") == []
        assert documents.keys_of_source(connection, world.collection.id, "c.jsonl") == ["x"]
    assert world.add("b.jsonl").updated == ["x"] and world.texts() == {"x": "Old."}


def test_a_removed_document_comes_back_though_its_file_is_unchanged(world: World) -> None:
    world.write(b_jsonl=jsonl(x="First.", y="Second."))
    world.add("b.jsonl")
    drop(world.database, world.collection, "x")
    report = world.add("b.jsonl")
    assert (report.added, report.unchanged) == (["x"], 1)


def test_a_bad_file_and_a_bad_line_fail_alone(world: World) -> None:
    world.write(bad_txt="x", b_jsonl="nonsense\n" + jsonl(x="First."), a_txt="Fine text.")
    report = world.add("bad.txt", "b.jsonl", "none.txt", "a.txt")
    assert report.added == ["x", "a.txt"]
    assert [(f.source, f.reason) for f in report.failed] == [
        ("bad.txt", "it is bad: mend it"),
        ("b.jsonl", "line 'nonsense' is no JSON"),
        ("none.txt", "no such file or folder: check the path"),
    ]


def test_a_file_with_a_failure_is_tried_again(world: World) -> None:
    world.write(b_jsonl="nonsense\n" + jsonl(x="First."))
    for _ in range(2):
        report = world.add("b.jsonl")
        assert len(report.failed) == 1
    assert report.unchanged == 1 and world.parser.parsed == ["b.jsonl"] * 2


def test_warnings_name_their_document(world: World) -> None:
    world.write(a_txt="An odd text.")
    assert world.add("a.txt").warnings == [("a.txt", "a warning")]


def test_rows_over_the_limit_are_kept_as_a_table_and_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"k: value number {i}" for i in range(5)]
    text = "\n".join(lines)
    spans = tuple((text.index(line), text.index(line) + len(line)) for line in lines)
    rows = tuple((line[3:],) for line in lines)
    table = ParsedTable("t", "T", ("k",), rows, spans, (2, 3, 4, 5, 6))
    sheet = Parsed(None, "T", text, "text/csv", (Section(0, len(text)),), (table,))
    monkeypatch.setattr(world.parser, "parse", lambda *_: iter([sheet]))
    world.write(a_csv="x")
    report = world.add("a.csv")
    assert (report.passages, report.tables) == (2, 1)
    told = "3 table rows are kept as a table but not searched one by one"
    assert report.warnings == [("a.csv", told)]
    with world.database.read() as connection:
        shown = documents.show(connection, world.collection.id, "a.csv")
    assert shown["warnings"] == [told]
    assert shown["tables"] == [{"name": "t", "title": "T", "columns": ["k"], "rows": 5}]


def test_dropped_passages_are_reported(world: World) -> None:
    world.write(a_txt="--")
    report = world.add("a.txt")
    assert (report.added, report.passages, report.dropped_short) == (["a.txt"], 0, 1)


def test_many_documents_are_stored_chunk_by_chunk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(add, "CHUNK_DOCUMENTS", 3)
    world.write(b_jsonl=jsonl(**{f"d{i}": f"Text {i}." for i in range(8)}))
    report = world.add("b.jsonl")
    assert len(report.added) == 8 and world.revision() == 3
    monkeypatch.setattr(add, "CHUNK_CHARACTERS", 10)
    world.write(b_jsonl=jsonl(**{f"d{i}": f"Other {i}." for i in range(8)}))
    assert len(world.add("b.jsonl").updated) == 8 and world.revision() == 7


def test_a_run_that_is_killed_keeps_what_it_reported(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(add, "CHUNK_DOCUMENTS", 1)
    world.write(b_jsonl=jsonl(x="First.", y="Second.", z="Third."))
    told: list[str] = []

    def progress(key: str) -> None:
        told.append(key)
        if key == "y":
            raise KeyboardInterrupt

    adder = Adder(world.database, world.collection, Splitter(count, 60), world.parser, progress)
    with pytest.raises(KeyboardInterrupt):
        adder(["b.jsonl"])
    assert list(world.texts()) == told == ["x", "y"]
    report = world.add("b.jsonl")
    assert (report.added, report.unchanged) == (["z"], 2)


def of_file(world: World, name: str) -> list[str]:
    with world.database.read() as connection:
        return documents.keys_of_source(connection, world.collection.id, name)


def test_lines_that_left_a_file_leave_the_collection_and_are_reported(world: World) -> None:
    world.write(b_jsonl=jsonl(x="First.", y="Second.", z="Third."), a_txt="Other text.")
    world.add("b.jsonl", "a.txt")
    before = world.revision()
    world.write(b_jsonl=jsonl(y="Second."))
    report = world.add("b.jsonl")
    assert (report.removed, report.unchanged, report.updated) == (["x", "z"], 1, [])
    assert world.texts() == {"y": "Second.", "a.txt": "Other text."}
    assert world.revision() == before + 1  # one transaction: the indexes follow it
    with world.database.read() as connection:
        assert passages.count(connection, world.collection.id) == 2
    again = world.add("b.jsonl")
    assert (again.removed, again.unchanged) == ([], 1) and world.revision() == before + 1


def test_nothing_is_removed_while_a_line_of_the_file_fails(world: World) -> None:
    world.write(b_jsonl=jsonl(x="First.", y="Second."))
    world.add("b.jsonl")
    world.write(b_jsonl="nonsense\n" + jsonl(y="Second."))
    assert world.add("b.jsonl").removed == [] and set(world.texts()) == {"x", "y"}


def test_standard_input_removes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("One text.", "Another text."):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        adder = Adder(world.database, world.collection, Splitter(count, 60), world.parser)
        assert adder(["-"]).removed == []
    assert world.texts() == {"stdin": "Another text."}


@pytest.mark.parametrize("order", [("b.jsonl", "c.jsonl"), ("c.jsonl", "b.jsonl")])
def test_a_line_that_moved_to_another_file_as_it_is_stays(
    world: World, order: tuple[str, str]
) -> None:
    world.write(b_jsonl=jsonl(x="First.", y="Second."))
    world.add("b.jsonl")
    world.write(b_jsonl=jsonl(y="Second."), c_jsonl=jsonl(x="First."))
    world.add(*order)
    assert world.texts() == {"y": "Second.", "x": "First."}
    assert (of_file(world, "b.jsonl"), of_file(world, "c.jsonl")) == (["y"], ["x"])
    report = world.add(*order)
    assert (report.unchanged, report.added, report.removed) == (2, [], [])


def twins(name: str) -> Parsed:
    """A document that no parser of ours gives: the database refuses its second table."""
    tables = [ParsedTable("t", "T", ("k",), (("v",),), (span,), (2,)) for span in ((0, 4), (5, 9))]
    return Parsed(None, name, "k: v\nk: v", "text/csv", tables=tuple(tables))


def test_a_file_on_which_something_of_ours_breaks_fails_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    usual = world.parser.parse

    def parse(path: Path | None, data: bytes | None, name: str) -> Iterator[Parsed | ParseFailure]:
        yield from (iter([twins(name)]) if name == "b.csv" else usual(path, data, name))

    monkeypatch.setattr(world.parser, "parse", parse)
    world.write(a_txt="Before it.", b_csv="x", c_txt="After it.")
    with caplog.at_level(logging.CRITICAL):
        for _ in range(2):
            report = world.add("a.txt", "b.csv", "c.txt")
    (failure,) = report.failed
    assert failure.source == "b.csv" and "could not be added (IntegrityError: " in failure.reason
    assert "\n" not in failure.reason
    assert set(world.texts()) == {"a.txt", "c.txt"} and report.unchanged == 2
    assert (report.passages, report.tables) == (0, 0)  # nothing of what was rolled back


def test_an_error_that_is_no_files_fault_ends_the_add(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(*_: object) -> Iterator[Parsed]:
        raise SettingsError("the parsers' process did not start")

    monkeypatch.setattr(world.parser, "parse", parse)
    world.write(a_txt="Some text.")
    with pytest.raises(SettingsError):
        world.add("a.txt")


def test_the_caps_of_the_sandbox_hold_for_what_is_read_before_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.parser.limits = Limits(file_mb=1)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x" * 3 * MB)))
    adder = Adder(world.database, world.collection, Splitter(count, 10**7), world.parser)
    adder(["-"])
    assert len(world.texts()["stdin"]) == MB + 1
    world.write(a_txt="y" * (MB + 1))
    world.add("a.txt")
    world.add("a.txt")
    assert world.parser.parsed.count("a.txt") == 2  # too large to be hashed: no short way


@pytest.fixture
def other(world: World) -> Path:
    """Another folder of the same name, with a file of the same name."""
    world.write(a_txt="Some text here.")
    folder = Path.cwd().parent / "other" / "docs"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("Another file.")
    return folder


def add_typed(world: World, *paths: object) -> Report:
    adder = Adder(world.database, world.collection, Splitter(count, 60), world.parser)
    return adder([str(path) for path in paths])


def test_a_file_of_the_same_name_elsewhere_does_not_replace_the_first(
    world: World, other: Path
) -> None:
    add_typed(world, Path.cwd())
    (failure,) = add_typed(world, other).failed
    assert failure.source == "docs/a.txt"
    assert f"{Path.cwd() / 'a.txt'} has this name too" in failure.reason
    assert "pilotfish remove docs/a.txt" in failure.reason
    assert world.texts() == {"docs/a.txt": "Some text here."}
    drop(world.database, world.collection, "docs/a.txt")
    assert add_typed(world, other).added == ["docs/a.txt"]


def test_a_folder_that_was_moved_keeps_its_names(world: World, other: Path) -> None:
    add_typed(world, Path.cwd())
    (Path.cwd() / "a.txt").unlink()
    assert add_typed(world, other).updated == ["docs/a.txt"]


def test_a_copy_that_says_the_same_is_unchanged(world: World, other: Path) -> None:
    add_typed(world, Path.cwd())
    (other / "a.txt").write_text("Some text here.")
    report = add_typed(world, other)
    assert report.unchanged == 1 and not report.failed


def test_a_file_keeps_the_name_it_was_first_added_by(world: World, other: Path) -> None:
    add_typed(world, Path.cwd())
    world.write(a_txt="New text here.")
    assert add_typed(world, Path.cwd() / "a.txt").updated == ["docs/a.txt"]
    assert add_typed(world, ".").unchanged == 1
    assert world.texts() == {"docs/a.txt": "New text here."}

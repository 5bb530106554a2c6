"""Files that cannot be parsed are refused before a parser sees them, and never waited for."""

from __future__ import annotations

import hashlib
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpus.formats import parser_for
from corpus.intake import file_digest
from corpus.limits import DEFAULT, Limits
from corpus.parsed import Parsed, ParseFailure
from corpus.sandbox import Sandbox


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything: step down while it lasts."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def reason(sandbox: Sandbox, path: Path) -> str:
    (found,) = sandbox.parse(path, None, path.name)
    assert isinstance(found, ParseFailure) and found.source == path.name
    return found.reason


def test_a_missing_file_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    assert reason(sandbox, tmp_path / "gone.pdf") == "no such file: check the path"
    assert reason(sandbox, tmp_path / "gone.pdf" / "x.pdf") == "no such file: check the path"


def test_folders_pipes_sockets_and_devices_are_not_waited_for(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert "a folder" in reason(sandbox, tmp_path)
    assert "a FIFO" in reason(sandbox, tmp_path / "pipe.txt")
    assert "a device" in reason(sandbox, Path("/dev/zero"))
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "socket.txt"))
        assert "a socket" in reason(sandbox, tmp_path / "socket.txt")


def test_an_unreadable_file_says_permission_denied(sandbox: Sandbox) -> None:
    list(sandbox.parse(None, b"warm", "a.txt"))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "locked.txt"
        path.write_text("secret")
        path.chmod(0)
        with as_nobody():
            assert reason(sandbox, path) == "permission denied: make it readable"


def test_a_circle_of_links_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to(tmp_path / "b.txt")
    (tmp_path / "b.txt").symlink_to(tmp_path / "a.txt")
    assert "in a circle" in reason(sandbox, tmp_path / "a.txt")


def test_an_empty_file_is_called_empty(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    assert reason(sandbox, tmp_path / "a.txt") == "empty file"
    (found,) = sandbox.parse(None, b"", "stdin")
    assert found == ParseFailure("stdin", "empty file")


def test_a_file_over_the_cap_says_how_to_raise_it(sandbox: Sandbox, tmp_path: Path) -> None:
    with open(tmp_path / "a.txt", "wb") as file:
        file.truncate(200 * 1024 * 1024)
    assert reason(sandbox, tmp_path / "a.txt") == (
        "200 MB is over the 100 MB cap: split it or raise PILOTFISH_LIMITS__FILE_MB"
    )


def test_a_file_over_the_cap_or_no_file_is_not_hashed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 1024 * 1024 + b"y")
    assert file_digest(tmp_path / "a.txt", Limits(file_mb=1)) is None
    wanted = hashlib.sha256(b"x" * 1024 * 1024 + b"y").hexdigest()
    assert file_digest(tmp_path / "a.txt", DEFAULT) == wanted
    os.mkfifo(tmp_path / "pipe.txt")
    assert file_digest(tmp_path / "pipe.txt", DEFAULT) is None
    assert file_digest(tmp_path / "gone.txt", DEFAULT) is None


def test_nothing_given_is_a_failure(sandbox: Sandbox) -> None:
    (found,) = sandbox.parse(None, None, "x")
    assert isinstance(found, ParseFailure)


def test_a_file_is_read_from_its_path(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Yes\n\nwords")
    (found,) = sandbox.parse(tmp_path / "a.md", None, "a.md")
    assert isinstance(found, Parsed) and found.title == "Yes"


def test_content_outranks_the_extension() -> None:
    assert parser_for("a.txt", b"%PDF-1.7\n") == "corpus.formats.pdf.parse"
    assert parser_for("a.txt", b"A PDF starts with %PDF-1.7") == "corpus.formats.plain.parse"
    assert parser_for("a.xlsx", b"PK\x03\x04....word/document.xml") == "corpus.formats.docx.parse"
    assert parser_for("stdin", b"  <!DOCTYPE html><p>") == "corpus.formats.html.parse"
    assert parser_for("stdin", b'{"id": "1", "text": "x"}\n') == "corpus.formats.jsonl.parse"
    assert parser_for("notes", b"plain words") == "corpus.formats.plain.parse"
    assert parser_for("A.MD", b"# x") == "corpus.formats.markdown.parse"


def test_what_is_no_document_is_refused_with_the_mend() -> None:
    for name, head, said in (
        ("a.zip", b"PK\x03\x04", "unpack it first"),
        ("a.txt", b"\x89PNG\r\n", "run OCR first"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1", "encrypted or old binary Office file: save it as"),
        ("a.exe", b"MZ\x00\x01\x02\x03\x04\x05", "supported: .md"),
    ):
        found = parser_for(name, head)
        assert isinstance(found, ParseFailure) and said in found.reason

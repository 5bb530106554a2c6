"""Text files that a user names: what is read, and what is said when one cannot be."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from pilotfish.errors import InputError, NotFound
from pilotfish.files import decoded, read_piped, read_text, write_text


def test_a_text_is_read_without_its_mark_and_with_one_kind_of_line_end(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffZürich\r\n苏黎世\rZ\n".encode())
    assert read_text(path) == "Zürich\n苏黎世\nZ\n"


def test_a_missing_file_a_folder_and_another_encoding_are_told_in_one_line(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"ab\xff")
    for path in (tmp_path / "none", plain / "in it"):
        with pytest.raises(NotFound, match=f"^no file {path}: check the path$"):
            read_text(path)
    with pytest.raises(InputError, match=f"^cannot read {tmp_path}: .*: check the file$"):
        read_text(tmp_path)
    with pytest.raises(InputError, match=rf"^{plain} is not UTF-8 \(byte 2\): save it as UTF-8$"):
        read_text(plain)


def test_bytes_are_decoded_under_the_name_that_is_given() -> None:
    assert decoded("é".encode(), "stdin") == "é"
    with pytest.raises(InputError, match=r"^stdin is not UTF-8 \(byte 0\)"):
        decoded(b"\x80", "stdin")


def test_a_text_is_written_to_its_file_or_to_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_text(tmp_path / "out", "é\n")
    assert (tmp_path / "out").read_bytes() == b"\xc3\xa9\n" and not capsys.readouterr().out
    write_text(Path("-"), "é\n")
    assert capsys.readouterr().out == "é\n" and not Path("-").exists()
    with pytest.raises(InputError, match=f"^cannot write {tmp_path}: .*: choose another file$"):
        write_text(tmp_path, "é\n")


def test_a_dash_is_stdin_where_that_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"from a pipe")))
    (tmp_path / "a").write_bytes(b"from a file")
    assert read_piped(Path("-")) == b"from a pipe" and read_piped(tmp_path / "a") == b"from a file"

"""Batches of questions out of files: JSON lines, CSV, TSV, XLSX, plain text.

Lenient in form, strict in content: all bad lines are reported at once. Not here: answering.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pilotfish.errors import InputError
from pilotfish.files import decoded
from pilotfish.types import Scope

_QUESTION_NAMES = ("question", "questions", "query", "text", "prompt", "frage", "问题")
# What openpyxl raises on damaged workbooks; XML errors are SyntaxErrors, its own are ValueErrors.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, SyntaxError,
               KeyError, ValueError, IndexError, TypeError, AttributeError)  # fmt: skip
SCOPES = ("table", "topic")
_ID_NAMES = ("custom_id", "id", "key", "nr", "number")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of input. `problem` says why it cannot be asked."""

    number: int
    custom_id: str
    question: str = ""
    fields: dict[str, object] = field(default_factory=dict)
    problem: str | None = None


def read_questions(path: Path, data: bytes, limit: int) -> list[Line]:
    """All lines of the file, good and bad, in order, with doubled ids marked as bad."""
    suffix = path.suffix.lower()
    if suffix in {".jsonl", ".ndjson", ".json"}:
        lines = list(_json_lines(decoded(data, path)))
    elif suffix in {".csv", ".tsv"}:
        lines = list(_table(csv_rows(path, data), path))
    elif suffix in {".xlsx", ".xlsm"}:
        lines = list(_table(xlsx_rows(path, data), path))
    else:
        lines = list(_plain(decoded(data, path)))
    if not lines:
        raise InputError(f"{path} holds no questions: give one a line")
    return doubled([_checked(line, limit) for line in lines])


def _json_lines(text: str) -> Iterator[Line]:
    for number, raw in enumerate(text.split("\n"), start=1):
        if not raw.strip():
            continue
        try:
            fields = json.loads(raw)
            json.dumps(fields, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            yield Line(number, str(number), problem="half a character in it (a lone surrogate)")
            continue
        except (ValueError, RecursionError):
            yield Line(number, str(number), problem="not valid JSON")
            continue
        yield _from_fields(number, fields)


def _from_fields(number: int, fields: object) -> Line:
    if not isinstance(fields, dict):
        return Line(number, str(number), problem="not a JSON object")
    custom_id = fields.get("custom_id", fields.get("id", number))
    if not isinstance(custom_id, str | int) or isinstance(custom_id, bool) or custom_id == "":
        return Line(number, str(number), problem="custom_id is neither text nor a whole number")
    question = fields.get("question")
    if "question" not in fields:
        question = _openai_question(fields)
    if not isinstance(question, str):
        return Line(number, str(custom_id), problem="no field 'question' with text")
    rest = {k: v for k, v in fields.items() if k not in {"question", "custom_id", "id"}}
    return Line(number, str(custom_id), question, rest)


def _openai_question(fields: dict[str, object]) -> object:
    """The last user message of an OpenAI batch line."""
    body = fields.get("body")
    messages = body.get("messages") if isinstance(body, dict) else None
    for message in reversed(messages if isinstance(messages, list) else []):
        if isinstance(message, dict) and message.get("role") == "user":
            return message.get("content")
    return None


def _plain(text: str) -> Iterator[Line]:
    for number, raw in enumerate(text.splitlines(), start=1):
        if raw.strip():
            yield Line(number, str(number), raw.strip())


def csv_rows(path: Path, data: bytes) -> list[list[str]]:
    """Rows of a CSV or TSV file."""
    text = decoded(data, path)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(text)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise InputError(f"{path} is no readable CSV: {error}") from None


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t|", key=first.count)


def xlsx_rows(path: Path, data: bytes) -> list[list[str]]:
    """Rows of the first sheet of a workbook."""
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        return [["" if cell is None else str(cell) for cell in row]
                for row in book.worksheets[0].iter_rows(values_only=True)]  # fmt: skip
    except _UNREADABLE as error:
        raise InputError(f"{path} is no readable workbook: {error}") from None


def _table(rows: list[list[str]], path: Path) -> Iterator[Line]:
    """Lines of a table with a question column; a single column needs no header."""
    if not rows:
        return
    names = [name.strip().lower() for name in rows[0]]
    column = next((names.index(name) for name in _QUESTION_NAMES if name in names), None)
    body = list(enumerate(rows, start=1))
    if column is None:
        if max(map(len, rows)) > 1:
            raise InputError(f"{path} has no column 'question' (columns: {', '.join(rows[0])})")
        column, names = 0, []
    else:
        body = body[1:]
    keys = next((names.index(name) for name in _ID_NAMES if name in names), None)
    for number, row in body:
        if any(cell.strip() for cell in row):
            yield _row(number, row, column, keys)


def _row(number: int, row: list[str], column: int, keys: int | None) -> Line:
    question = row[column].strip() if column < len(row) else ""
    custom_id = row[keys].strip() if keys is not None and keys < len(row) else ""
    return Line(number, custom_id or str(number), question)


def scoped(scope: Scope, fields: Mapping[str, object]) -> Scope:
    """The scope of one line: it may say in which table, or about what, to look."""
    named = {name: str(fields[name]) for name in SCOPES if fields.get(name) not in (None, "")}
    return replace(scope, table=named.get("table"), topic=named.get("topic")) if named else scope


def _scope_problem(fields: Mapping[str, object]) -> str | None:
    wrong = next(
        (name for name in SCOPES if not isinstance(fields.get(name), str | int | None)), None
    )
    return f"field {wrong!r} is no text: give the id or the name there" if wrong else None


def _checked(line: Line, limit: int) -> Line:
    problem = line.problem or _scope_problem(line.fields)
    if problem is None and not line.question.strip():
        problem = "the question is empty"
    elif problem is None and len(line.question) > limit:
        problem = f"the question has {len(line.question):,} characters, over the limit of {limit:,}"
    return Line(line.number, line.custom_id, line.question.strip(), line.fields, problem)


def doubled(lines: Sequence[Line]) -> list[Line]:
    """The lines, those whose custom_id stands on an earlier good one marked as bad."""
    first: dict[str, int] = {}
    checked = []
    for line in lines:
        before = line.number if line.problem else first.setdefault(line.custom_id, line.number)
        if before != line.number:
            problem = f"custom_id {line.custom_id[:80]!r} is the one of line {before} already"
            line = replace(line, problem=problem)
        checked.append(line)
    return checked

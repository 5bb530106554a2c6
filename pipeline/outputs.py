"""Results as plain data: the case for `--json`, the batch line, rows for CSV and XLSX."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pilotfish.errors import InputError
from pilotfish.step import receipt
from pilotfish.types import Answer, Basis, Case, Citation, Flaw, Passage, Receipt, Span
from store.incoming import BETWEEN

VERSION = 1


def case_json(case: Case, seconds: float) -> dict[str, object]:
    """The whole case, versioned: what `ask --json` prints."""
    paid = receipt(case.trace, seconds)
    return {"version": VERSION, **line_of(case, paid), **asdict(case), "receipt": asdict(paid)}


def status(answer: Answer | None) -> str:
    """'answered' or 'abstained'."""
    return "abstained" if answer is None or answer.abstained else "answered"


def line_of(case: Case, paid: Receipt) -> dict[str, object]:
    """One batch line without its custom_id."""
    answer = case.answer or Answer("", abstained=True)
    line: dict[str, object] = {
        "status": status(case.answer),
        "answer": None if answer.abstained else answer.text,
        "citations": [citation(one, case.passages) for one in answer.citations],
        "support": answer.support,
        "receipt": asdict(paid),
        "error": None,
        "model": answer.model,
        "degraded": answer.degraded,
    }
    if answer.basis is not None:
        line |= basis_shown(answer.basis)
    told = [flaw for flaw in answer.flaws if flaw.evidence or not answer.abstained]
    if told:
        line["flaws"] = [flaw_shown(flaw) for flaw in told]
    if answer.values:
        line["values"] = list(answer.values)
    if answer.abstained:
        line["candidate"] = answer.text or None
        line["nearest"] = nearest(case)
    return line


def basis_shown(basis: Basis) -> dict[str, object]:
    """What support rests on, and the promise, if one was asked for."""
    kept = ("judged", "features", "judge")
    shown: dict[str, object] = {
        "calibration": basis.calibration,
        "basis": {name: getattr(basis, name) for name in kept},
    }
    if basis.promise:
        shown["promise"] = {"kept": basis.kept, "told": basis.promise}
    return shown


def citation(one: Citation, passages: Sequence[Passage] = ()) -> dict[str, object]:
    """A citation as scripts read it; cells and edges with the place where they are written."""
    source = one.source
    if isinstance(source, Span):
        shown = span_shown(source)
    else:
        shown = asdict(source)
        written = next((p for p in passages if p.id == one.passage), None)
        if written is not None:
            shown |= {"start": written.start, "end": written.end, "quote": written.text}
    return shown | {"support": one.support, "sentence": list(one.sentence)}


def span_shown(span: Span) -> dict[str, object]:
    """Exact characters of a document and where they stand."""
    shown: dict[str, object] = {k: getattr(span, k) for k in ("document", "start", "end", "quote")}
    place = span.place
    if place.page is not None:
        shown["page"] = place.page
    if place.heading:
        shown["heading"] = list(place.heading)
    if place.table is not None:
        shown |= {"table": place.table, "rows": list(place.rows)}
    return shown


def flaw_shown(flaw: Flaw) -> dict[str, object]:
    """A flaw as scripts read it; what denies a contradicted sentence, as `evidence`."""
    shown: dict[str, object] = {k: getattr(flaw, k) for k in ("kind", "start", "end", "detail")}
    return shown | ({"evidence": span_shown(flaw.evidence)} if flaw.evidence else {})


def nearest(case: Case, count: int = 3) -> list[dict[str, object]]:
    """The best passages that were found, as places; given when nothing is answered."""
    return [{"document": p.document, "start": p.start, "end": p.end} for p in case.passages[:count]]


def failed_line(custom_id: str, code: str, message: str) -> dict[str, object]:
    """The line of an item that failed."""
    error = {"type": "failed", "code": code, "message": message}
    return {
        "custom_id": custom_id, "status": "failed", "answer": None, "citations": [],
        "support": None, "receipt": asdict(Receipt()), "error": error,
    }  # fmt: skip


def write_lines(path: Path, lines: Iterable[Mapping[str, object]]) -> None:
    """Write results to JSONL, CSV, TSV or XLSX by the file's ending; whole or not at all."""
    suffix = path.suffix.lower()
    if suffix in {".csv", ".tsv"}:
        data = _csv(lines, "\t" if suffix == ".tsv" else ",").encode("utf-8-sig")
    elif suffix == ".xlsx":
        data = _xlsx(lines)
    else:
        data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    fresh = path.with_name(path.name + ".part")
    try:
        fresh.write_bytes(data)
        os.replace(fresh, path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}: choose another file") from None


_COLUMNS = ("custom_id", "question", "status", "answer", "support", "sources", "quotes",
            "llm_calls", "cost_usd", "seconds", "error")  # fmt: skip


def _flat(line: Mapping[str, object]) -> list[object]:
    """One spreadsheet row. Cells that a spreadsheet would run as a formula are defused."""
    cites = [c for c in line.get("citations") or [] if isinstance(c, dict)]  # type: ignore[attr-defined]
    paid = line.get("receipt")
    paid = paid if isinstance(paid, dict) else {}
    error = line.get("error")
    row = {
        **line,
        "sources": "\n".join(_spot(c) for c in cites),
        "quotes": "\n".join(_quote(c) for c in cites),
        **{k: paid.get(k) for k in ("llm_calls", "cost_usd", "seconds")},
        "error": error["message"] if isinstance(error, dict) else None,
    }
    return [_defused(row.get(column)) for column in _COLUMNS]


def _spot(cited: Mapping[str, Any]) -> str:
    if "start" in cited:
        return f"{cited['document']}:{cited['start']}-{cited['end']}"
    rows = cited.get("rows") or ()
    return f"{cited['document']}, row {', '.join(map(str, rows))}" if rows else cited["document"]


def _quote(cited: Mapping[str, Any]) -> str:
    """The words, the edge, or the cells that are cited."""
    if "quote" in cited:
        return str(cited["quote"])
    if "relation" in cited:
        return BETWEEN.join((cited["subject"], cited["relation"], cited["object"]))
    return "; ".join(", ".join(row) for row in cited.get("values", ()))


def _defused(value: object) -> object:
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return "'" + value
    return value


def _csv(lines: Iterable[Mapping[str, object]], delimiter: str) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(_COLUMNS)
    writer.writerows(_flat(line) for line in lines)
    return out.getvalue()


def _xlsx(lines: Iterable[Mapping[str, object]]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    sheet = book.create_sheet("answers")
    sheet.append(list(_COLUMNS))
    for line in lines:
        sheet.append([_cell(value, ILLEGAL_CHARACTERS_RE) for value in _flat(line)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(value: object, illegal: re.Pattern[str]) -> object:
    """What a workbook can hold: no control characters, at most 32,000 of the others."""
    return illegal.sub("", value)[:32_000] if isinstance(value, str) else value

"""JSON lines, one document each; the canonical text is exactly the field `text`.

A document without an id of its own is called NAME:LINE. A .json file is a list of such objects
(NAME:NUMBER), one such object, or else pretty-printed text. Not here: schemas; every other
field is metadata as it stands, but for numbers that no JSON can hold (1e999), which become null.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

from corpus.formats.canvas import stem, whole
from corpus.formats.decode import decode
from corpus.limits import DEFAULT, Limits
from corpus.manual import as_manual
from corpus.parsed import Parsed, ParseFailure

_UNFIT = re.compile("[\ud800-\udfff\0]")
_MEDIA_TYPE = "application/x-ndjson"
_DEEPEST = 100  # levels of metadata: far from what recursion here, in the pipe or in SQLite bears
_TOO_DEEP = f"nested more than {_DEEPEST} levels deep: flatten it"


def parse(data: bytes, name: str, limits: Limits = DEFAULT) -> Iterator[Parsed | ParseFailure]:
    """Many documents; a bad line is a failure named NAME:LINE and the others still come."""
    decoded = decode(data)
    if isinstance(decoded, str):
        yield ParseFailure(name, decoded)
        return
    if name.lower().endswith(".json"):
        yield from _whole_file(decoded.text, name, decoded.warnings)
    else:
        yield from _lines(decoded.text, name, decoded.warnings)


def _lines(text: str, name: str, warnings: tuple[str, ...]) -> Iterator[Parsed | ParseFailure]:
    start, number = 0, 0
    while start < len(text):
        end = text.find("\n", start)  # not splitlines: U+2028 may stand inside a JSON string
        end = len(text) if end < 0 else end
        line, start, number = text[start:end].strip(), end + 1, number + 1
        if line:
            value = _loads(line)
            where = f"{name}:{number}"
            if isinstance(value, _Malformed):
                yield ParseFailure(where, f"malformed JSON ({value.why}): mend or delete the line")
            else:
                yield document(value, where, warnings, where)


def _whole_file(text: str, name: str, warnings: tuple[str, ...]) -> Iterator[Parsed | ParseFailure]:
    value = _loads(text)
    if isinstance(value, _Malformed):
        first = _loads(text.strip().split("\n", 1)[0])
        if isinstance(first, dict) and "text" in first:  # JSON lines under the wrong name
            yield from _lines(text, name, warnings)
        else:
            yield ParseFailure(name, f"malformed JSON ({value.why}): mend the file")
    elif isinstance(value, list) and any(isinstance(one, dict) and "text" in one for one in value):
        for number, one in enumerate(value, 1):
            where = f"{name}:{number}"
            yield document(one, where, warnings, where)
    elif isinstance(value, dict) and isinstance(value.get("text"), str):
        yield document(value, name, warnings)
    elif _too_deep(value):
        yield ParseFailure(name, _TOO_DEEP)
    else:
        pretty = json.dumps(_fit(value), indent=2, ensure_ascii=False)
        yield Parsed(None, stem(name), pretty, "application/json", whole(pretty), warnings=warnings)


def document(
    value: object, where: str, warnings: tuple[str, ...], nameless: str | None = None
) -> Parsed | ParseFailure:
    """One JSON value as a document, or why it is none. `_id` stands in for `id` (BEIR).

    `nameless` is the id of one that brings none.
    """
    if not isinstance(value, dict):
        return ParseFailure(where, f"a {_kind(value)}, not an object with a field `text`")
    if reason := _unusable(value):
        return ParseFailure(where, reason)
    key = _id_field(value)
    own, title = value.get(key), str(_fit(value.get("title") or "")).strip()
    kept, count = _UNFIT.subn("\ufffd", str(value["text"]))  # one for one: offsets stay
    if count:
        warnings += (f"{count} characters that no text may hold replaced by U+FFFD",)
    metadata = {name: one for name, one in value.items() if name not in (key, "title", "text")}
    identity = None if own is None else str(_fit(str(own)))
    made = Parsed(
        identity or nameless,
        title or identity or where,
        kept,
        _MEDIA_TYPE,
        whole(kept),
        (),
        {str(_fit(name)): _fit(one) for name, one in metadata.items()},
        warnings,
    )
    return as_manual(made)


def _unusable(value: dict[str, object]) -> str:
    """What is wrong with the fields of a document, or ""."""
    key = _id_field(value)
    text, title, own = value.get("text"), value.get("title"), value.get(key)
    if not isinstance(text, str):
        found = "missing" if "text" not in value else f"a {_kind(text)}, not a string"
        return f"field `text` is {found}: give the document's text there"
    if not text.strip():
        return "field `text` is empty: give the document's text there"
    if own is not None and (isinstance(own, bool) or not isinstance(own, str | int | float)):
        return f"field `{key}` is a {_kind(own)}: make it a string"
    if own == "":
        return f"field `{key}` is empty: make it a string or leave it out"
    if title is not None and not isinstance(title, str):
        return f"field `title` is a {_kind(title)}: make it a string"
    return _TOO_DEEP if _too_deep(value) else ""


def _id_field(value: dict[str, object]) -> str:
    return "id" if "id" in value else "_id"


class _Malformed:
    """Why a line is no JSON."""

    def __init__(self, why: str) -> None:
        self.why = why


def _loads(text: str) -> object:
    try:
        value: object = json.loads(text, parse_float=_finite, parse_constant=lambda _: None)
    except RecursionError:
        return _Malformed("nested too deeply")
    except ValueError as error:
        return _Malformed(" ".join(str(error).split())[:120])
    return value


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _too_deep(value: object) -> bool:
    """Level by level, so that no depth is too deep to be found out."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return any(isinstance(one, dict | list) for one in level)


def _fit(value: object) -> object:
    """JSON without lone surrogates and NULs, which no database takes."""
    if isinstance(value, str):
        return _UNFIT.sub("\ufffd", value)
    if isinstance(value, list):
        return [_fit(one) for one in value]
    if isinstance(value, dict):
        return {str(_fit(name)): _fit(one) for name, one in value.items()}
    return value


def _kind(value: object) -> str:
    names = {dict: "object", list: "list", str: "string", bool: "true/false", type(None): "null"}
    return names.get(type(value), "number")

"""JSON lines, one document each; the canonical text is exactly the field `text`.

A .json file is a list of such objects, one such object, or else pretty-printed text.
Not here: schemas; every other field is metadata as it stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from corpus.formats.canvas import stem, whole
from corpus.formats.decode import decode
from corpus.limits import DEFAULT, Limits
from corpus.parsed import Parsed, ParseFailure

_UNFIT = re.compile("[\ud800-\udfff\0]")
_MEDIA_TYPE = "application/x-ndjson"


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
                yield document(value, where, warnings)


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
            yield document(one, f"{name}:{number}", warnings)
    elif isinstance(value, dict) and isinstance(value.get("text"), str):
        yield document(value, name, warnings)
    else:
        pretty = json.dumps(_fit(value), indent=2, ensure_ascii=False)
        yield Parsed(None, stem(name), pretty, "application/json", whole(pretty), warnings=warnings)


def document(value: object, where: str, warnings: tuple[str, ...]) -> Parsed | ParseFailure:
    """One JSON value as a document, or why it is none. `_id` stands in for `id` (BEIR)."""
    if not isinstance(value, dict):
        return ParseFailure(where, f"a {_kind(value)}, not an object with a field `text`")
    key = "id" if "id" in value else "_id"
    text, title, own = value.get("text"), value.get("title"), value.get(key)
    if not isinstance(text, str):
        found = "missing" if "text" not in value else f"a {_kind(text)}, not a string"
        return ParseFailure(where, f"field `text` is {found}: give the document's text there")
    if not text.strip():
        return ParseFailure(where, "field `text` is empty: give the document's text there")
    if own is not None and (isinstance(own, bool) or not isinstance(own, str | int | float)):
        return ParseFailure(where, f"field `{key}` is a {_kind(own)}: make it a string")
    if own == "":
        return ParseFailure(where, f"field `{key}` is empty: make it a string or leave it out")
    if title is not None and not isinstance(title, str):
        return ParseFailure(where, f"field `title` is a {_kind(title)}: make it a string")
    kept, count = _UNFIT.subn("\ufffd", text)  # one for one: offsets stay
    if count:
        warnings += (f"{count} characters that no text may hold replaced by U+FFFD",)
    metadata = {name: one for name, one in value.items() if name not in (key, "title", "text")}
    identity = None if own is None else str(_fit(str(own)))
    return Parsed(
        identity,
        str(_fit(title or "")).strip() or identity or where,
        kept,
        _MEDIA_TYPE,
        whole(kept),
        (),
        {str(_fit(name)): _fit(one) for name, one in metadata.items()},
        warnings,
    )


class _Malformed:
    """Why a line is no JSON."""

    def __init__(self, why: str) -> None:
        self.why = why


def _loads(text: str) -> object:
    try:
        value: object = json.loads(text, parse_constant=lambda _: None)
    except RecursionError:
        return _Malformed("nested too deeply")
    except ValueError as error:
        return _Malformed(" ".join(str(error).split())[:120])
    return value


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

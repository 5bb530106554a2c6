"""The `---` block of keys and values at the head of a Markdown file. Not here: full YAML.

Plain `key: value`, `[a, b]` lists and `- item` lists are read; deeper nesting is left alone.
"""

from __future__ import annotations

import re

_KEY = re.compile(r"([\w][\w .-]*?)\s*:(?:\s+(.*)|\s*)")
_ITEM = re.compile(r"\s*-\s+(.*)")
_MOST_LINES = 200


def front_matter(text: str) -> tuple[dict[str, object], int]:
    """The metadata and where the body starts; ({}, 0) where there is no such block."""
    if not text.startswith("---\n"):
        return {}, 0
    offset = 4
    lines: list[str] = []
    while len(lines) < _MOST_LINES and offset < len(text):
        end = text.find("\n", offset)
        end = len(text) if end < 0 else end
        line = text[offset:end]
        offset = min(end + 1, len(text))
        if line.rstrip() in ("---", "..."):
            found = _read(lines)
            return (found, offset) if found is not None else ({}, 0)
        lines.append(line)
    return {}, 0


def _read(lines: list[str]) -> dict[str, object] | None:
    found: dict[str, object] = {}
    items: list[object] = []
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if (item := _ITEM.fullmatch(line)) and found:
            items.append(_value(item[1]))
            found[next(reversed(found))] = items
        elif pair := _KEY.fullmatch(line.rstrip()):
            items = []
            found[pair[1]] = _value(pair[2] or "")
        elif not line[0].isspace():
            return None  # prose between two rules, not front matter
    return found


def _value(typed: str) -> object:
    typed = typed.strip()
    if len(typed) > 1 and typed[0] == typed[-1] and typed[0] in "\"'":
        return typed[1:-1]
    if typed.startswith("[") and typed.endswith("]"):
        return [_value(item) for item in typed[1:-1].split(",") if item.strip()]
    return typed

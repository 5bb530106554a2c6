"""Text files as they are: the canonical text is the decoded file, newlines normalised.

reStructuredText headings (underlined lines) become the heading path. Not here: any other markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from corpus.formats.canvas import stem, trimmed, whole
from corpus.formats.decode import decode
from corpus.limits import DEFAULT, Limits
from corpus.parsed import Parsed, ParseFailure, Section

_ADORNED = re.compile(r"([=\-~^\"'`#*+.:_<>])\1{2,}\s*")


def parse(data: bytes, name: str, limits: Limits = DEFAULT) -> Iterator[Parsed | ParseFailure]:
    """One document: .txt, .text, .log, .rst or anything that decodes as text."""
    decoded = decode(data)
    if isinstance(decoded, str):
        yield ParseFailure(name, decoded)
        return
    text = decoded.text
    if name.lower().endswith(".rst"):
        title, sections = _rst(text)
        yield Parsed(
            None, title or stem(name), text, "text/x-rst", sections, warnings=decoded.warnings
        )
        return
    yield Parsed(None, stem(name), text, "text/plain", whole(text), warnings=decoded.warnings)


def _rst(text: str) -> tuple[str, tuple[Section, ...]]:
    """The first heading and the sections; levels in the order their underlines first appear."""
    lines = text.split("\n")
    levels: list[str] = []
    path: list[tuple[int, str]] = []
    sections: list[Section] = []
    title, begun, offset = "", 0, 0
    for at, line in enumerate(lines):
        under = lines[at + 1] if at + 1 < len(lines) else ""
        if _is_title(line, under):
            over = at > 0 and bool(_ADORNED.fullmatch(lines[at - 1]))
            mark = under[0] * (2 if over else 1)
            before = offset - (len(lines[at - 1]) + 1 if over else 0)
            sections += trimmed(text, begun, before, tuple(name for _, name in path))
            level = levels.index(mark) if mark in levels else len(levels)
            levels += [mark] if level == len(levels) else []
            path = [(kept, name) for kept, name in path if kept < level] + [(level, line.strip())]
            title = title or line.strip()
            begun = min(offset + len(line) + 1 + len(under) + 1, len(text))
        offset += len(line) + 1
    sections += trimmed(text, begun, len(text), tuple(name for _, name in path))
    return title, tuple(sections)


def _is_title(line: str, under: str) -> bool:
    words = line.strip()
    return (
        bool(words)
        and bool(_ADORNED.fullmatch(under))
        and len(under.rstrip()) >= len(words)
        and not _ADORNED.fullmatch(line)
    )

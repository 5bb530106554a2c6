"""Markdown: the text as written, pipe tables replaced by their rows, one line each.

Heading path from # and underlined headings, front matter to metadata. Not here: rendering;
emphasis, links and HTML stay as typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from corpus.formats.canvas import stem, trimmed
from corpus.formats.decode import decode
from corpus.formats.frontmatter import front_matter
from corpus.formats.grid import clean, grid_of, linearise
from corpus.limits import DEFAULT, Limits
from corpus.manual import as_manual
from corpus.parsed import Parsed, ParsedTable, ParseFailure, Section

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t](.*))?")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_UNDER = re.compile(r" {0,3}(=+|-{2,})[ \t]*")
_NOT_A_TITLE = re.compile(r"\s*([-*+>|#]|\d+[.)]|$)")
_BAR = re.compile(r"(?<!\\)\|")


def parse(data: bytes, name: str, limits: Limits = DEFAULT) -> Iterator[Parsed | ParseFailure]:
    """One document."""
    decoded = decode(data)
    if isinstance(decoded, str):
        yield ParseFailure(name, decoded)
        return
    metadata, body = front_matter(decoded.text)
    reader = _Reader(decoded.text[:body])
    reader.read(decoded.text[body:].split("\n"))
    named = metadata.get("title")
    title = reader.title or (named if isinstance(named, str) else "") or stem(name)
    made = Parsed(
        None,
        title,
        reader.text,
        "text/markdown",
        tuple(reader.sections),
        tuple(reader.tables),
        metadata,
        decoded.warnings,
    )
    yield as_manual(made)


class _Reader:
    """Goes through the lines once and rewrites tables on the way."""

    def __init__(self, before: str) -> None:
        self.text, self.title = "", ""
        self.sections: list[Section] = []
        self.tables: list[ParsedTable] = []
        self._out = [before]
        self._length = self._begun = len(before)
        self._path: list[tuple[int, str]] = []
        self._ends: list[tuple[int, int, tuple[str, ...]]] = []

    def read(self, lines: Sequence[str]) -> None:
        """Rewrite all lines; `text`, `sections` and `tables` hold the outcome."""
        at, fence = 0, ""
        while at < len(lines):
            mark = _FENCE.fullmatch(lines[at])
            if fence:
                closes = mark and mark[1].startswith(fence) and not mark[2].strip()
                fence = "" if closes else fence
            elif mark and not (mark[1][0] == "`" and "`" in mark[2]):
                fence = mark[1]
            elif taken := self._structure(lines, at):
                at += taken
                continue
            self._write(lines[at], at + 1 < len(lines))
            at += 1
        self._end_section(self._length)
        self.text = "".join(self._out)
        for start, end, heading in self._ends:
            self.sections += trimmed(self.text, start, end, heading)

    def _structure(self, lines: Sequence[str], at: int) -> int:
        """How many lines a heading or a table took here; 0 where there is neither."""
        line, more = lines[at], at + 1 < len(lines)
        if heading := _HEADING.fullmatch(line):
            title = (heading[2] or "").strip()
            bare = title.rstrip("#")  # a closing row of # belongs to the mark, "C#" to the title
            title = bare if not bare or bare[-1].isspace() else title
            self._heading(len(heading[1]), title, [line], more)
            return 1
        if not more:
            return 0
        under = _UNDER.fullmatch(lines[at + 1])
        alone = at == 0 or not lines[at - 1].strip()
        if under and alone and not _NOT_A_TITLE.match(line):
            level = 1 if under[1][0] == "=" else 2
            self._heading(level, line, [line, lines[at + 1]], at + 2 < len(lines))
            return 2
        return self._table(lines, at) if "|" in line and "|" in lines[at + 1] else 0

    def _heading(self, level: int, title: str, lines: Sequence[str], more: bool) -> None:
        self._end_section(self._length)
        for line in lines:
            self._write(line, line is not lines[-1] or more)
        self._begun = self._length
        title = clean(title)
        if not title:
            return
        if level == 1:
            self.title = self.title or title
        self._path = [kept for kept in self._path if kept[0] < level] + [(level, title)]

    def _table(self, lines: Sequence[str], at: int) -> int:
        header = _cells(lines[at])
        if not _RULE.fullmatch(lines[at + 1]) or len(header) != len(_cells(lines[at + 1])):
            return 0
        end = at + 2
        while end < len(lines) and "|" in lines[end]:
            end += 1
        grid = grid_of([header, *(_cells(line)[: len(header)] for line in lines[at + 2 : end])])
        if grid is None or not grid.rows or not any(header):
            return 0
        spans = []
        for row in grid.rows:
            line = linearise(grid.columns, row)
            spans.append((self._length, self._length + len(line)))
            self._write(line, end < len(lines) or row is not grid.rows[-1])
        name = f"table {len(self.tables) + 1}"
        title = self._path[-1][1] if self._path else ""
        self.tables.append(
            ParsedTable(name, title, grid.columns, grid.rows, tuple(spans), grid.numbers)
        )
        return end - at

    def _write(self, line: str, newline: bool) -> None:
        self._out.append(line + "\n" if newline else line)
        self._length += len(line) + newline

    def _end_section(self, end: int) -> None:
        self._ends.append((self._begun, end, tuple(title for _, title in self._path)))


def _cells(line: str) -> list[str]:
    """The cells of a pipe row, escaped bars kept as bars."""
    inner = line.strip()
    inner = inner[1:] if inner.startswith("|") else inner
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [clean(cell.replace("\\|", "|")) for cell in _BAR.split(inner)]

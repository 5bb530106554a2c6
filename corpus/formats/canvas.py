"""Canonical text as it grows, with the sections and table rows laid into it.

Not here: what belongs into the text; each format decides that.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from corpus.formats.grid import Grid, free, linearise
from corpus.parsed import ParsedTable, Section


class Canvas:
    """Append-only text. Blocks are parted by a blank line, rows and list items by a newline."""

    def __init__(self) -> None:
        self.tables: list[ParsedTable] = []
        self.first_heading = ""
        self._parts: list[str] = []
        self._length = 0
        self._sections: list[Section] = []
        self._path: list[tuple[int, str]] = []
        self._page: int | None = None
        self._start: int | None = None
        self._tight = False
        self._names: set[str] = set()

    @property
    def text(self) -> str:
        """The canonical text so far."""
        return "".join(self._parts)

    @property
    def heading_line(self) -> str:
        """The innermost heading in force, or ""."""
        return self._path[-1][1] if self._path else ""

    def page(self, number: int) -> None:
        """Start page `number`; headings of the page before end with it."""
        self._close()
        self._page, self._path = number, []

    def heading(self, level: int, text: str) -> None:
        """A heading line: it ends the section before and joins the path of the next."""
        title = " ".join(text.split())
        if not title:
            return
        self._close()
        self._append(title, tight=False)
        self.context(level, title)

    def context(self, level: int, title: str) -> None:
        """Put `title` into the heading path without writing it into the text."""
        self._close()
        self._path = [(at, kept) for at, kept in self._path if at < level] + [(level, title)]
        self.first_heading = self.first_heading or title

    def block(self, text: str, tight: bool = False) -> tuple[int, int] | None:
        """A paragraph; `tight` ones in a row are parted by one newline. Its span, or None."""
        if not text or text.isspace():
            return None
        start, end = self._append(text.strip("\n").rstrip(), tight)
        if self._start is None:
            self._start = start
        return start, end

    def table(self, name: str, title: str, grid: Grid) -> None:
        """The rows of `grid`, one line each; a table without rows leaves its columns as text.

        A `name` that another table has is numbered: "Prices (2)".
        """
        if not grid.rows:
            self.block("; ".join(grid.columns))
            return
        spans = []
        self._tight = False
        for row in grid.rows:
            span = self.block(linearise(grid.columns, row), tight=True)
            assert span is not None, "a grid keeps no empty rows"
            spans.append(span)
        self._tight = False
        self.tables.append(
            ParsedTable(
                free(name, self._names), title, grid.columns, grid.rows, tuple(spans), grid.numbers
            )
        )

    def sections(self) -> tuple[Section, ...]:
        """All sections, the open one closed."""
        self._close()
        return tuple(self._sections)

    def _append(self, text: str, tight: bool) -> tuple[int, int]:
        between = "" if not self._length else "\n" if tight and self._tight else "\n\n"
        self._parts += (between, text)
        start = self._length + len(between)
        self._length, self._tight = start + len(text), tight
        return start, self._length

    def _close(self) -> None:
        if self._start is not None:
            heading = tuple(title for _, title in self._path)
            self._sections.append(Section(self._start, self._length, heading, self._page))
        self._start, self._tight = None, False


def whole(text: str) -> tuple[Section, ...]:
    """One section over all of `text` but its outer blanks; none where it is blank."""
    return trimmed(text, 0, len(text), ())


def trimmed(text: str, start: int, end: int, heading: tuple[str, ...]) -> tuple[Section, ...]:
    """The stretch without outer blanks as a section, or nothing."""
    piece = text[start:end]
    first = start + len(piece) - len(piece.lstrip())
    last = start + len(piece.rstrip())
    return (Section(first, last, heading),) if first < last else ()


def stem(name: str) -> str:
    """The file's name without folders and extension, the title of last resort."""
    return PurePosixPath(name).stem or name

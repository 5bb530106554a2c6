"""Cuts canonical text into passages: sentence-aligned, never longer than the encoder reads.

A passage is an exact slice of the text. Its context (title, heading path) is searched with
it but is no part of the slice. Table rows are passages of their own. Passages of one stretch
are balanced rather than filled greedily, so that no crumb is left at its end.
Not here: counting tokens (an encoder's work, handed in).
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from corpus.parsed import MANUAL, TABLE, Parsed, Section
from pilotfish.text import is_cjk, sentences, shorten, trim
from store.incoming import GRAPH, NewHeld, NewPassage

Count = Callable[[Sequence[str]], list[int]]
CONTEXT_CHARS = 240  # most that title and headings may take: about a quarter of the budget
_CARD_ROWS = 40  # rows of a table that may stand on its card
SHORTEST = 3  # letters or digits a passage must have


@dataclass(frozen=True, slots=True)
class Stretch:
    """Text to be cut: one section's prose, or one table row."""

    start: int
    end: int
    kind: str
    page: int | None
    heading: tuple[str, ...]
    table: str | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """The passages of one document, those held in quarantine, how many were dropped and why."""

    passages: tuple[NewPassage, ...]
    short: int = 0
    duplicate: int = 0
    rows_left_out: int = 0
    held: tuple[NewHeld, ...] = ()
    freed: frozenset[str] = frozenset()  # embed_sha of those that a person has released before

    @property
    def kept_out(self) -> int:
        """How many passages stay in quarantine."""
        return sum(one.passage.embed_sha not in self.freed for one in self.held)


@dataclass(frozen=True, slots=True)
class Splitter:
    """`budget`: tokens a passage may have with its context. `row_limit`: rows per table."""

    count: Count
    budget: int
    row_limit: int = 5000
    spans: Callable[[str], list[tuple[int, int]]] = sentences

    def __call__(self, parsed: Parsed) -> Cut:
        """Cut one document: a graph gives no passages, a table of its own one card."""
        if parsed.media_type == GRAPH:
            return Cut(())
        if parsed.media_type == TABLE:
            return Cut((self._card(parsed),))
        kept: dict[tuple[str, str], NewPassage] = {}
        short = duplicate = 0
        stretches, left_out = self._stretches(parsed)
        contexts = {s.heading: _context(parsed.title, s.heading) for s in stretches}
        for stretch, start, end in self._pieces(parsed.text, stretches, contexts):
            passage = _passage(parsed, stretch, start, end, contexts[stretch.heading])
            if sum(character.isalnum() for character in passage.text) < SHORTEST:
                short += 1
            elif (passage.context, passage.text) in kept:
                duplicate += 1
            else:
                kept[passage.context, passage.text] = passage
        return Cut(tuple(kept.values()), short, duplicate, left_out)

    def _card(self, parsed: Parsed) -> NewPassage:
        """The first rows, as many as the encoder reads; found by the words of all of them."""
        (table,) = parsed.tables
        context = _context(parsed.title, ())
        fit = [parsed.text[a:b] for a, b in table.spans[:_CARD_ROWS]]
        first, *sizes = self.count([context, *fit])
        room, used, rows = max(8, self.budget - first), 0, 0
        for size in sizes:
            used += size
            if used > room:
                break
            rows += 1
        start, end = table.spans[0][0], table.spans[max(1, rows) - 1][1]
        if not rows:
            end = next(self._fitting(parsed.text, [(start, end)], [sizes[0]], room))[1]
        stretch = Stretch(start, end, "table", None, (), table.name)
        made = _passage(parsed, stretch, start, end, context)
        return replace(made, reach=table.spans[-1][1])

    def _stretches(self, parsed: Parsed) -> tuple[list[Stretch], int]:
        rows, left_out = _rows(parsed, self.row_limit)
        sections = parsed.sections or (Section(0, len(parsed.text), (), None),)
        kind = "manual" if parsed.media_type == MANUAL else "text"
        found: list[Stretch] = []
        for section in sections:
            first, last = (bisect_left(rows, at, key=_start) for at in (section.start, section.end))
            inside = [row for row in rows[first:last] if row.end <= section.end]
            found.extend(_prose(section, inside, kind))
            found.extend(_placed(row, section) for row in inside if row.kind == "table")
        return sorted(found, key=_start), left_out

    def _pieces(
        self, text: str, stretches: list[Stretch], contexts: dict[tuple[str, ...], str]
    ) -> Iterator[tuple[Stretch, int, int]]:
        """(stretch, start, end) of every passage; one token count for the whole document."""
        spans = [self._sentences(text, stretch) for stretch in stretches]
        flat = [text[a:b] for some in spans for a, b in some]
        counts = iter(self.count([*flat, *contexts.values()]))
        sizes = [[next(counts) for _ in some] for some in spans]
        rooms = {heading: max(8, self.budget - next(counts)) for heading in contexts}
        for stretch, some, tokens in zip(stretches, spans, sizes, strict=True):
            room = rooms[stretch.heading]
            for start, end in _packed(list(self._fitting(text, some, tokens, room)), room):
                yield stretch, start, end

    def _sentences(self, text: str, stretch: Stretch) -> list[tuple[int, int]]:
        if stretch.kind == "table":
            return [(stretch.start, stretch.end)]
        at, spans = stretch.start, _lines if stretch.kind == "manual" else self.spans
        return [(at + a, at + b) for a, b in spans(text[at : stretch.end])]

    def _fitting(
        self, text: str, spans: list[tuple[int, int]], tokens: list[int], room: int
    ) -> Iterator[tuple[int, int, int]]:
        """(start, end, tokens) with every sentence that is too long halved until it fits."""
        for (start, end), size in zip(spans, tokens, strict=True):
            if size <= room or end - start < 2:
                yield start, end, size
                continue
            middle = _break_near(text, start, end)
            halves = [trim(text, start, middle), trim(text, middle, end)]
            counts = self.count([text[a:b] for a, b in halves])
            yield from self._fitting(text, halves, counts, room)


def layout(parsed: Parsed) -> list[list[object]]:
    """The sections as plain lists, for storing: start, end, heading path, page."""
    return [[s.start, s.end, list(s.heading), s.page] for s in parsed.sections]


def _context(title: str, heading: tuple[str, ...]) -> str:
    """Title and heading path on one line; a heading equal to the title stands once."""
    names = [title, *(h for h in heading if h != title)]
    context = " › ".join(" ".join(name.split()) for name in names if name.strip())
    return shorten(context, CONTEXT_CHARS // 3 if is_cjk(context) else CONTEXT_CHARS)


def _start(stretch: Stretch) -> int:
    return stretch.start


def _rows(parsed: Parsed, limit: int) -> tuple[list[Stretch], int]:
    """Rows of all tables as stretches; those over the limit get kind 'left out'."""
    found, left_out = [], 0
    for table in parsed.tables:
        for index, (span, number) in enumerate(zip(table.spans, table.numbers, strict=True)):
            kind = "table" if index < limit else "left out"
            left_out += kind == "left out"
            found.append(Stretch(*span, kind, None, (), table.name, number))
    return sorted(found, key=_start), left_out


def _prose(section: Section, rows: list[Stretch], kind: str) -> Iterator[Stretch]:
    """The section without its table rows."""
    at = section.start
    for row in [*rows, Stretch(section.end, section.end, "end", None, ())]:
        if at < row.start:
            yield Stretch(at, row.start, kind, section.page, section.heading)
        at = max(at, row.end)


def _placed(row: Stretch, section: Section) -> Stretch:
    return Stretch(row.start, row.end, "table", section.page, section.heading, row.table, row.row)


def _lines(text: str) -> list[tuple[int, int]]:
    """Every line: code is never cut within one that fits."""
    return [found.span() for found in re.finditer(r"\S(?:.*\S)?", text)]


def _packed(sentences: list[tuple[int, int, int]], room: int) -> Iterator[tuple[int, int]]:
    """Join neighbouring sentences into as few passages as fit, of about equal length."""
    total = sum(tokens for _, _, tokens in sentences)
    target = total / -(-total // room) if total else 0
    begin, size = None, 0
    for index, (start, end, tokens) in enumerate(sentences):
        begin = start if begin is None else begin
        size += tokens
        following = sentences[index + 1][2] if index + 1 < len(sentences) else room + 1
        full = size + following > room or size + following / 2 > target
        if full or index + 1 == len(sentences):
            yield begin, end
            begin, size = None, 0


def _break_near(text: str, start: int, end: int) -> int:
    """The white space, or else the comma or character, nearest to the middle."""
    middle = (start + end) // 2
    for marks in (";；\n", ",，、", " \t"):
        for distance in range((end - start) // 4):
            for at in (middle + distance, middle - distance):
                if text[at] in marks and start < at + 1 < end:
                    return at + 1
    return middle


def _passage(parsed: Parsed, stretch: Stretch, start: int, end: int, context: str) -> NewPassage:
    text = parsed.text[start:end]
    return NewPassage(
        start=start, end=end, kind=stretch.kind, page=stretch.page, heading=stretch.heading,
        table_name=stretch.table, row=stretch.row, context=context, text=text,
        embed_sha=hashlib.sha256(f"{context}\n{text}".encode()).hexdigest(),
    )  # fmt: skip

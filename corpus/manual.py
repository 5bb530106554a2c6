"""Which documents are manuals: pages of one command or function, and where their sections are.

Known by their form alone. A page of commands (tldr) is a name, a quoted description, and captions
each with one line of code. A page of reference names a command or function in its title, has
headings of the trade (Synopsis, Options, Parameters ...) and code that starts with that name.
Prose about a product stays text. The units are those of DocPrompting (Zhou et al. 2023, arXiv
2207.05987). Not here: man pages and docstrings, which are manuals by their parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from corpus.parsed import MANUAL, Parsed, Section

LONGEST = 200_000  # characters of a page that is looked at
_TITLE = re.compile(r" {0,3}#[ \t]+([^#\n].*)")
_HEADING = re.compile(r" {0,3}(#{2,6})[ \t]+(.*)")
_CAPTION = re.compile(r"[-*] (\S.*)")
_CODE = re.compile(r"`([^`]+)`")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[^`]*")
_NAME = re.compile(r"`?([\w.+:@\[/-]+)(\(\w*\))?`?")
_TRADE = frozenset(
    "arguments example examples flags name options parameters raises returns signature synopsis "
    "syntax usage".split()
)
_HEADINGS = 2  # of the trade: one `Usage` has any README
_BEGIN = 0.5  # share of the code lines that start with the page's name
_WORDS = 3  # of a name: `docker compose up`


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a text and where each starts."""

    lines: tuple[str, ...]
    starts: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Lines:
        lines, starts, at = text.split("\n"), [], 0
        for line in lines:
            starts.append(at)
            at += len(line) + 1
        return cls(tuple(lines), tuple(starts))

    def section(self, first: int, last: int, heading: tuple[str, ...]) -> Iterator[Section]:
        """Lines [first, last) without blank ones at the ends, or nothing."""
        while first < last and not self.lines[first].strip():
            first += 1
        while first < last and not self.lines[last - 1].strip():
            last -= 1
        if first < last:
            lead = len(self.lines[first]) - len(self.lines[first].lstrip())
            end = self.starts[last - 1] + len(self.lines[last - 1].rstrip())
            yield Section(self.starts[first] + lead, end, heading)


def as_manual(parsed: Parsed) -> Parsed:
    """The document as a manual, titled by its command and cut at its examples; else as it is."""
    if len(parsed.text) > LONGEST:
        return parsed
    split = Lines.of(parsed.text)
    if not parsed.tables and (found := _commands(split)) is not None:
        name, sections = found
        return replace(parsed, title=name, media_type=MANUAL, sections=sections)
    title = _title(split)
    name = title[1] if title else parsed.title
    if not _is_reference(name, split):
        return parsed
    sections = parsed.sections
    if len(sections) <= 1 and title:  # JSON lines: nobody looked for headings yet
        sections = tuple(_headed(split, title[0] + 1))
    return replace(parsed, title=bare(name), media_type=MANUAL, sections=sections)


def bare(name: str) -> str:
    """A title without the marks of code and without `()`."""
    return re.sub(r"\(\)$", "", name.strip().strip("`").strip())


def _title(split: Lines) -> tuple[int, str] | None:
    """The line and the words of a first-level heading at the top."""
    for at, line in enumerate(split.lines):
        if line.strip():
            found = _TITLE.fullmatch(line)
            return (at, found[1].strip()) if found else None
    return None


def _commands(split: Lines) -> tuple[str, tuple[Section, ...]] | None:
    """Name and sections of a page of commands; None for every other form."""
    title = _title(split)
    if title is None:
        return None
    begun, captions = title[0] + 1, list[tuple[int, str]]()
    quoted, waiting = False, False
    for at in range(begun, len(split.lines)):
        line = split.lines[at].strip()
        if not line:
            continue
        if line.startswith(">") and not captions:
            quoted = True
        elif (caption := _CAPTION.fullmatch(line)) and quoted and not waiting:
            captions.append((at, _plain(caption[1])))
            waiting = True
        elif waiting and line[0] == "`" and len(line) > 2:  # its end may have been lost on the way
            waiting = False
        else:
            return None
    if not captions or waiting:
        return None
    ends = [at for at, _ in captions[1:]] + [len(split.lines)]
    sections = [*split.section(begun, captions[0][0], ())]
    for (start, words), end in zip(captions, ends, strict=True):
        sections += split.section(start, end, (words,))
    return title[1], tuple(sections)


def _plain(caption: str) -> str:
    """A caption as a heading: `[r]ecursive:` marks the letter of an option."""
    return re.sub(r"\[(\w+)\]", r"\1", caption).rstrip(": ").strip()


def _is_reference(title: str, split: Lines) -> bool:
    """Whether a page with this title documents one command or function."""
    name = bare(title)
    words = name.split()
    if not 1 <= len(words) <= _WORDS or not all(_NAME.fullmatch(word) for word in words):
        return False
    headings = {found[2].strip(" #:*").casefold() for line in split.lines
                if (found := _HEADING.fullmatch(line))}  # fmt: skip
    if len(headings & _TRADE) < _HEADINGS:
        return False
    code = list(_code_lines(split))
    last = words[-1].rsplit(".", 1)[-1]
    begins = [re.match(rf"(\S+\.)?{re.escape(last)}\b", line, re.I)
              or line.casefold().startswith(name.casefold()) for line in code]  # fmt: skip
    return bool(code) and sum(map(bool, begins)) >= _BEGIN * len(code)


def _code_lines(split: Lines) -> Iterator[str]:
    """Lines of fenced and indented code without prompts, and lines that are all code."""
    fence = ""
    for line in split.lines:
        mark = _FENCE.fullmatch(line)
        if mark:
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
            continue
        whole = _CODE.fullmatch(line.strip())
        code = line if fence or line.startswith(("    ", "\t")) else whole[1] if whole else ""
        code = re.sub(r"^(\$|>>>|%|#)\s+", "", code.strip())
        if code and (not fence or line[0] not in " \t."):  # lines that go on are no commands
            yield code


def _headed(split: Lines, begun: int) -> Iterator[Section]:
    """Sections by Markdown headings outside of fences."""
    path: list[tuple[int, str]] = []
    fence, first = "", begun
    for at in range(begun, len(split.lines)):
        mark = _FENCE.fullmatch(split.lines[at])
        if mark:
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
        found = None if fence else _HEADING.fullmatch(split.lines[at])
        if found:
            yield from split.section(first, at, tuple(name for _, name in path))
            level = len(found[1])
            path = [one for one in path if one[0] < level] + [(level, found[2].strip(" #"))]
            first = at + 1
    yield from split.section(first, len(split.lines), tuple(name for _, name in path))

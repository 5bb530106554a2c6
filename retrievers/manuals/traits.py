"""What the pages say of each other and of themselves, whatever is asked.

How much a command is used shows in how often other pages name it: in their code, in their words.
No list of known commands, no counts from outside. Not here: what a request adds (scope.py).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Said = Callable[[str], Iterable[str]]
TRAITS = (
    "standard", "linux", "other", "in_code", "in_prose", "in_words", "compound", "examples", "alias"
)  # fmt: skip
COMMON = frozenset(("", "common", "linux", "posix", "unix", "all"))
_SPAN = re.compile(r"`([^`\n]+)`")
# Where a command may stand in a line of shell: at its start, after a pipe, under another command.
_COMMAND = re.compile(
    r"(?:^|\|\s*|-exec(?:dir)?\s+|\bsudo\s+|\$\(\s*|&&\s*|;\s*|"
    r"\bxargs\s+(?:-\S+\s+(?:\{\{\S+\}\}\s+)?)*)([A-Za-z_][\w.+-]*)"
)
_WORD = re.compile(r"[a-z_][\w.+-]*")
# Who keeps the manuals of the tools that every system has.
_STANDARD = re.compile(r"\b(?:gnu\.org|manned\.org|man7\.org|pubs\.opengroup\.org)\b")


@dataclass(frozen=True, slots=True)
class Page:
    """A manual page: its document, name and platform, the texts of its sections in order."""

    document: str
    name: str
    platform: str
    texts: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


def prose(text: str) -> str:
    """The text without lines that are all code."""
    return "\n".join(line for line in text.split("\n") if not is_code(line))


def is_code(line: str) -> bool:
    """Whether a line is code from end to end."""
    stripped = line.strip()
    return (stripped[:1] == "`" == stripped[-1:]) or line.startswith(("    ", "\t", "$ "))


def names_of(pages: Sequence[Page]) -> dict[str, list[int]]:
    """The places of the pages of each name, folded."""
    found: dict[str, list[int]] = defaultdict(list)
    for place, page in enumerate(pages):
        found[page.name.casefold()].append(place)
    return dict(found)


def traits(pages: Sequence[Page], names: dict[str, list[int]]) -> Floats:
    """Rows of TRAITS, one a page."""
    counted = [_named_in(pages, names, words) for words in (_in_code, _in_prose, _in_words)]
    own = [
        (
            float(bool(_STANDARD.search(page.text))),
            float(page.platform == "linux"),
            float(page.platform not in COMMON),
            *(float(np.log1p(count[place])) for count in counted),
            float(bool(re.search(r"[\s-]", page.name.strip()))),
            min(len(page.texts), 12) / 8,
            float("alias of" in page.text),
        )
        for place, page in enumerate(pages)
    ]
    return np.array(own, dtype=np.float32).reshape(len(pages), len(TRAITS))


def _named_in(pages: Sequence[Page], names: dict[str, list[int]], words: Said) -> Floats:
    """How many pages of another name have a page's name among their words of a kind."""
    counts = np.zeros(len(pages), dtype=np.float32)
    for page in pages:
        for word in set(words(page.text)) - {page.name.casefold()}:
            for place in names.get(word, ()):
                counts[place] += 1
    return counts


def _in_code(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        if is_code(line):
            code = line.strip().strip("`").removeprefix("$ ")
            yield from (found[1].casefold() for found in _COMMAND.finditer(code))


def _in_prose(text: str) -> Iterator[str]:
    for span in _SPAN.findall(prose(text)):
        if found := _WORD.match(span.casefold()):
            yield found[0]


def _in_words(text: str) -> Iterator[str]:
    return (found[0] for found in _WORD.finditer(text.casefold()))

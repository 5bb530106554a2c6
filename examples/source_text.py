"""Reads the small dialect of Markdown in `examples/source/` into blocks.

One line is one block: `#` headings, `-` list items, `>` speaker notes, `|` table rows (the
first row of a table is its head), anything else a paragraph. Nothing is nested.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Block:
    """One block. `kind` is heading, item, note, table or paragraph."""

    kind: str
    text: str = ""
    level: int = 0
    rows: list[list[str]] = field(default_factory=list)


def read_blocks(path: Path) -> list[Block]:
    """The blocks of a source file, in order."""
    blocks: list[Block] = []
    in_table = False
    for raw in path.read_text(encoding="utf-8").splitlines():
        line = raw.strip()
        if line.startswith("|"):
            if not in_table:
                blocks.append(Block("table"))
            blocks[-1].rows.append([cell.strip() for cell in line.strip("|").split("|")])
            in_table = True
            continue
        in_table = False
        if line.startswith("#"):
            text = line.lstrip("#")
            blocks.append(Block("heading", text.strip(), level=len(line) - len(text)))
        elif line.startswith("- "):
            blocks.append(Block("item", line[2:]))
        elif line.startswith("> "):
            blocks.append(Block("note", line[2:]))
        elif line:
            blocks.append(Block("paragraph", line))
    return blocks


def title_of(blocks: list[Block]) -> str:
    """The text of the first heading of level 1."""
    return next(b.text for b in blocks if b.kind == "heading" and b.level == 1)

"""Labelled lines of a file, JSON objects that something is learned from: all bad ones told at once.

Not here: what a line must have (whoever reads them says so).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pilotfish.errors import InputError
from pilotfish.files import read_text

TOLD = 20  # bad lines that are named
T = TypeVar("T")


def read_lines(path: Path, read: Callable[[dict[str, Any]], T | str], what: str) -> list[T]:
    """What `read` makes of each line's object; a text of its is what is wrong with the line.

    what: what the lines are called where there are none. InputError names the bad ones.
    """
    found: list[T] = []
    bad: list[str] = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        fields = _object(line)
        one = fields if isinstance(fields, str) else read(fields)
        if isinstance(one, str):
            bad.append(f"line {number}: {one}")
        else:
            found.append(one)
    if bad:
        more = f"\n  and {len(bad) - TOLD} more" if len(bad) > TOLD else ""
        told = "\n  ".join(bad[:TOLD])
        raise InputError(f"{path}: {len(bad)} lines cannot be learned from:\n  {told}{more}")
    if not found:
        raise InputError(f"{path} holds no {what}: give one a line")
    return found


def _object(line: str) -> dict[str, Any] | str:
    """The line's object, or why it is none."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return "not valid JSON"
    return fields if isinstance(fields, dict) else "not a JSON object"

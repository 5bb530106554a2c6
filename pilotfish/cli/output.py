"""Whether the results of a long command can be written: told before it runs, not after."""

from __future__ import annotations

import os
from pathlib import Path

from pilotfish.errors import InputError


def writable(source: Path, output: Path) -> None:
    """InputError when `output` cannot be written, or is the file that is read."""
    folder = output.parent
    if str(output) == "-":
        return
    if output.is_dir():
        raise InputError(f"cannot write {output}: it is a folder: name a file in it")
    if output.exists() and source.exists() and output.samefile(source):
        raise InputError(f"{output} holds the questions: write the answers to another file")
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise InputError(f"cannot write {output}: folder {folder} is missing or not writable")
    if output.exists() and not os.access(output, os.W_OK):
        raise InputError(f"cannot write {output}: it may not be changed: choose another file")

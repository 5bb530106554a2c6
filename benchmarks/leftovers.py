"""Kills what a measurement leaves running, even when it was killed itself.

Linux hands orphans to the nearest ancestor that has said it takes them; that is us. Elsewhere
nothing is done. Not here: ending in order, which each measurement does for itself.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SET_CHILD_SUBREAPER = 36  # of prctl(2)


@contextmanager
def swept() -> Iterator[None]:
    """Take the orphans of the block; at its end kill every child of this process that is left."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        while left := children():
            for pid in left:
                with suppress(ProcessLookupError, ChildProcessError):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)


def children() -> list[int]:
    """Processes whose parent is this one, ended ones that nobody waited for among them."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == os.getpid():
                found.append(int(stat.parent.name))
    return found

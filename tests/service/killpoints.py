"""A process of the service that kills itself at named points of its code, one point a start.

    python -m tests.service.killpoints POINTS worker --queue answers ...

takes the first line of the file POINTS away, arms that point, and is the real command line from
there on. A point is `module:function:before|after:count`: SIGKILL before or after that call of
the function. When no line is left nothing is armed. Only the dispatcher's lease is shorter than
in earnest. Not here: judging what is left behind.
"""

from __future__ import annotations

import fcntl
import functools
import importlib
import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pilotfish.engine import attach

LEASE_SECONDS = 1.0  # so that a dispatcher that died is soon followed


def taken(points: Path) -> str | None:
    """The first line of the file, which loses it; several processes may ask at once."""
    with points.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        lines = held.read().splitlines()
        held.seek(0)
        held.truncate()
        held.write("".join(line + "\n" for line in lines[1:]))
    return lines[0] if lines else None


def arm(point: str) -> None:
    """Put the kill around the function; every module that imported it by name calls it too."""
    module, path, when, count = point.split(":")
    owner: Any = importlib.import_module(module)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    setattr(owner, name, deadly(getattr(owner, name), when, int(count)))


def deadly(function: Callable[..., Any], when: str, count: int) -> Callable[..., Any]:
    calls = itertools.count(1)

    @functools.wraps(function)
    def called(*arguments: Any, **named: Any) -> Any:
        last = next(calls) == count
        if last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = function(*arguments, **named)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    return called


def main() -> None:
    attach()
    from workers import dispatch

    point = taken(Path(sys.argv.pop(1)))
    dispatch.LEASE_SECONDS = LEASE_SECONDS
    if point is not None:
        print(f"armed: {point}", flush=True)
        arm(point)
    from pilotfish.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()

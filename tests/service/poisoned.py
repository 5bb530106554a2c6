"""A worker whose recipes kill it: `-m tests.service.poisoned worker ...` is the command line.

It adds recipes poison-segfault, poison-kill, ..., which answer as `plain` does and then do that
to their process. Not here: anything that the service itself would do otherwise,
but for the grace before a hung worker leaves, which POISONED_GRACE shortens.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

from pilotfish.engine import attach

attach()

from pilotfish.step import Step, run  # noqa: E402
from pilotfish.types import Answer, Case  # noqa: E402
from pipeline import recipes  # noqa: E402
from pipeline.parts import Parts  # noqa: E402
from pipeline.purse import Purse  # noqa: E402

HUGE = 64_000_000  # characters: more than anybody reads, less than this machine cannot bear


def segfault() -> None:
    ctypes.string_at(0)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def memory() -> None:
    raise MemoryError


def loop() -> None:
    while True:
        pass


def leave() -> None:
    sys.exit(3)


def deep() -> None:
    deep()


@dataclass(frozen=True, slots=True)
class Poisoned:
    """`plain` first: the money was spent, which is where it hurts most."""

    step: Step
    poison: Callable[[], None]

    def __call__(self, case: Case, /) -> Case:
        done = run(self.step, case)
        self.poison()
        return done


class Broken(BaseException):
    """Passes by the policy that skips helpers which break, as an exit does."""


def through(poison: Callable[[], None]) -> Callable[[], None]:
    """The poison; what `run` would take for a broken helper goes past it as it is."""

    def past() -> None:
        try:
            poison()
        except (MemoryError, RecursionError) as error:
            raise Broken(type(error).__name__) from error

    return past


def huge(parts: Parts, purse: Purse) -> Step:
    """`plain` with an answer that nobody can want."""
    plain = recipes.plain(parts, purse)

    def swell(case: Case) -> Case:
        done = run(plain, case)
        return replace(done, answer=Answer("x" * HUGE))

    return swell


def made(poison: Callable[[], None]) -> recipes.Recipe:
    return lambda parts, purse: Poisoned(recipes.plain(parts, purse), through(poison))


POISONS = (segfault, kill, memory, loop, leave, deep)
recipes.RECIPES |= {f"poison-{each.__name__}": made(each) for each in POISONS}
recipes.RECIPES["poison-huge"] = huge


def main() -> None:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    from workers import pulse

    for name in ("litellm", "onnxruntime", "tantivy"):  # else they count as an item's seconds
        importlib.import_module(name)
    pulse.GRACE_SECONDS = float(os.environ.pop("POISONED_GRACE", pulse.GRACE_SECONDS))
    from pilotfish.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()

"""`--max-error E`: the lowest support with which wrong / answered <= E holds at 95 %.

Learn-then-Test (arXiv 2110.01052) for selective risk: each threshold of a ladder that is fixed
before any label is seen is tested by the exact binomial tail. Thresholds are tested from strict
to lax, from several starts that share the 5 %; the share of a start that held goes on to the next
threshold (the fallback procedure, Wiens 2003), so that the chance that any false promise is made
stays under 5 %, although the threshold is chosen on the same labels. A threshold with too few
answers for any outcome to hold is passed by and costs nothing: where more support never means
less right, a later one is the harder test. In simulations (tests/verifiers/test_promise.py) this
covered 1.05 to 1.2 times what Bonferroni did and 1.5 to 2 times one fixed sequence, which one
unlucky label at its strict end stops. It holds for questions like the labelled ones, no others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from verifiers.binomial import at_most, fewest, needed, upper_bound

MISS = 0.05  # the chance that a promise is not kept
STARTS = 8
# Even steps of log-odds, strict first: fine where promises are made, near one.
GRID = (*(round(1 / (1 + math.exp(-step / 4)), 5) for step in range(30, -17, -1)), 0.0)


@dataclass(frozen=True, slots=True)
class Rung:
    """Of the labelled answers with at least this support: how many, and how many were wrong."""

    at_least: float
    answered: int
    wrong: int


@dataclass(frozen=True, slots=True)
class Promise:
    """What can be promised for `max_error`. `threshold` None: nothing, and `why` says it."""

    max_error: float
    threshold: float | None
    why: str


def ladder(support: npt.ArrayLike, wrong: npt.ArrayLike) -> tuple[Rung, ...]:
    """A rung a threshold; those below the least support that was labelled are left out."""
    order = np.argsort(np.asarray(support, dtype=float), kind="stable")
    values = np.asarray(support, dtype=float)[order]
    above = np.cumsum(np.asarray(wrong, dtype=int)[order][::-1])
    rungs = []
    for threshold in GRID:
        answered = len(values) - int(np.searchsorted(values, threshold, side="left"))
        rungs.append(Rung(threshold, answered, int(above[answered - 1]) if answered else 0))
        if answered == len(values):
            break
    return tuple(rungs)


@lru_cache(maxsize=256)
def promise(rungs: tuple[Rung, ...], max_error: float, asked: int) -> Promise:
    """The laxest threshold that holds. `asked`: labelled questions, those abstained from too."""
    held = [rung for rung, _ in holding(rungs, max_error)]
    if not held:
        return Promise(max_error, None, _refusal(rungs, max_error, asked))
    last = held[-1]
    bound = upper_bound(last.wrong, last.answered)
    told = (
        f"{last.wrong} of {last.answered} labelled answers judged >= {last.at_least:g} "
        f"were wrong (95 % bound {bound:.1%})"
    )
    return Promise(max_error, last.at_least, told)


def holding(rungs: Sequence[Rung], max_error: float) -> Iterator[tuple[Rung, float]]:
    """The rungs that hold, strict first, each with the level at which it was tested."""
    starts = {round(n * len(GRID) / STARTS) for n in range(STARTS)}
    level = 0.0
    for number, rung in enumerate(rungs):
        level += MISS / STARTS if number in starts else 0.0
        if not level or rung.answered < fewest(max_error, level):
            continue  # no outcome could hold: nothing is tested
        hopeful = rung.wrong < max_error * rung.answered  # else its tail is about a half or more
        if hopeful and at_most(rung.wrong, rung.answered, max_error) <= level:
            yield rung, level
        else:
            level = 0.0


def _refusal(rungs: Sequence[Rung], max_error: float, asked: int) -> str:
    """Why nothing can be promised, and how many labels more it would take."""
    level = MISS / STARTS
    least = fewest(max_error, level)
    answered = rungs[-1].answered if rungs else 0
    if answered < least:
        more = math.ceil((least - answered) * (asked / answered if answered else 1.0))
        return (
            f"{answered} labelled answers are too few, {least} are the least: label about "
            f"{more} more questions (pilotfish tune trust)"
        )
    options = [(lack, r) for r in rungs if (lack := _more(r, max_error, asked)) is not None]
    if not options:
        best = min((r for r in rungs if r.answered >= least), key=lambda r: r.wrong / r.answered)
        rate = best.wrong / best.answered
        return f"even of the surest answers {rate:.1%} were wrong: more labels will not help"
    labels, rung = min(options, key=lambda one: one[0])
    rate = rung.wrong / rung.answered
    return (
        f"too few labels for the {rate:.1%} of wrong ones among answers judged >= "
        f"{rung.at_least:g}: label about {labels} more questions (pilotfish tune trust)"
    )


def _more(rung: Rung, max_error: float, asked: int) -> int | None:
    """Labelled questions that this rung lacks, at its own rate of wrong answers."""
    if rung.answered < 20:  # its rate says nothing yet
        return None
    enough = needed(max_error, rung.wrong / rung.answered, MISS / STARTS)
    if enough is None:
        return None
    return max(1, math.ceil((enough - rung.answered) * asked / rung.answered))

"""Puts the examples of one training run together: how many of each kind, never a held-out one.

The amounts are the recipe; they were chosen by validation. Not here: how examples are made.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from models.training import making, mining, sources
from models.training.examples import Example


@dataclass(frozen=True, slots=True)
class Amounts:
    """Drawn anew in each pass. repeat: how often small labelled sets are seen in it."""

    claims: int
    cloze: int
    tables: int
    cells: int
    wrong: int
    repeat: int


# Much that is made at first; then what people asked and labelled, over and over.
PASSES = (Amounts(10000, 6000, 2000, 1000, 4, 2), Amounts(5000, 3000, 1500, 2500, 3, 4))


def labelled() -> list[Example]:
    """Everything that people labelled, of licensed sets; both sides of the split."""
    read = [e for name in sources.READING for e in sources.reading(name)]
    judged = [e for name in sources.LICENSED for e in sources.verification(name)]
    other = chain(sources.rationales(), sources.hops(), sources.finance(), sources.medicine())
    return [*read, *judged, *sources.answered(), *other]


def mixture(
    seed: int, work: Path, without: Collection[str] = (), amounts: Amounts = PASSES[0]
) -> list[Example]:
    """The training examples of one pass, shuffled; `without` names sets to leave out."""
    rng = random.Random(seed)
    people = [e for e in labelled() if not e.held]
    read = [e for e in people if e.source in {*sources.READING, "2wiki step"} and e.span]
    pool = [each for each in making.texts(without) if not each[2]]
    small = [e for e in people if not e.source.startswith("2wiki")]
    again = [e for e in small if e.source not in sources.READING]
    again += (e for name in sources.READING for e in sources.reading(name, with_title=True))
    found = [*people, *again * (amounts.repeat // 2), *small * ((amounts.repeat - 1) // 2)]
    found += making.answers(read, rng)
    found += making.swapped(read, rng)
    found += making.claims(pool, amounts.claims, rng)
    found += making.cloze(pool, amounts.cloze, rng)
    found += sample(sources.tabfact(13000), amounts.tables, rng)
    found += sample(sources.tables_read(12000), amounts.cells, rng)
    found += mining.negatives(work, amounts.wrong, rng)
    found = [e for e in found if not e.held and not _left_out(e, without)]
    rng.shuffle(found)
    return found


def validation(work: Path) -> list[Example]:
    """The held-out side, and the unlicensed sets whole: the same for every run."""
    rng = random.Random(7)
    people = [e for e in labelled() if e.held]
    read = [e for e in people if e.source in sources.READING]
    pool = [each for each in making.texts() if each[2]]
    found = [*people, *making.answers(read, rng), *making.claims(pool, 600, rng)]
    found += (e for e in mining.negatives(work, 2, rng) if e.held)
    found += sample((e for e in sources.tabfact(13000) if e.held), 300, rng)
    for name in sources.UNLICENSED:
        found += sample(sources.verification(name), 400, rng)
    return found


def sample(examples: Iterable[Example], count: int, rng: random.Random) -> list[Example]:
    """At most `count` of them, drawn without putting back."""
    listed = list(examples)
    return listed if len(listed) <= count else rng.sample(listed, count)


def counted(examples: Sequence[Example]) -> str:
    """One line a source: how many examples, and of which verdict."""
    by = Counter((e.source, e.verdict) for e in examples)
    return "\n".join(
        f"{n:6d}  {source}  {verdict}" for (source, verdict), n in sorted(by.items(), key=str)
    )


def _left_out(example: Example, without: Collection[str]) -> bool:
    return any(example.source.startswith(name) for name in without)

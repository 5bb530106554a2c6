"""Manuals: which pages a request for a command needs, against simple rankings.

    .venv/bin/python -m benchmarks.manuals [WORKSPACE]

commands/nl2bash over commands/pages. A request counts when all its gold pages are in the first k.
`plain`: share of requests; `macro`: for each utility the share of the requests that need it, then
the mean over utilities; `not find`: share of the requests whose command does not start with
`find`. `recall`: share of each request's gold pages. Not here: fitting (fit_manual.py).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from benchmarks import data

if TYPE_CHECKING:
    from pipeline.library import Library

ROOT = Path(__file__).resolve().parent.parent
DEPTH = 10
PER_PAGE = 5  # passages read for each page asked for, as the command line does
RANKED = ("bm25", "dense", "both", "two-stage")


@dataclass(frozen=True, slots=True)
class Gold:
    """The pages (by any identity) and utilities of a request, and its command."""

    pages: tuple[Any, ...]
    utilities: tuple[str, ...]
    command: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with its gold."""

    text: str
    pages: tuple[Any, ...]
    utilities: tuple[str, ...]
    command: str


def reached(found: Iterable[tuple[Gold, Sequence[Any]]]) -> dict[str, float]:
    """The measures over pairs of gold and ranking."""
    pairs = list(found)
    told: dict[str, float] = {}
    for k in (1, DEPTH):
        hits = [set(gold.pages) <= set(ranking[:k]) for gold, ranking in pairs]
        by_utility: dict[str, list[bool]] = defaultdict(list)
        for (gold, _), hit in zip(pairs, hits, strict=True):
            for utility in gold.utilities:
                by_utility[utility].append(hit)
        others = [hit for (gold, _), hit in zip(pairs, hits, strict=True)
                  if not gold.command.startswith("find")]  # fmt: skip
        told[f"plain@{k}"] = fmean(hits)
        told[f"macro@{k}"] = fmean(fmean(some) for some in by_utility.values())
        told[f"not find@{k}"] = fmean(others) if others else 0.0
        told[f"recall@{k}"] = fmean(
            len(set(gold.pages) & set(ranking[:k])) / len(set(gold.pages))
            for gold, ranking in pairs
        )
    return told


def data_tree() -> Path:
    """Where the development data lie."""
    return Path(os.environ.get("PILOTFISH_BENCH_DATA") or ROOT.parent / "shared" / "data")


def requests(tree: Path) -> list[Asked]:
    """The development requests; a gold page is a document's id, a utility a page's name."""
    made = []
    for row in data.lines(tree / "commands" / "nl2bash.jsonl.gz"):
        names = tuple(dict.fromkeys(page.split("/", 1)[1] for page in row["page_ids"]))
        made.append(Asked(row["text"], tuple(row["page_ids"]), names, row["command"]))
    return made


def pages_of(library: Library) -> tuple[Any, dict[str, int]]:
    """The manuals as the product holds them, and the place of each document among them."""
    from retrievers.manuals.held import Manuals

    laid = Manuals(library.shelf).laid()
    assert laid is not None, "add commands/pages to the workspace first"
    return laid, {page.document: place for place, page in enumerate(laid.scope.pages)}


def placed(asked: Sequence[Asked], places: dict[str, int]) -> list[Asked]:
    """Gold pages by their places."""
    return [replace(one, pages=tuple(places[page] for page in one.pages)) for one in asked]


def constant(asked: Sequence[Asked], other: Sequence[Asked]) -> list[tuple[Gold, Sequence[Any]]]:
    """For every request the ten most frequent gold pages of the other half."""
    often = Counter(page for one in other for page in one.pages)
    top = [page for page, _ in often.most_common(DEPTH)]
    return [(_gold(one), top) for one in asked]


def _gold(one: Asked) -> Gold:
    return Gold(one.pages, one.utilities, one.command)


def halves(asked: Sequence[Asked]) -> list[tuple[Gold, Sequence[Any]]]:
    """The constant list, each half by the other's pages."""
    first, second = asked[::2], asked[1::2]
    return [*constant(first, second), *constant(second, first)]


def ranking(library: Library, name: str) -> Callable[[str], list[str]]:
    """A request to document ids, best first: `both` fuses BM25 and dense, as text is searched."""
    from pilotfish.step import run
    from pilotfish.types import Case, Question, Scope

    step = library.retriever("fused", DEPTH * PER_PAGE) if name == "both" else None

    def ranked(text: str) -> list[str]:
        question = Question(text, scope=Scope(kind="manual"))
        depth = DEPTH * PER_PAGE
        if step is not None:
            case = run(step, Case(question))
        else:
            plain = "fused" if name == "two-stage" else name
            case = library.search(question, plain, depth)
        return list(dict.fromkeys(passage.document for passage in case.passages))[:DEPTH]

    return ranked


def measure(library: Library, tree: Path, sample: int = 0) -> dict[str, dict[str, float]]:
    """The table; `sample`: every so many-th request only, for all but the constant list."""
    asked = requests(tree)
    told = {"constant": reached(halves(asked))}
    some = asked[::sample] if sample else asked
    for name in RANKED:
        rank = ranking(library, name)
        rank(some[0].text)
        begun = time.perf_counter()
        found = [(_gold(one), rank(one.text)) for one in some]
        seconds = (time.perf_counter() - begun) / len(some)
        told[name] = reached(found) | {"seconds": seconds}
        print(name, {key: round(value, 3) for key, value in told[name].items()},
              file=sys.stderr, flush=True)  # fmt: skip
    return told


def table(told: dict[str, dict[str, float]]) -> str:
    """One line a ranking."""
    kinds = ("plain", "macro", "not find", "recall")
    columns = [f"{name}@{k}" for k in (1, DEPTH) for name in kinds]
    lines = [f"{'':10}" + "".join(f"{name:>13}" for name in (*columns, "ms"))]
    for name, values in told.items():
        figures = "".join(f"{values[column]:>13.3f}" for column in columns)
        lines.append(f"{name:10}{figures}{1000 * values.get('seconds', 0.0):>13.1f}")
    return "\n".join(lines)


def main(workspace: Path | None, sample: int = 0) -> None:
    """In a workspace that has the pages, or a temporary one that gets them (some minutes)."""
    from benchmarks.ground import add, opened

    tree = data_tree()
    if workspace is not None:
        told = measure(opened(workspace), tree, sample)
    else:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "pages.jsonl"
            data.write(file, data.lines(tree / "commands" / "pages.jsonl.gz"))
            told = measure(add(Path(folder) / "workspace", file), tree, sample)
    print(table(told))
    rounded = {name: {k: round(v, 4) for k, v in one.items()} for name, one in told.items()}
    print(json.dumps(rounded))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else None, int(sys.argv[2]) if sys.argv[2:] else 0)

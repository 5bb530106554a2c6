"""Which pages of a manual a request needs (benchmarks/manuals.py), every fourth request.

Not here: fitting the weights (benchmarks/fit_manual.py), which says how they do on utilities that
were left out.
"""

from __future__ import annotations

import shutil
from typing import Any

from benchmarks import data, manuals
from benchmarks.ground import COMPLETE, Ground, opened
from pipeline.library import Library

EACH = 4
KEPT = ("plain@1", "macro@1", "not find@1", "plain@10", "macro@10", "not find@10", "ms")
GAIN = 0.05


def measure(here: Ground) -> dict[str, Any]:
    """Shares of requests with all gold pages in the first 1 and 10, and the bars."""
    library = collection(here)
    told = manuals.measure(library, here.data, 200 if here.quick else EACH)
    ways = {
        name: {**{key: round(one[key], 4) for key in KEPT[:-1] if key in one},
               "ms": round(1000 * one.get("seconds", 0.0), 1)}
        for name, one in told.items()
    }  # fmt: skip
    simple = [ways[name] for name in ("constant", "bm25", "dense")]
    bars = {
        f"manuals, {measure}: above the constant list, BM25 and dense by {GAIN}":
            ways["two-stage"][measure] >= max(one[measure] for one in simple) + GAIN
        for measure in ("macro@1", "not find@1", "macro@10", "not find@10")
    }  # fmt: skip
    about = (
        "nl2bash over the pages of tldr: the share of requests of which all gold pages are among "
        "the first. plain: of all requests; macro: the mean over utilities; not find: of those "
        "whose command does not begin with find. constant: the ten commonest pages of the other "
        "half. The sixteen weights of two-stage were fitted on these requests; with the utilities "
        "asked for left out, macro@10 is 0.289 and macro@1 0.066 (benchmarks/fit_manual.py)."
    )
    return {"ways": ways, "about": about, "bars": bars}


def collection(here: Ground) -> Library:
    """The pages as one collection, added once for this code: some minutes."""
    place = here.place("manual")
    if not (place / COMPLETE).exists():
        shutil.rmtree(place, ignore_errors=True)
        rows = data.lines(here.data / "commands" / "pages.jsonl.gz")
        files = here.work / "files"
        library = opened(place, create=True)
        library.add([str(data.write(files / "pages.jsonl", rows))])
        (place / COMPLETE).touch()
    return opened(place)

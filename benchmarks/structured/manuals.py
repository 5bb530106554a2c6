"""Which pages of a manual a request needs (benchmarks/manuals.py), every fourth request.

And the same weights fitted anew without the utilities that are asked for, over all requests. Not
here: the fitting (benchmarks/fit_manual.py).
"""

from __future__ import annotations

import shutil
from typing import Any

from benchmarks import data, fit_manual, manuals
from benchmarks.ground import COMPLETE, Ground, opened
from pipeline.library import Library

EACH = 4
KEPT = ("plain@1", "macro@1", "not find@1", "plain@10", "macro@10", "not find@10", "ms")
GAIN = 0.05
LEFT_OUT = "two-stage, utilities left out"


def measure(here: Ground) -> dict[str, Any]:
    """Shares of requests with all gold pages in the first 1 and 10, and the bars."""
    library = collection(here)
    told = manuals.measure(library, here.data, 200 if here.quick else EACH)
    ways = {
        name: {**{key: round(one[key], 4) for key in KEPT[:-1] if key in one},
               "ms": round(1000 * one.get("seconds", 0.0), 1)}
        for name, one in told.items()
    }  # fmt: skip
    rows = fit_manual.rows_in(library, here.data, 50 if here.quick else 1)
    left = fit_manual.held_out(rows, EACH)
    ways[LEFT_OUT] = {key: round(one, 4) for key, one in left.items()}
    simple = [ways[name] for name in ("constant", "bm25", "dense")]
    bars = {
        f"manuals, {measure}: above the constant list, BM25 and dense by {GAIN}":
            ways[LEFT_OUT][measure] >= max(one[measure] for one in simple) + GAIN
        for measure in ("macro@1", "not find@1", "macro@10", "not find@10")
    }  # fmt: skip
    about = (
        "nl2bash over the pages of tldr: the share of requests of which all gold pages are among "
        "the first. plain: of all requests; macro: the mean over utilities; not find: of those "
        "whose command does not begin with find. constant: the ten commonest pages of the other "
        "half. The sixteen weights of two-stage were fitted on these requests; those of the last "
        "row never saw the utilities that they are asked for; there a request counts once for each "
        "fold of utilities that it needs, and is ranked among the 200 likeliest pages and its gold "
        "ones. The bars are of that row."
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

"""Labelled answers for benchmarks/risk.py: support, right or wrong, and where they are from.

Today's: the default recipe without an LLM over reading/nq_oracle and reading/xquad, a fifth of
whose contexts are taken away. Right = a known answer stands in the sentence that was given.
Another reader is measured by another function of this shape. Not here: measuring.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verifiers.calibration import Label


@dataclass(frozen=True, slots=True)
class Row:
    """One asked question. `label` None: abstained. `source`: what is kept together in splits."""

    set: str
    source: str
    label: Label | None


def extractive(folder: Path, take: int = 1) -> list[Row]:
    """Every `take`-th question, over a collection that is made in `folder` if it is not there."""
    from benchmarks.development import READING, reading_set, rows
    from benchmarks.fit_support import library
    from pilotfish.settings import load
    from pipeline.labelling import Known, Labeller
    from pipeline.library import Library

    documents, asked = reading_set()
    sets = [name.rpartition("/")[2] for name in READING for _ in rows(name)]
    made = (folder / "pilotfish.db").exists()
    shelf = Library(load({"workspace": folder})) if made else library(folder, documents)
    labeller = Labeller(shelf, match="contains")
    return [
        Row(name, one.document, labeller.label(Known(n, one.question, one.answers)))
        for n, (name, one) in list(enumerate(zip(sets, asked, strict=True)))[::take]
    ]


def reading_folder() -> Path:
    """Where that collection may lie from one run to the next."""
    root = os.environ.get("PILOTFISH_CACHE") or Path.home() / ".cache" / "pilotfish"
    folder = Path(root).expanduser() / "benchmarks" / "reading"
    folder.mkdir(parents=True, exist_ok=True)
    return folder

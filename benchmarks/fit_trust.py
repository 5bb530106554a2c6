"""Fits the calibration that is shipped, verifiers/trust.json, for collections without labels.

Run again whenever a judge changes: a calibration of other judges is not used. Run:
python -m benchmarks.fit_trust [--write] [--rows FILE]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.ground import ground
from benchmarks.judges.endtoend import labelled, library, told
from benchmarks.risk import judged, read_rows, write_rows
from pipeline.reliance import judge_of
from verifiers.calibration import fit, to_json
from verifiers.trust import GENERAL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write verifiers/trust.json")
    parser.add_argument("--rows", type=Path, help="labelled rows: read if there, else written")
    options = parser.parse_args()
    place = ground(quick=False)
    if options.rows and options.rows.exists():
        rows = read_rows(options.rows)
    else:
        rows = labelled(told(place))
        if options.rows:
            write_rows(options.rows, rows)
    print(json.dumps(judged(rows), indent=1))
    made = fit([row.label for row in rows if row.label], len(rows), grouped=False)
    shelf, _ = library(place, "pilot")
    shipped = {
        "judge": judge_of(shelf.parts),
        "data": "nq_oracle, xquad and 2wiki, extractive tier (benchmarks/judges/endtoend.py)",
        "calibration": json.loads(to_json(made)),
    }
    if options.write:
        GENERAL.write_text(json.dumps(shipped) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

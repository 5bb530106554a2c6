"""Twenty tenants with look-alike documents, 10,000 random queries: nothing crosses.

The sweep is that of tests/workers/tenants.py, over a running service with its own threads: it
looks at answers, traces, lists, stored rows, cached replies and the log. Not here: routes and
ids one by one (tests/workers).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.ground import Ground
from benchmarks.service import stand
from tests.conftest import Pilotfish, quoted_by
from tests.llm_server import LLMServer
from tests.workers.conftest import serving
from tests.workers.tenants import sweep

TENANTS, QUERIES = 20, 10_000
SHOWN = 20  # crossings that are kept word for word


def measure(ground: Ground) -> dict[str, Any]:
    """What the sweep did and found."""
    os.environ[stand.COLD] = "1"
    queries = 300 if ground.quick else QUERIES
    with (
        tempfile.TemporaryDirectory(prefix="pilotfish-bench-") as name,
        LLMServer(respond=quoted_by) as llm,
    ):
        folder = Path(name)
        pilotfish = Pilotfish(folder, folder / "workspace").asking(llm)
        with serving(pilotfish, folder) as service:
            found = sweep(service.made_key(), TENANTS, queries)
    could = found.own_markers > queries / 3 and found.rows > queries  # it would have been seen
    return {
        "figures": {
            "tenants": found.tenants, "queries": found.queries, "failed": found.failed,
            "answers with the asker's own marker": found.own_markers,
            "rows looked through": found.rows, "crossings": len(found.crossings),
        },
        "crossings": found.crossings[:SHOWN],
        "bars": {
            f"{TENANTS} tenants, {queries:,} queries: nothing crosses": not found.crossings
            and could and found.queries == queries and not found.failed,
        },
    }  # fmt: skip

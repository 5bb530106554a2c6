"""Twenty tenants with look-alike documents ask at once: nobody sees anything of another's."""

from __future__ import annotations

import os

import pytest

from tests.workers.conftest import Service
from tests.workers.tenants import sweep

QUERIES = int(os.environ.get("TENANT_QUERIES", "500"))  # the benchmark's: 10,000


@pytest.mark.slow
def test_nothing_of_twenty_tenants_crosses_in_any_answer_trace_row_or_log(
    service: Service,
) -> None:
    found = sweep(service, 20, QUERIES)
    assert found.crossings == []
    assert found.queries == QUERIES and found.failed == 0
    # It would have been seen: own markers are all over the answers, and rows were looked through.
    assert found.own_markers > QUERIES / 3 and found.rows > QUERIES

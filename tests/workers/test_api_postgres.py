"""The HTTP interface over Postgres: the statements that it adds work there too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Pilotfish
from tests.llm_server import LLMServer
from tests.service.processes import Watch
from tests.service.servers import Postgres
from tests.workers.conftest import Service, serving

pytestmark = pytest.mark.slow
OWN = b"# Parking\n\nVisitors park their cars behind the old brewery on Mill Lane.\n"
WHERE = "Where do visitors park their cars?"


@pytest.fixture
def over_postgres(tmp_path: Path, llm: LLMServer) -> Iterator[Service]:
    watch = Watch()
    postgres = Postgres(watch, tmp_path)
    try:
        pilotfish = Pilotfish(tmp_path, tmp_path / "workspace").asking(llm)
        with serving(pilotfish, tmp_path, PILOTFISH_DATABASE=postgres.url) as made:
            yield made
    finally:
        watch.close()
        postgres.stop()


def test_documents_jobs_usage_and_metrics_work_over_postgres(over_postgres: Service) -> None:
    service = over_postgres
    made = service.upload("/v1/collections/default/documents", {"parking.md": OWN})
    assert made.status == 201, made.body
    assert service.ended(made.json["id"])["state"] == "completed"
    line = service.post("/v1/answers", {"question": WHERE}, idempotency_key="k").json
    assert line["status"] == "answered" and "brewery" in line["answer"]
    assert service.post("/v1/answers", {"question": WHERE}, idempotency_key="k").json == line
    body = {"questions": [WHERE, {"question": " "}], "skip_invalid": True, "budget_usd": 1}
    job = service.ended(service.post("/v1/jobs", body).json["id"])
    assert job["done"] == 2 and job["failed"] == 1 and job["budget"]["limit_usd"] == 1
    assert len(service.get("/v1/jobs?limit=1").json["data"]) == 1
    assert service.get(f"/v1/jobs/{job['id']}/items").json["data"][1]["state"] == "failed"
    assert b"event: end" in service.get(f"/v1/jobs/{job['id']}/events").body
    for by in ("day", "model", "key", "job"):
        rows = service.get(f"/v1/usage?by={by}").json["data"]
        assert sum(row["llm_calls"] for row in rows) == 1
    assert b'pilotfish_items{state="answered"} 3' in service.get("/metrics").body
    assert service.get("/readyz").json["checks"]["database"]
    assert service("DELETE", f"/v1/jobs/{job['id']}").status == 200
    assert service.get("/v1/collections").json["data"][0]["documents"] == 1
    assert service.post("/v1/answers", {"question": "\0"}).status == 422
    for odd in ("/v1/jobs/%00", "/v1/jobs?after=%00", "/v1/collections/default/documents/%00"):
        assert service.get(odd).status == 404
    odd_lines = [{"question": "a?", "where": "x = '\0'"}, {"question": "b?", "where": 3},
                 {"question": "c?", "custom_id": "\0"},
                 {"question": "d?", "turns": [{"role": "user", "text": "\0"}]}]  # fmt: skip
    refused = service.post("/v1/jobs", {"questions": odd_lines})
    assert refused.status == 422 and len(refused.error["lines"]) == 4
    assert service("DELETE", "/v1/collections/default").status == 204

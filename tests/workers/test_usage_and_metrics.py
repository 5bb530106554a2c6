"""What was spent, and the service's figures: both are read from the ledger and the items."""

from __future__ import annotations

import re
import time

import pytest

from tests.conftest import ASKED
from tests.llm_server import LLMServer
from tests.workers.conftest import Service

pytestmark = pytest.mark.slow
PRICED = "openai/gpt-4o-mini"


def asked_three(own: Service, model: str = PRICED) -> list[dict[str, object]]:
    """Receipts of three questions to a model whose price is known."""
    questions = [f"{ASKED} ({n})" for n in range(3)]
    job = own.post("/v1/jobs", {"questions": questions, "model": model}).json["id"]
    own.ended(job)
    return [line["receipt"] for line in own.get(f"/v1/jobs/{job}/results").lines]


@pytest.mark.parametrize("by", ["day", "model", "key", "job"])
def test_usage_adds_up_to_the_receipts_exactly(own: Service, by: str) -> None:
    receipts = asked_three(own)
    (row,) = own.get(f"/v1/usage?by={by}").json["data"]
    assert row["llm_calls"] == 3 and row["cost_usd"] > 0
    for ours, theirs in (("cost_usd", "cost_usd"), ("prompt_tokens", "prompt_tokens"),
                         ("completion_tokens", "completion_tokens"),
                         ("llm_calls", "llm_calls")):  # fmt: skip
        total = sum(receipt[theirs] for receipt in receipts)  # type: ignore[misc]
        assert row[ours] == pytest.approx(total, abs=1e-12)
    job = own.get("/v1/jobs").json["data"][0]
    assert job["cost_usd"] == row["cost_usd"] and job["llm_calls"] == 3
    groups = {"day": time.strftime("%Y-%m-%d", time.gmtime()), "model": PRICED, "key": "",
              "job": job["id"]}  # fmt: skip
    assert row["group"] == groups[by]


def test_usage_is_the_tenants_own_and_of_the_time_asked_for(own: Service) -> None:
    asked_three(own)
    admin, acme = own.made_key("", admin=True), own.made_key("acme")
    assert acme.get("/v1/usage").json["data"] == []
    assert len(admin.get("/v1/usage?everybody=true").json["data"]) == 1
    assert admin.get("/v1/usage?since=2999-01-01").json["data"] == []
    assert admin.get(f"/v1/usage?until={time.time() - 3600}").json["data"] == []
    assert len(admin.get("/v1/usage?since=2020-01-01T00:00:00Z").json["data"]) == 1
    assert admin.get("/v1/usage?since=yesterday").status == 422


def test_metrics_tell_states_calls_and_dollars(own: Service, llm: LLMServer) -> None:
    asked_three(own)
    llm.script("policy")
    own.ended(own.post("/v1/jobs", {"questions": [ASKED], "recipe": "plain"}).json["id"])
    reply = own.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = dict(re.findall(r"^(pilotfish_\S+) (\S+)$", reply.body.decode(), re.M))
    assert found['pilotfish_items{state="answered"}'] == "3"
    assert found['pilotfish_items{state="failed"}'] == "1"
    assert found["pilotfish_dead_items"] == "0" and found["pilotfish_oldest_pending_seconds"] == "0"
    assert found[f'pilotfish_llm_calls_total{{model="{PRICED}"}}'] == "3"
    assert float(found[f'pilotfish_llm_cost_usd_total{{model="{PRICED}"}}']) > 0
    assert found["pilotfish_llm_possible_duplicate_usd"] == "0"
    lines = reply.body.decode().splitlines()
    assert all(re.fullmatch(r"# (HELP|TYPE) .+|[a-z_]+(\{.*\})? [-+.\de]+", line) for line in lines)


def test_health_says_alive_ready_and_which_version(service: Service) -> None:
    anybody = service.having(None)
    assert anybody.get("/livez").json == {"status": "alive"}
    ready = anybody.get("/readyz").json
    assert ready["status"] == "ready" and ready["checks"] == {"database": True, "queue": True}
    assert set(anybody.get("/version").json) == {"version", "schema"}


def test_every_route_is_documented_with_an_example_for_each_body(service: Service) -> None:
    document = service.get("/openapi.json").json
    assert document["openapi"].startswith("3.")
    for path, ways in document["paths"].items():
        for method, way in ways.items():
            assert way.get("summary"), (method, path)
    text = str(document)
    assert ASKED in text and "multipart/form-data" in text

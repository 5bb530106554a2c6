"""One question over HTTP, and the searches and estimates beside it."""

from __future__ import annotations

import time

import pytest

from tests.conftest import ASKED, UNANSWERABLE
from tests.llm_server import LLMServer
from tests.workers.conftest import Service, in_threads, until

pytestmark = pytest.mark.slow


def test_a_question_is_answered_with_citations_and_a_receipt(service: Service) -> None:
    reply = service.post("/v1/answers", {"question": f"Please tell: {ASKED}"})
    assert reply.status == 200, reply.body
    line = reply.json
    assert line["status"] == "answered" and "30 days" in line["answer"]
    assert line["citations"][0]["quote"].startswith("Goods may be returned")
    assert line["receipt"]["llm_calls"] == 1 and line["error"] is None and "trace" not in line
    assert reply.headers["x-request-id"].startswith("req_")


def test_an_unanswerable_question_is_an_abstention(service: Service) -> None:
    line = service.post("/v1/answers", {"question": UNANSWERABLE}).json
    assert line["status"] == "abstained" and line["answer"] is None and line["error"] is None


def test_the_trace_comes_when_asked_for(service: Service) -> None:
    line = service.post("/v1/answers", {"question": ASKED, "trace": True}).json
    assert {"bm25", "dense"} & {str(event["step"]).lower() for event in line["trace"]}


def test_the_same_key_and_body_is_the_same_question_and_another_body_is_refused(
    service: Service,
) -> None:
    body = {"question": "What does express delivery cost?"}
    first = service.post("/v1/answers", body, idempotency_key="once").json
    again = service.post("/v1/answers", body, idempotency_key="once").json
    assert again == first
    other = service.post("/v1/answers", {"question": ASKED}, idempotency_key="once")
    assert other.status == 422 and other.error["code"] == "idempotency_conflict"


def test_what_takes_longer_is_a_job_that_can_be_asked_for(own: Service, llm: LLMServer) -> None:
    llm.script("hang:2")
    reply = own.post("/v1/answers?wait=0.2", {"question": ASKED}, idempotency_key="slow")
    assert reply.status == 202 and reply.json["state"] == "running"
    assert reply.headers["location"] == f"/v1/jobs/{reply.json['id']}"
    line = own.post("/v1/answers", {"question": ASKED}, idempotency_key="slow").json
    assert line["status"] == "answered" and line["job"] == reply.json["id"]
    assert sum(llm.per_key.values()) == 1


def test_a_hundred_who_wait_do_not_stop_the_rest(own: Service, llm: LLMServer) -> None:
    llm.default = "hang:4"
    began = time.monotonic()

    def work(number: int) -> object:
        if number < 100:
            return own.post("/v1/answers?wait=3", {"question": f"{ASKED} {number}"}).status
        time.sleep(1)
        looked = time.monotonic()
        assert own.get("/v1/collections").status == 200
        return time.monotonic() - looked

    found = in_threads(101, work)
    assert found[:100] == [202] * 100
    assert float(str(found[100])) < 1.5 and time.monotonic() - began < 20
    llm.stopped.set()


def test_a_wrong_llm_key_is_said_at_once_and_leaves_nothing_running(
    own: Service, llm: LLMServer
) -> None:
    llm.default = "status:401"
    reply = own.post("/v1/answers", {"question": ASKED})
    assert reply.status == 503, reply.body
    assert "sk-test" not in reply.body.decode() and reply.headers["retry-after"]
    jobs = own.get("/v1/jobs?singles=true").json["data"]
    assert [job["state"] for job in jobs] == ["cancelled"]


def test_a_question_that_was_paused_goes_on_when_it_is_asked_again(
    own: Service, llm: LLMServer
) -> None:
    llm.script("status:401")
    body = {"question": ASKED}
    assert own.post("/v1/answers", body, idempotency_key="k").status == 503
    assert own.post("/v1/answers", body, idempotency_key="k").json["status"] == "answered"


def test_a_question_over_its_budget_fails_and_costs_nothing(own: Service, llm: LLMServer) -> None:
    line = own.post("/v1/answers", {"question": ASKED, "budget_usd": 0}).json
    assert line["status"] in {"failed", "abstained", "answered"} and not llm.requests


@pytest.mark.parametrize(("body", "word"), [
    ({"question": ""}, "empty"),
    ({"question": "x" * 20_001}, "20,000"),
    ({"question": ASKED, "recipe": "nonsense"}, "recipe"),
    ({"question": ASKED, "where": "year >="}, "filter"),
    ({"question": ASKED, "passages": 0}, "passages"),
    ({"question": ASKED, "temperature": 1}, "temperature"),
    ({"question": "nul \0"}, "NUL"),
    ({}, "question"),
])  # fmt: skip
def test_a_question_that_cannot_be_asked_is_refused_by_name(
    service: Service, body: dict[str, object], word: str
) -> None:
    reply = service.post("/v1/answers", body)
    assert reply.status == 422 and word in reply.error["message"]
    assert reply.error["type"] == "invalid_request_error"


def test_other_models_are_for_those_who_run_the_service(service: Service) -> None:
    body = {"question": ASKED, "model": "openai/expensive"}
    reply = service.post("/v1/answers", body)
    assert reply.status == 422 and "openai/test-model" in reply.error["message"]


def test_a_search_gives_passages_within_its_filter(service: Service) -> None:
    found = service.post("/v1/search", {"query": "crane harbour", "where": "year = 2022"}).json
    assert [passage["document"] for passage in found["data"]] == ["n-2"]
    assert found["data"][0]["rank"] == 1 and "forty tonnes" in found["data"][0]["text"]


def test_an_estimate_spends_nothing(service: Service, acme: Service) -> None:
    found = service.post("/v1/estimates", {"questions": [ASKED, UNANSWERABLE]}).json
    assert found["questions"] == 2 and found["llm_calls_at_most"] == 2
    assert found["prompt_tokens"] > 50 and found["seconds_without_llm_latency"] >= 0
    assert acme.post("/v1/estimates", {"questions": [ASKED]}).status == 404


def test_waiting_ends_when_the_service_is_told_to_stop(own: Service, llm: LLMServer) -> None:
    import os
    import signal

    llm.default = "hang:5"
    began = time.monotonic()

    def work(number: int) -> object:
        if number == 0:
            return own.post("/v1/answers", {"question": ASKED}).status
        until(lambda: llm.requests)
        os.kill(own.pid, signal.SIGTERM)
        return None

    assert in_threads(2, work)[0] == 202
    assert time.monotonic() - began < 15
    llm.stopped.set()

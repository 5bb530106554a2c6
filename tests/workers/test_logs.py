"""What the processes write on stderr: one JSON object a line, without secrets and texts."""

from __future__ import annotations

import io
import json
import logging
import re
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pilotfish.settings import ServiceSettings
from tests.conftest import Pilotfish
from tests.llm_server import LLMServer
from tests.workers.conftest import serving
from workers import logs

CANARY = "sk-CANARY-0123456789abcdef"
JSON = {"PILOTFISH_SERVICE__LOG_FORMAT": "json", "PILOTFISH_SERVICE__ACCESS_LOG": "true"}


@pytest.fixture
def written() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger of this test's own, and what it writes as JSON."""
    stream, log = io.StringIO(), logging.getLogger("pilotfish.tests.logs")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLines())
    log.addHandler(handler)
    log.propagate = False
    yield log, stream
    log.removeHandler(handler)
    log.propagate = True


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_how_grave_who_and_what(
    written: tuple[logging.Logger, io.StringIO],
) -> None:
    log, stream = written
    log.warning("%d items\nin two lines \udcff", 3)
    (line,) = lines(stream)
    assert line["level"] == "warning" and line["logger"] == "pilotfish.tests.logs"
    assert line["message"] == "3 items\nin two lines \udcff"
    assert line["time"].endswith("Z") and datetime.fromisoformat(line["time"])
    assert set(line) == {"time", "level", "logger", "message"}


def test_secrets_are_blanked_and_an_errors_own_words_left_out(
    written: tuple[logging.Logger, io.StringIO],
) -> None:
    log, stream = written
    log.warning("sent with %s", CANARY)
    try:
        raise KeyError("a sentence of a document")
    except KeyError:
        log.exception("step broke")
    said, broke = lines(stream)
    assert "CANARY" not in stream.getvalue() and "[redacted]" in said["message"]
    assert broke["error"] == "KeyError" and "a sentence" not in stream.getvalue()
    assert re.fullmatch(r"test_logs\.py:\d+ test_\w+", broke["at"][-1])


def test_lines_carry_what_they_are_about_and_what_is_learnt_of_it(
    written: tuple[logging.Logger, io.StringIO],
) -> None:
    log, stream = written
    with logs.about(request="req_1", tenant=""):
        worker = threading.Thread(target=lambda: logs.learn(job="nobody's"))
        worker.start()
        worker.join()
        logs.learn(job="job_1")
        log.warning("in")
        with logs.about(item=7):
            log.warning("deeper")
        log.warning("in again")
    log.warning("out")
    found = [{k: line.get(k) for k in ("request", "job", "item")} for line in lines(stream)]
    inside = {"request": "req_1", "job": "job_1", "item": None}
    assert found == [inside, inside | {"item": 7}, inside, dict.fromkeys(inside)]
    assert "tenant" not in stream.getvalue()


def test_tenants_are_told_apart_without_their_names() -> None:
    assert logs.tenant_hash("acme") != logs.tenant_hash("umbrella") and logs.tenant_hash("") == ""
    assert "acme" not in logs.tenant_hash("acme")


def test_as_text_the_handlers_stay_and_blank_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    for _ in range(2):
        logs.configure(ServiceSettings())
    log = logging.getLogger("pilotfish.tests")
    try:
        raise KeyError(CANARY)
    except KeyError:
        log.exception("sent with %s", CANARY)
    first, *_, last = stream.getvalue().splitlines()
    assert first == "sent with [redacted]" and last == "KeyError: '[redacted]'"


@pytest.mark.parametrize("wanted", [False, True])
def test_requests_leave_a_line_where_the_setting_says_so(wanted: bool) -> None:
    logs.configure(ServiceSettings(access_log=wanted))
    assert logging.getLogger(logs.ACCESS).isEnabledFor(logging.INFO) is wanted


@pytest.mark.slow
def test_a_service_writes_json_alone_and_says_what_each_line_is_about(
    mine: Pilotfish, llm: LLMServer, tmp_path: Path
) -> None:
    llm.script("status:500")  # whose body repeats the key
    asking = mine.asking(llm, OPENAI_API_KEY=CANARY, **JSON)
    with serving(asking, tmp_path) as anybody:
        service = anybody.made_key("acme", admin=True)
        made = service.upload("/v1/collections/mine/documents", {"a.txt": b"Cats have nine lives."})
        service.ended(made.json["id"])
        asked = {"question": "How many lives have cats?", "collection": "mine"}
        reply = service.post("/v1/answers", asked)
        job, request = reply.json["job"], reply.headers["x-request-id"]
        service.get(f"/v1/jobs/{job}/results")
        service.get("/jobs/job_of_nobody")
        service.get("/wp-admin/secret-place")
        service.get("/livez")
        log = service.log
    text = log.read_text()
    found = [json.loads(line) for line in text.splitlines()]
    assert all(line.keys() >= {"time", "level", "logger"} or "listening" in line for line in found)
    access = [line for line in found if line.get("logger") == logs.ACCESS]
    routes = [(line["method"], line["route"], line["status"]) for line in access]
    assert ("POST", "/v1/answers", 200) in routes
    assert ("GET", "/v1/jobs/{job_id}/results", 200) in routes
    assert ("GET", "/jobs", 404) in routes and ("GET", None, 404) in routes
    assert not any(route == "/livez" for _, route, _ in routes)
    (answered,) = [line for line in access if line["route"] == "/v1/answers"]
    assert answered["job"] == job and answered["request"] == request and answered["ms"] > 0
    (warned,) = [line for line in found if line.get("logger") == "pilotfish.llm"]
    assert warned["job"] == job and isinstance(warned["item"], int)
    assert warned["tenant"] == logs.tenant_hash("acme")
    for word in ("CANARY", "lives", "Cats", "acme", "job_of_nobody", "wp-admin", "a.txt"):
        assert word not in text, word

"""Many questions over HTTP: submitted once, watched, paused, retried, taken away as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping

import pytest
from openpyxl import Workbook, load_workbook

from tests.conftest import ASKED, UNANSWERABLE
from tests.llm_server import LLMServer
from tests.workers.conftest import Service, until

pytestmark = pytest.mark.slow
THREE = [ASKED, {"custom_id": "ship", "question": "What does express delivery cost?"},
         {"id": 7, "question": UNANSWERABLE}]  # fmt: skip


def test_a_job_ends_and_gives_its_lines_in_order(service: Service) -> None:
    made = service.post("/v1/jobs", {"questions": THREE, "name": "three"})
    assert made.status == 201 and made.json["total"] == 3 and made.json["name"] == "three"
    job = service.ended(made.json["id"])
    assert job["state"] == "completed" and job["done"] == 3 and job["failed"] == 0
    lines = service.get(f"/v1/jobs/{job['id']}/results").lines
    assert [line["custom_id"] for line in lines] == ["1", "ship", "7"]
    assert [line["status"] for line in lines][-1] == "abstained"
    assert job["llm_calls"] == sum(line["receipt"]["llm_calls"] for line in lines)


def workbook(rows: list[list[str]]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(out)
    return out.getvalue()


FILES = {
    "q.jsonl": json.dumps({"custom_id": "a", "question": ASKED}).encode(),
    "q.csv": f"id,question\na,{ASKED}\n".encode(),
    "q.tsv": f"id\tquestion\na\t{ASKED}\n".encode(),
    "q.txt": f"{ASKED}\n".encode(),
    "q.xlsx": workbook([["id", "question"], ["a", ASKED]]),
}


@pytest.mark.parametrize("name", FILES)
def test_questions_come_in_files_of_five_kinds(service: Service, name: str) -> None:
    fields = {"name": name, "budget_usd": "2.5"}
    made = service.upload("/v1/jobs", {name: FILES[name]}, fields)
    assert made.status == 201, made.body
    assert made.json["budget"]["limit_usd"] == 2.5
    job = service.ended(made.json["id"])
    (line,) = service.get(f"/v1/jobs/{job['id']}/results").lines
    assert line["question"] == ASKED and line["custom_id"] == ("1" if name == "q.txt" else "a")


BAD = [ASKED, {"question": " "}, {"custom_id": "1", "question": "doubled"}, 17, {"q": "none"}]


def test_all_bad_lines_are_named_at_once_and_nothing_is_taken(service: Service) -> None:
    before = service.get("/v1/jobs?singles=true&limit=1000").json["data"]
    reply = service.post("/v1/jobs", {"questions": BAD})
    assert reply.status == 422 and reply.error["code"] == "invalid_lines"
    assert [line["line"] for line in reply.error["lines"]] == [2, 3, 4, 5]
    assert service.get("/v1/jobs?singles=true&limit=1000").json["data"] == before


def test_bad_lines_may_be_skipped_and_are_failed_lines_then(service: Service) -> None:
    made = service.post("/v1/jobs", {"questions": BAD, "skip_invalid": True})
    job = service.ended(made.json["id"])
    assert job["state"] == "completed_with_errors" and job["failed"] == 4 and job["total"] == 5
    lines = service.get(f"/v1/jobs/{job['id']}/results").lines
    assert len(lines) == 5 and lines[0]["status"] != "failed"
    assert {line["error"]["code"] for line in lines[1:]} == {"invalid_line"}
    assert len({line["custom_id"] for line in lines}) == 5


def test_the_same_submission_is_the_same_job(service: Service) -> None:
    body = {"questions": [ASKED], "webhook_url": "https://example.com/hook"}
    first = service.post("/v1/jobs", body, idempotency_key="job-1")
    again = service.post("/v1/jobs", body, idempotency_key="job-1")
    assert (first.status, again.status) == (201, 200)
    assert first.json["id"] == again.json["id"]
    assert first.json["webhook_secret"] == again.json["webhook_secret"]
    assert first.json["webhook_secret"].startswith("whsec_")
    assert "webhook_secret" not in service.get(f"/v1/jobs/{first.json['id']}").json
    other = service.post("/v1/jobs", {"questions": [UNANSWERABLE]}, idempotency_key="job-1")
    assert other.status == 422 and other.error["code"] == "idempotency_conflict"
    files = {"q.txt": ASKED.encode()}
    one = service.upload("/v1/jobs", files, idempotency_key="job-2").json["id"]
    assert service.upload("/v1/jobs", files, idempotency_key="job-2").json["id"] == one
    changed = service.upload("/v1/jobs", {"q.txt": b"Other?"}, idempotency_key="job-2")
    assert changed.status == 422


def test_another_tenant_may_use_the_same_key_of_idempotency(
    service: Service, acme: Service
) -> None:
    service.post("/v1/jobs", {"questions": [ASKED]}, idempotency_key="shared")
    reply = acme.post("/v1/jobs", {"questions": [UNANSWERABLE]}, idempotency_key="shared")
    assert reply.status == 404  # acme has no collection; the key itself is no conflict


def test_results_are_spreadsheets_too(service: Service) -> None:
    job = service.ended(service.post("/v1/jobs", {"questions": THREE}).json["id"])
    found = service.get(f"/v1/jobs/{job['id']}/results?format=csv")
    rows = list(csv.DictReader(io.StringIO(found.body.decode("utf-8-sig"))))
    assert [row["custom_id"] for row in rows] == ["1", "ship", "7"] and rows[0]["question"] == ASKED
    found = service.get(f"/v1/jobs/{job['id']}/results?format=xlsx")
    assert found.headers["content-disposition"].endswith('.xlsx"')
    sheet = load_workbook(io.BytesIO(found.body)).active
    assert sheet is not None and sheet.max_row == 4


def test_items_come_in_pages_and_by_state(service: Service) -> None:
    job = service.ended(service.post("/v1/jobs", {"questions": THREE}).json["id"])
    path = f"/v1/jobs/{job['id']}/items"
    first = service.get(f"{path}?limit=2").json
    assert first["has_more"] and [item["ordinal"] for item in first["data"]] == [0, 1]
    rest = service.get(f"{path}?limit=2&after={first['next_cursor']}").json
    assert not rest["has_more"] and [item["custom_id"] for item in rest["data"]] == ["7"]
    (gave_up,) = service.get(f"{path}?state=abstained&state=dead").json["data"]
    assert gave_up["attempts"] == 1 and gave_up["question"] == UNANSWERABLE
    assert service.get(f"{path}?state=nonsense").status == 422
    assert service.get(f"{path}?after=x").status == 422


def test_the_list_of_jobs_has_pages_and_leaves_single_questions_out(own: Service) -> None:
    ids = [own.post("/v1/jobs", {"questions": [ASKED], "name": str(n)}).json["id"]
           for n in range(3)]  # fmt: skip
    own.post("/v1/answers", {"question": ASKED})
    first = own.get("/v1/jobs?limit=2").json
    rest = own.get(f"/v1/jobs?limit=2&after={first['next_cursor']}").json
    assert [job["id"] for job in first["data"] + rest["data"]] == ids[::-1]
    assert len(own.get("/v1/jobs?singles=true").json["data"]) == 4
    assert own.get("/v1/jobs?after=job_guessed").status == 404


def events(body: bytes) -> list[tuple[str, Mapping[str, object]]]:
    """(name, data) of each event of a stream."""
    found = []
    for block in body.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_events_tell_of_each_line_and_of_the_end(own: Service, llm: LLMServer) -> None:
    llm.latency = 0.3
    questions = [f"{ASKED} ({n})" for n in range(8)]
    job = own.post("/v1/jobs", {"questions": questions}).json["id"]
    reply = own.get(f"/v1/jobs/{job}/events")
    assert reply.headers["content-type"].startswith("text/event-stream")
    told = events(reply.body)
    lines = [data["custom_id"] for name, data in told if name == "item"]
    assert sorted(map(str, lines)) == sorted(str(n + 1) for n in range(8))
    assert told[-1][0] == "end" and told[-1][1]["state"] == "completed"
    assert any(name == "progress" for name, _ in told[:-1])
    ids = [line[4:] for line in reply.body.decode().splitlines() if line.startswith("id: ")]
    again = own.get(f"/v1/jobs/{job}/events", last_event_id=ids[-2])
    assert [name for name, _ in events(again.body)] == ["item", "end"]
    assert own.get("/v1/jobs/job_guessed/events").status == 404


def test_a_paused_job_takes_nothing_more_until_it_is_resumed(own: Service, llm: LLMServer) -> None:
    llm.latency = 0.5
    questions = [f"{ASKED} ({n})" for n in range(120)]
    job = own.post("/v1/jobs", {"questions": questions}).json["id"]
    until(lambda: llm.requests)
    assert own.post(f"/v1/jobs/{job}/pause").json["state"] == "paused"
    until(lambda: own.get(f"/v1/jobs/{job}").json["counts"].get("leased", 0) == 0)
    done = own.get(f"/v1/jobs/{job}").json["done"]
    assert 0 < done < 120
    llm.latency = 0
    assert own.post(f"/v1/jobs/{job}/resume").json["state"] == "running"
    assert own.ended(job)["done"] == 120
    assert max(llm.per_key.values()) == 1
    assert own.post(f"/v1/jobs/{job}/pause").status == 409


def test_a_cancelled_job_ends_and_keeps_what_was_done(own: Service, llm: LLMServer) -> None:
    llm.latency = 0.5
    questions = [f"{ASKED} ({n})" for n in range(120)]
    job = own.post("/v1/jobs", {"questions": questions}).json["id"]
    until(lambda: own.get(f"/v1/jobs/{job}").json["done"])
    assert own.post(f"/v1/jobs/{job}/cancel").json["state"] == "cancelled"
    view = until(lambda: _all_done(own, job))
    assert view["counts"]["cancelled"] > 0 and view["state"] == "cancelled"
    assert len(own.get(f"/v1/jobs/{job}/results").lines) == 120


def _all_done(service: Service, job: str) -> Mapping[str, object] | None:
    view: Mapping[str, object] = service.get(f"/v1/jobs/{job}").json
    return view if view["done"] == view["total"] else None


def test_failed_items_are_done_again_on_request_and_the_others_are_not(
    own: Service, llm: LLMServer
) -> None:
    llm.script("policy")
    job = own.post("/v1/jobs", {"questions": THREE, "recipe": "plain"}).json["id"]
    view = own.ended(job)
    assert view["state"] == "completed_with_errors" and view["failed"] == 1
    assert view["reasons"][0]["count"] == 1
    asked = len(llm.requests)
    assert own.post(f"/v1/jobs/{job}/retry").json["state"] == "running"
    assert own.ended(job)["state"] == "completed"
    assert len(llm.requests) == asked + 1
    assert own.post(f"/v1/jobs/{job}/retry", {"states": ["answered"]}).status == 422


def test_the_text_of_an_ended_job_can_be_deleted(own: Service) -> None:
    job = own.ended(own.post("/v1/jobs", {"questions": [ASKED]}).json["id"])
    assert own("DELETE", f"/v1/jobs/{job['id']}").json["counts"] == {"forgotten": 1}
    found = own.get(f"/v1/jobs/{job['id']}/results").body + own.get("/v1/jobs").body
    assert b"30 days" not in found and ASKED.encode() not in found
    with own.database() as database, database.read() as connection:
        from sqlalchemy import text

        rows = connection.execute(text("SELECT reply, cost_usd FROM ledger")).all()
    assert rows and all(row.reply is None for row in rows)


def test_nothing_but_a_json_object_or_a_form_is_a_submission(service: Service) -> None:
    kind = "text/csv"
    assert service("POST", "/v1/jobs", raw=b"a,b", content_type=kind).status == 415
    assert service("POST", "/v1/jobs", [1]).status == 422
    assert service("POST", "/v1/jobs", {"questions": []}).status == 422
    two = service.upload("/v1/jobs", {"a.txt": b"one?", "b.txt": b"two?"})
    assert two.status == 422 and "one file" in two.error["message"]
    broken = service("POST", "/v1/jobs", raw=b"{", content_type="application/json")
    assert broken.status == 400 and broken.error["code"] == "invalid_json"

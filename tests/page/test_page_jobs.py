"""Jobs in a real browser: estimate, start, watch, pause, retry, download; and what it cost."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.conftest import ASKED, UNANSWERABLE, Pilotfish, quoted_by
from tests.llm_server import LLMServer
from tests.page.conftest import Visit
from tests.workers.conftest import Service, serving, until

pytestmark = pytest.mark.slow


@pytest.fixture
def slow_llm() -> Iterator[LLMServer]:
    with LLMServer(respond=quoted_by, latency=0.4) as server:
        yield server


@pytest.fixture
def calm(mine: Pilotfish, slow_llm: LLMServer, tmp_path: Path) -> Iterator[Service]:
    """A service that answers one question after the other."""
    asking = mine.asking(slow_llm, PILOTFISH_LLM__MODEL="openai/gpt-4o-mini")  # its price is known
    with serving(asking, tmp_path, PILOTFISH_SERVICE__THREADS=1) as service:
        yield service


def test_pasted_questions_are_estimated_then_answered_then_downloaded(
    site: Service, visit: Callable[..., Visit], tmp_path: Path
) -> None:
    page = visit(site).open("/jobs/new")
    page.fill("[name=pasted]", f"{ASKED}\n\n{UNANSWERABLE}\n")
    page.press("[name=pasted]", "Tab")
    page.wait_for_selector("#estimate dl")
    assert page.inner_text("#estimate dd >> nth=0") == "2"
    page.fill("[name=name]", "two of them")
    page.click("text=Start")
    page.wait_for_url("**/jobs/job_*")
    page.wait_for_selector(".state .badge:has-text('completed')", timeout=60_000)
    assert page.inner_text("h1") == "two of them" and "2 of 2 done" in page.inner_text(".state")
    rows = page.locator("tbody tr").all_inner_texts()
    assert "answered" in rows[0] and "30 days" in rows[0] and "abstained" in rows[1]
    found = {}
    for kind in ("JSONL", "CSV", "XLSX"):
        with page.expect_download() as download:
            page.click(f".downloads >> text={kind}")
        found[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(found[kind])
    lines = [json.loads(line) for line in found["JSONL"].read_text().splitlines()]
    assert [line["status"] for line in lines] == ["answered", "abstained"]
    table = list(csv.DictReader(found["CSV"].read_text("utf-8-sig").splitlines()))
    assert [row["question"] for row in table] == [ASKED, UNANSWERABLE]
    sheet = load_workbook(found["XLSX"]).active
    assert sheet is not None and sheet.max_row == 3
    page.click("tbody a >> nth=0")
    page.wait_for_selector(".answer mark, .answer .chip")
    assert page.inner_text("h1") == ASKED


def test_bad_lines_are_named_before_anything_starts(
    site: Service, visit: Callable[..., Visit]
) -> None:
    one = visit(site)
    one.allowed.add(422)
    page = one.open("/jobs/new")
    raw = b'{"question": "a?"}\n{"nothing": 1}\n'
    file = {"name": "q.jsonl", "mimeType": "text/plain", "buffer": raw}
    page.set_input_files("#file", file)  # type: ignore[arg-type]
    page.wait_for_selector("#estimate .problem")
    assert "Line 2" in page.inner_text("#estimate")
    page.fill("[name=budget_usd]", "2.5")
    page.click("text=Start")
    page.wait_for_selector("main > .problem")
    assert "Line 2" in page.inner_text("main > .problem")
    assert page.input_value("[name=budget_usd]") == "2.5"


def test_a_form_that_is_sent_twice_is_one_job(site: Service, visit: Callable[..., Visit]) -> None:
    page = visit(site).open("/jobs/new")
    page.fill("[name=pasted]", "What does express delivery cost?")
    script = """async () => { const form = document.querySelector('form.sheet'), found = [];
      for (const n of [1, 2]) { const reply = await fetch(form.action,
        {method: 'POST', body: new FormData(form)}); found.push(reply.url) } return found }"""
    first, second = page.evaluate(script)
    assert first == second and "/jobs/job_" in first


def test_a_job_is_watched_paused_and_let_go_on(calm: Service, visit: Callable[..., Visit]) -> None:
    page = visit(calm).open("/jobs/new")
    notes = [f"What is said about the {word}?" for word in "harbour crane canteen rope".split()]
    page.fill("[name=pasted]", "\n".join([ASKED, *notes, "What does express delivery cost?"]))
    page.fill("[name=budget_usd]", "3")
    page.wait_for_selector("#estimate dl", timeout=60_000)
    page.click("text=Start")
    page.wait_for_url("**/jobs/job_*")
    page.evaluate("window.same = true")  # what follows comes without loading the page again
    page.wait_for_selector("tbody tr", timeout=60_000)
    assert page.inner_text(".state .badge") == "running" and page.evaluate("window.same")
    assert "of $3.00" in page.inner_text("dl.receipt")
    page.click("button:has-text('Pause')")
    page.wait_for_selector("button:has-text('Resume')")
    job = page.url.rpartition("/")[2]
    assert calm.get(f"/v1/jobs/{job}").json["state"] == "paused"
    page.click("button:has-text('Resume')")
    page.wait_for_selector(".state .badge:has-text('completed')", timeout=60_000)
    page.wait_for_selector("tbody tr:nth-child(6)")


def test_what_failed_is_grouped_and_tried_again(
    calm: Service, slow_llm: LLMServer, visit: Callable[..., Visit]
) -> None:
    slow_llm.script("policy", "policy")
    two = [ASKED, "What does express delivery cost?"]
    made = calm.post("/v1/jobs", {"questions": two, "recipe": "plain"})
    calm.ended(made.json["id"])
    page = visit(calm).open(f"/jobs/{made.json['id']}")
    assert "2 ×" in page.inner_text(".reasons")
    assert page.locator("tbody .badge", has_text="failed").count() == 2
    page.click("tbody a >> nth=0")
    page.wait_for_selector(".problem")
    page.go_back()
    page.click("text=Retry failed")
    page.wait_for_selector(".state .badge:has-text('completed'):not(:has-text('errors'))",
                           timeout=60_000)  # fmt: skip
    assert not page.locator(".reasons").count()
    assert page.locator("tbody .badge", has_text="answered").count() == 2


def test_a_job_is_cancelled(calm: Service, visit: Callable[..., Visit]) -> None:
    questions = [f"What is said about number {n}?" for n in range(30)]
    job = calm.post("/v1/jobs", {"questions": questions}).json["id"]
    page = visit(calm).open("/jobs")
    assert "running" in page.inner_text("tbody tr")
    page.click("tbody a")
    page.click("button:has-text('Cancel')")
    page.wait_for_selector(".state .badge:has-text('cancelled')")
    assert until(lambda: calm.get(f"/v1/jobs/{job}").json["state"] == "cancelled")


def test_usage_adds_up_to_the_ledger(site: Service, visit: Callable[..., Visit]) -> None:
    visit(site).ask("What is the yellow crane lifting at most?")
    page = visit(site).open("/usage")
    calls = sum(row["llm_calls"] for row in site.get("/v1/usage?by=day").json["data"])
    assert calls and page.inner_text("dl.receipt dd >> nth=1") == f"{calls:,}"
    assert page.locator(".chart rect").count() == 1
    assert {"openai/test-model"} <= set(page.locator("tbody td").all_inner_texts())
    page.click("text=7 days")
    page.wait_for_url("**days=7")

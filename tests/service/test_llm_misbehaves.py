"""The LLM misbehaves over the wire: a typed outcome each, and no more requests than allowed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import rates, submissions
from tests.service.conftest import Build
from tests.service.fleet import Fleet, questions
from tests.service.processes import until

pytestmark = [pytest.mark.slow, pytest.mark.long]
ATTEMPTS, OF_ITEM = 2, 3  # llm.attempts, and how often an item is taken
MOST = ATTEMPTS * OF_ITEM
# behaviour -> (state of the item, code of its error, requests for its key at most)
ALWAYS = {
    "status:500": ("failed", "server_error", MOST),
    "status:529": ("failed", "server_error", MOST),
    "hang": ("failed", "timeout", MOST),
    "drip:30": ("failed", "timeout", MOST),
    "reset": ("failed", "connection", MOST),
    "drop": ("failed", "connection", MOST),
    "truncated": ("failed", "garbage_reply", MOST),
    "no-choices": ("failed", "garbage_reply", MOST),
    "error-in-200": ("failed", "server_error", MOST),
    "filtered": ("failed", "content_filter", 1),
    "policy": ("failed", "content_filter", 1),
    "wrong-usage": ("answered", None, 1),
    "broken-usage": ("failed", "garbage_reply", MOST),
}


@pytest.fixture(scope="module")
def fleet(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One fleet for all behaviours, with a short time limit for a call."""
    folder = tmp_path_factory.mktemp("misbehaves")
    shutil.copytree(pristine, folder / "workspace")
    made = Fleet(folder / "fleet", folder / "workspace", llm__timeout=1, llm__attempts=ATTEMPTS)
    with made as running:
        running.up(workers=1, threads=8)
        running.finished(running.submit(questions(1)), 60)
        yield running


@pytest.fixture(autouse=True)
def forgiven(request: pytest.FixtureRequest) -> None:
    """No test finds calls held back for the failures of the one before."""
    if "fleet" in request.fixturenames:
        request.getfixturevalue("fleet").tell(lambda c, _: rates.forgive(c), "")


@pytest.mark.parametrize("mode", ALWAYS)
def test_a_behaviour_has_a_typed_outcome_within_the_requests_allowed(
    fleet: Fleet, mode: str
) -> None:
    state, code, most = ALWAYS[mode]
    word = f"mode {mode}."
    fleet.llm.plan(words={word: [mode]})
    job = fleet.submit(
        questions(1, f"{word} Within how many days may goods be returned?"), budget_usd=1.0
    )
    fleet.finished(job, 60)
    (item,) = fleet.items(job)
    assert item["state"] == state, (item["error"], fleet.said())
    assert code is None or item["error"]["code"] == code, item["error"]
    keys = {row["key"] for row in fleet.ledger() if row["item_id"] == item["id"]}
    asked = sum(fleet.llm.counts()["per_key"].get(key, 0) for key in keys)
    assert 1 <= asked <= most, asked
    assert "sk-test-not-a-real-key" not in str(item), "the provider's echo of the key was stored"
    well = fleet.submit(questions(1, f"After {mode}: within how many days may goods be returned?"))
    fleet.finished(well, 30)
    assert fleet.states(well) == {"answered": 1}, "what follows is not well"
    assert fleet.judged(jobs=[job, well], kills=MOST, in_flight=len(ALWAYS)).problems == []


@pytest.mark.parametrize(
    ("modes", "requests"),
    [
        (["429:1", "ok"], 2),
        (["status:529", "ok"], 2),
        (["reset", "ok"], 2),
        (["truncated", "ok"], 2),
    ],
)
def test_a_passing_trouble_ends_in_an_answer(fleet: Fleet, modes: list[str], requests: int) -> None:
    word = f"first {modes[0]}."
    fleet.llm.plan(words={word: modes})
    job = fleet.submit(questions(1, f"{word} Within how many days may goods be returned?"))
    fleet.finished(job, 60)
    (item,) = fleet.items(job)
    assert item["state"] == "answered", item["error"]
    (key,) = {row["key"] for row in fleet.ledger() if row["item_id"] == item["id"]}
    assert fleet.llm.counts()["per_key"][key] == requests
    if modes[0].startswith("429"):
        first, second = fleet.llm.counts()["times"][key]
        assert second - first >= 1, "Retry-After was not kept"


def test_a_question_that_is_refused_for_ever_ends_though_others_are_answered(fleet: Fleet) -> None:
    fleet.llm.plan(words={"too large": ["429:0.1"]})
    job = fleet.submit(questions(1, "too large: within how many days may goods be returned?"))
    crowd = [
        fleet.submit(questions(3, f"{n}. Within how many days may goods be returned?"))
        for n in range(20)
    ]
    for each in crowd:
        fleet.finished(each, 60)
        fleet.tell(lambda c, _: rates.forgive(c), "")  # as each success does, between two refusals
    fleet.finished(job, 60)
    (item,) = fleet.items(job)
    assert (item["state"], item["error"]["code"]) == ("failed", "rate_limited")


def test_twenty_failures_in_a_row_pause_the_job_and_resuming_finishes_it(fleet: Fleet) -> None:
    fleet.llm.plan(words={"all down": ["status:500"]})
    job = fleet.submit(questions(40, "all down: within how many days may goods be returned?"))
    until(lambda: fleet.job(job)["state"] == "paused", 60, f"the job rests {fleet.said()}")
    assert "in a row" in fleet.job(job)["reason"]
    fleet.llm.plan(words={})
    until(lambda: fleet.states(job)["leased"] == 0, 20, "nothing is in hand")
    fleet.tell(lambda c, _: rates.forgive(c), "")
    fleet.tell(submissions.resume, job)
    fleet.finished(job, 90)
    states = fleet.states(job)
    assert (
        sum(states.values()) == 40
        and states["answered"] >= 20
        and states["dead"] == states["pending"] == 0
    ), states


def test_a_budget_stops_the_job_before_it_is_overspent(fleets: Build, on_both: bool) -> None:
    fleet = fleets(postgres=on_both, latency=0.1)
    fleet.up(workers=2, threads=8)
    limit = 0.004
    job = fleet.submit(questions(120), budget_usd=limit)
    fleet.finished(job, 90)
    report = fleet.judged()
    assert report.problems == [], report
    assert 0 < report.figures["ledger_usd"] <= limit
    states = fleet.states(job)
    assert states["answered"] > 0 and states["failed"] > 0 and len(states) == 2, states
    codes = {row["error"]["code"] for row in fleet.items(job) if row["state"] == "failed"}
    assert codes == {"budget_exceeded"}, codes


def test_a_budget_counts_what_may_have_been_paid(fleets: Build) -> None:
    fleet = fleets(llm__timeout=1, llm__attempts=1)
    fleet.llm.plan(words={"lost": ["hang"]})
    fleet.up(workers=1, threads=8)
    job = fleet.submit(
        questions(12, "lost: within how many days may goods be returned?"), budget_usd=0.002
    )
    fleet.finished(job, 120)
    assert fleet.judged(kills=1, in_flight=100).problems == []
    held = sum(row["reserved_usd"] for row in fleet.ledger() if row["state"] == "unknown")
    assert 0 < held <= 0.002


def test_a_wrong_key_pauses_the_job_and_burns_no_attempt(fleets: Build) -> None:
    fleet = fleets()
    fleet.llm.plan(default="status:401")
    fleet.up(workers=1, threads=8)
    job = fleet.submit(questions(30))
    until(lambda: fleet.job(job)["state"] == "paused", 60, "the job is paused")
    until(lambda: set(fleet.states(job)) == {"pending"}, 10, "nothing is in hand")
    assert "OPENAI_API_KEY" in fleet.job(job)["reason"]
    assert {row["attempts"] for row in fleet.items(job)} == {0}
    assert fleet.llm.counts()["requests"] <= 8

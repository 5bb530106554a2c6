"""The LLM misbehaves over the wire: a typed outcome each, and no more requests than allowed.

Most of the time is waiting, so all behaviours are met at once, each by a job of its own on a
model of its own (failures in a row are counted a model); the tests look at what came of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from store import rates, submissions
from tests.service.conftest import Build
from tests.service.fleet import Fleet, questions

pytestmark = pytest.mark.slow
THREADS = 16
ATTEMPTS, OF_ITEM = 2, 3  # llm.attempts, and how often an item is taken
MOST = ATTEMPTS * OF_ITEM
ASKED = "within how many days may goods be returned?"
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
# behaviours of the first and the second request
PASSING = {
    "429": ["429:1", "ok"], "529": ["status:529", "ok"], "broken line": ["reset", "ok"],
    "half a reply": ["truncated", "ok"],
}  # fmt: skip
OTHERS = {
    "too large": ["429:0.1"], "all down": ["status:500"], "lost": ["hang"],
    "wrong key": ["status:401"], "bounded": ["hang:0.1"],
}  # fmt: skip
# With a price each, so that budgets count.
MODELS = (
    "gpt-4o", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-3.5-turbo", "gpt-4", "gpt-4-turbo",
    "gpt-4o-2024-08-06", "gpt-4o-2024-11-20", "gpt-4o-2024-05-13", "gpt-4.1-2025-04-14",
    "gpt-4.1-mini-2025-04-14", "gpt-4.1-nano-2025-04-14", "gpt-3.5-turbo-0125",
    "gpt-3.5-turbo-1106", "gpt-3.5-turbo-16k", "gpt-4-0613", "gpt-4-turbo-2024-04-09",
    "gpt-4-1106-preview", "gpt-4o-mini-2024-07-18",
)  # fmt: skip
CHEAP = MODELS[-1]
LIMIT, LOST_LIMIT = 0.002, 0.002  # USD


@dataclass(slots=True)
class Asked:
    """The jobs by what they meet, on one fleet."""

    fleet: Fleet
    jobs: dict[str, str] = field(default_factory=dict)
    models: Iterator[str] = field(default_factory=lambda: iter(MODELS[:-1]))

    def ask(
        self, name: str, count: int, *, model: str | None = None, budget_usd: float | None = None
    ) -> str:
        """Submit a job whose prompts contain `name:`; on a model that no other has, if not said."""
        model = f"openai/{model or next(self.models)}"
        asked = questions(count, f"{name}: {ASKED}")
        self.jobs[name] = self.fleet.submit(asked, model=model, budget_usd=budget_usd)
        return model.removeprefix("openai/")

    def paused(self, name: str) -> None:
        job = self.jobs[name]
        self.fleet.until(lambda: self.fleet.job(job)["state"] == "paused", 60, f"{name}: paused")

    def finished(self, *names: str) -> None:
        self.fleet.all_finished([self.jobs[name] for name in names], 60)


@pytest.fixture(scope="module")
def asked(fleets_of_module: Build) -> Asked:
    """All of it at once: first what waits long, then what needs many items."""
    fleet = fleets_of_module(llm__timeout=2, llm__attempts=ATTEMPTS)
    fleet.up(workers=1, threads=THREADS)
    fleet.finished(fleet.submit(questions(4)), 60)
    modes = {mode: [mode] for mode in ALWAYS} | PASSING | OTHERS
    fleet.llm.plan(words={f"{name}:": behaviours for name, behaviours in modes.items()})
    made = Asked(fleet)
    on = {mode: made.ask(mode, 1, budget_usd=1.0) for mode in ALWAYS}
    on |= {name: made.ask(name, 1) for name in PASSING}
    made.ask("lost", 12, model=CHEAP, budget_usd=LOST_LIMIT)
    made.ask("among others", 20, model=made.ask("too large", 1))
    made.finished(*PASSING)
    made.ask("all down", 40)
    made.ask("wrong key", 40, model=CHEAP)
    made.ask("bounded", 60, model="gpt-4o-mini", budget_usd=LIMIT)
    made.finished(*ALWAYS, "lost", "too large", "among others", "bounded")
    made.paused("all down")
    made.paused("wrong key")
    for mode in ALWAYS:
        made.ask(f"{mode} is over", 1, model=on[mode])
    made.finished(*[f"{mode} is over" for mode in ALWAYS])
    return made


@pytest.mark.parametrize("mode", ALWAYS)
def test_a_behaviour_has_a_typed_outcome_within_the_requests_allowed(
    asked: Asked, mode: str
) -> None:
    state, code, most = ALWAYS[mode]
    fleet, job, well = asked.fleet, asked.jobs[mode], asked.jobs[f"{mode} is over"]
    (item,) = fleet.items(job)
    assert item["state"] == state, (item["error"], fleet.said())
    assert code is None or item["error"]["code"] == code, item["error"]
    assert 1 <= sum(map(len, fleet.sent(job).values())) <= most
    assert "sk-test-not-a-real-key" not in str(item), "the provider's echo of the key was stored"
    assert fleet.states(well) == {"answered": 1}, "what follows is not well"
    assert fleet.judged(jobs=[job, well], kills=MOST, in_flight=1).problems == []


@pytest.mark.parametrize("name", PASSING)
def test_a_passing_trouble_ends_in_an_answer(asked: Asked, name: str) -> None:
    fleet, job = asked.fleet, asked.jobs[name]
    (item,) = fleet.items(job)
    assert item["state"] == "answered", item["error"]
    (times,) = fleet.sent(job).values()
    assert len(times) == 2
    if name == "429":
        assert times[1] - times[0] >= 1, "Retry-After was not kept"


def test_a_question_that_is_refused_for_ever_ends_though_others_are_answered(asked: Asked) -> None:
    (item,) = asked.fleet.items(asked.jobs["too large"])
    assert (item["state"], item["error"]["code"]) == ("failed", "rate_limited")
    assert asked.fleet.states(asked.jobs["among others"]) == {"answered": 20}


def test_a_budget_stops_the_job_before_it_is_overspent(asked: Asked) -> None:
    bounded(asked.fleet, asked.jobs["bounded"])


@pytest.mark.long
def test_a_budget_that_two_workers_spend_is_not_overspent(fleets: Build, on_both: bool) -> None:
    fleet = fleets(postgres=on_both, latency=0.1)
    fleet.up(workers=2, threads=8)
    job = fleet.submit(questions(60), budget_usd=LIMIT)
    fleet.finished(job, 90)
    bounded(fleet, job)


def bounded(fleet: Fleet, job: str) -> None:
    """What was spent is within the limit, and what did not fit has failed."""
    report = fleet.judged(jobs=[job])
    assert report.problems == [], report
    assert 0 < report.figures["ledger_usd"] <= LIMIT
    states = fleet.states(job)
    assert states["answered"] > 0 and states["failed"] > 0 and len(states) == 2, states
    codes = {row["error"]["code"] for row in fleet.items(job) if row["state"] == "failed"}
    assert codes == {"budget_exceeded"}, codes


def test_a_budget_counts_what_may_have_been_paid(asked: Asked) -> None:
    fleet, job = asked.fleet, asked.jobs["lost"]
    assert fleet.judged(jobs=[job], kills=1, in_flight=100).problems == []
    rows = [row for row in fleet.ledger() if row["job_id"] == job and row["state"] == "unknown"]
    assert 0 < sum(row["reserved_usd"] for row in rows) <= LOST_LIMIT


def test_a_wrong_key_pauses_the_job_and_burns_no_attempt(asked: Asked) -> None:
    fleet, job = asked.fleet, asked.jobs["wrong key"]
    assert set(fleet.states(job)) == {"pending"}
    assert "OPENAI_API_KEY" in fleet.job(job)["reason"]
    assert {row["attempts"] for row in fleet.items(job)} == {0}
    assert sum(map(len, fleet.sent(job).values())) <= THREADS


def test_twenty_failures_in_a_row_pause_the_job_and_resuming_finishes_it(asked: Asked) -> None:
    fleet, job = asked.fleet, asked.jobs["all down"]
    assert "in a row" in fleet.job(job)["reason"]
    fleet.llm.plan(words={})
    fleet.until(lambda: fleet.states(job)["leased"] == 0, 20, "nothing is in hand")
    fleet.tell(lambda c, _: rates.forgive(c), job)
    fleet.tell(submissions.resume, job)
    fleet.finished(job, 90)
    states = fleet.states(job)
    assert sum(states.values()) == 40 and states["answered"] >= 20, states
    assert states["dead"] == states["pending"] == 0, states

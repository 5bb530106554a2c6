"""Questions that kill their worker: dead after exactly three attempts, neighbours unaffected."""

from __future__ import annotations

import pytest

from tests.service.conftest import Build
from tests.service.fleet import POISONED, Fleet, Question, questions

pytestmark = [pytest.mark.slow, pytest.mark.long]
THREADS, NEIGHBOURS = 8, 40
LOOP_SECONDS = 20  # longer than a worker needs before its first answer


def poisoned(fleet: Fleet) -> None:
    """One worker that knows the recipe `poison`, and a dispatcher."""
    fleet.settings |= {"POISONED_GRACE": 1}
    fleet.up(workers=0)
    arguments = ("worker", "--queue", "answers", "--threads", THREADS)
    fleet.start("worker 1", *arguments, script=POISONED)


def of(word: str) -> list[Question]:
    return [("poison", {"question": f"{word}: within how many days may goods be returned?"})]


@pytest.mark.parametrize("word", ["segfault", "kill", "loop", "leave", "memory", "deep", "huge"])
def test_a_poisoned_question_dies_after_three_attempts_and_its_neighbours_live(
    fleets: Build, word: str
) -> None:
    fleet = fleets(latency=0.2, service__item_seconds=LOOP_SECONDS if word == "loop" else 300)
    poisoned(fleet)
    fleet.finished(fleet.submit(questions(1, "Is the worker warm?")), 120)
    bad = fleet.submit(of(word), recipe=f"poison-{word}")
    good = fleet.submit(questions(NEIGHBOURS))
    fleet.finished(bad, 240)
    fleet.finished(good, 120)
    (dead,) = fleet.items(bad)
    assert (dead["state"], dead["attempts"]) == ("dead", 3), (dead["error"], fleet.said())
    assert dead["error"]["code"] and dead["error"]["message"]
    assert fleet.states(good) == {"answered": NEIGHBOURS}, fleet.said()
    kills = fleet.roles["worker 1"].starts - 1
    report = fleet.judged(kills=kills, in_flight=THREADS)
    assert report.problems == [], report
    key = next(row["key"] for row in fleet.ledger() if row["item_id"] == dead["id"])
    assert fleet.llm.counts()["per_key"][key] == 1, "the poison was paid again"


def test_five_poisons_at_once_leave_their_neighbours_alone(fleets: Build) -> None:
    fleet = fleets(latency=0.5)
    poisoned(fleet)
    words = ["segfault", "kill", "leave", "memory", "deep"]
    bad = [fleet.submit(of(word), recipe=f"poison-{word}") for word in words]
    good = fleet.submit(questions(NEIGHBOURS))
    for job in (*bad, good):
        fleet.finished(job, 200)
    assert {row["state"] for job in bad for row in fleet.items(job)} == {"dead"}
    assert fleet.states(good) == {"answered": NEIGHBOURS}, fleet.said()

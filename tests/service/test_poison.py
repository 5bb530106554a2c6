"""Questions that kill their worker: dead after exactly three attempts, neighbours unaffected."""

from __future__ import annotations

import pytest

from tests.service.conftest import Build
from tests.service.fleet import Fleet, Question, questions

pytestmark = pytest.mark.slow
POISONED = "tests.service.poisoned"
ASKED = "within how many days may goods be returned?"
THREADS, NEIGHBOURS = 8, 40
LOOP_SECONDS = 5  # far longer than any neighbour needs
# What only its own thread feels may come together; what ends the process comes alone.
CAUGHT = ("memory", "leave", "deep", "huge", "loop")


@pytest.fixture(scope="module")
def fleet(fleets_of_module: Build) -> Fleet:
    """A dispatcher, and one worker that knows the recipes `poison-...`."""
    made = fleets_of_module(latency=0.2, service__item_seconds=LOOP_SECONDS)
    made.settings |= {"POISONED_GRACE": 1}
    made.up(workers=0)
    made.start(
        "worker 1", "worker", "--queue", "answers", "--threads", THREADS, module=POISONED
    )  # fmt: skip
    made.finished(made.submit(questions(1, "Is the worker warm?")), 60)
    return made


def of(word: str, before: str = "") -> list[Question]:
    asked = f"{before}{word}: {ASKED}"
    return [("poison", {"question": asked})]


@pytest.mark.parametrize("words", [CAUGHT, ("segfault",), ("kill",)], ids="-".join)
def test_a_poisoned_question_dies_after_three_attempts_and_its_neighbours_live(
    fleet: Fleet, words: tuple[str, ...]
) -> None:
    starts = fleet.roles["worker 1"].starts
    bad = {word: fleet.submit(of(word), recipe=f"poison-{word}") for word in words}
    good = fleet.submit(questions(NEIGHBOURS, f"Beside {words}: {ASKED}"))
    fleet.all_finished([*bad.values(), good], 120)
    sent = fleet.sent(*bad.values())
    for job in bad.values():
        (dead,) = fleet.items(job)
        assert (dead["state"], dead["attempts"]) == ("dead", 3), (dead["error"], fleet.said())
        assert dead["error"]["code"] and dead["error"]["message"]
    assert [len(times) for times in sent.values()] == [1] * len(bad), "a poison was paid again"
    assert fleet.states(good) == {"answered": NEIGHBOURS}, fleet.said()
    kills = fleet.roles["worker 1"].starts - starts
    report = fleet.judged(kills=kills, in_flight=THREADS, jobs=[*bad.values(), good])
    assert report.problems == [], report


@pytest.mark.long
def test_seven_poisons_at_once_leave_their_neighbours_alone(fleet: Fleet) -> None:
    words = [*CAUGHT, "segfault", "kill"]
    bad = [fleet.submit(of(word, "All at once, "), recipe=f"poison-{word}") for word in words]
    good = fleet.submit(questions(NEIGHBOURS, f"Beside all of them: {ASKED}"))
    fleet.all_finished([*bad, good], 200)
    assert {row["state"] for job in bad for row in fleet.items(job)} == {"dead"}
    assert fleet.states(good) == {"answered": NEIGHBOURS}, fleet.said()

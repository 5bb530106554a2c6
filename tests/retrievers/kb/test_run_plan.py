"""Plans over a stored graph: edges as passages, problems as notes, changes of the collection."""

from __future__ import annotations

import pytest

from pilotfish.types import Case, Hint, Passage, Question
from retrievers.kb import run_plan
from retrievers.kb.run_plan import Mentions, Planned, Plans, RunPlan
from tests.retrievers.kb.kept import Kept, edge

PLAN = 'find_entity_or_value(["Bo Berg"], ["born in"])'


@pytest.fixture
def plans() -> Kept:
    return Kept(())


def test_the_edges_under_a_plan_come_before_the_other_passages(plans: Kept) -> None:
    before = (Passage(3, "Text.", "d", 0, 5), edge(5))
    case = Case(Question("Where?"), before, (Hint("plan", "no"), Hint("plan", PLAN)))
    done = RunPlan(plans)(case)
    assert [p.id for p in done.passages] == [-5, 3]
    assert done.notes["values"] == 1 and "born in" in str(done.notes["said"])


def test_a_plan_that_fails_leaves_the_passages_and_says_why(plans: Kept) -> None:
    case = Case(Question("Where?"), (edge(1),), (Hint("plan", "import os"),))
    done = RunPlan(plans)(case)
    assert done.passages == case.passages and "no import" in str(done.notes["problem"])


def test_without_a_plan_nothing_happens(plans: Kept) -> None:
    done = RunPlan(plans)(Case(Question("Where?"), hints=(Hint("sql", "SELECT 1"),)))
    assert done.passages == () and done.notes == {"why": "no plan was written"}


def test_a_plan_is_interpreted_once(plans: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    first = plans.run(PLAN)
    monkeypatch.setattr(run_plan, "interpreted", None)
    assert plans.run(PLAN) is first and isinstance(first, Planned)


def test_without_any_graph_a_plan_has_a_problem() -> None:
    assert Plans(()).run(PLAN).problem == "there is no graph to ask"


def test_passages_mention_an_entity_when_its_whole_name_stands_in_them() -> None:
    texts = [
        "Bo Berg lives.",
        "Bo Bergen is a place.",
        "BO  BERG!",
        "Berg, Bo",
        "bo berg",
        "Bo Berg",
    ]
    found = tuple(Passage(at, text, "d", 0, 1) for at, text in enumerate(texts))

    def find(case: Case, /) -> Case:
        assert case.question.text == "Bo Berg"
        return Case(case.question, found)

    assert [p.id for p in Mentions(find)("Bo Berg")] == [0, 2, 4]

"""The LLM's tier for graphs, over the wire: a plan is written, interpreted, answered and cited."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pilotfish.errors import ModelError
from pilotfish.step import run
from pilotfish.types import Answer, Case, Limits, Passage, Question, Scope
from pipeline.plan_or_text import reason
from pipeline.plan_tier import PlanTier, written
from prompters.plan import PlanPrompt
from retrievers.kb.run_plan import RunPlan
from tests.conftest import Pilotfish
from tests.llm_server import LLMServer
from tests.retrievers.kb.kept import Kept

TRIPLES = """Anna Berg\tmanages\tSales
Bo Dahl\tmanages\tOperations
Sales\tpart of\tFjord Ltd
Operations\tpart of\tFjord Ltd
Sales\tlocated in\tOslo
Operations\tlocated in\tBergen
"""
BOTH = """parts = find_entity_or_value(["Fjord Ltd", "Fjord"], ["part of [inverse]"])
find_entity_or_value(parts, ["located in", "place"])"""
ASKED = "Where are the units located that are part of Fjord Ltd?"
Ask = Callable[..., dict[str, Any]]


def edge(score: float = 0.5) -> Passage:
    return Passage(-1, "Sales — located in — Oslo", "g.tsv", 0, 9, kind="triple", score=score)


@pytest.mark.parametrize(
    ("question", "passages", "why"),
    [
        (Question("Who?", scope=Scope(topic="Sales")), (), "names an entity"),
        (Question("Who?", scope=Scope(kind="triple")), (), "asks for the graph"),
        (Question("Who?", scope=Scope(kind="text")), (edge(),), ""),
        (Question("Who?", scope=Scope(table="t")), (edge(),), ""),
        (Question("Who leads Sales in Oslo?"), (), ""),
        (Question("Who leads Sales in Oslo?"), (edge(),), "holds at most 0%"),
        (
            Question("Who leads Sales in Oslo?"),
            (Passage(1, "Sales are slow.", "d", 0, 9), edge()),
            "holds at most 33%",
        ),
        (Question("Tell me all about Sales."), (edge(),), ""),
        (
            Question("Who leads Sales in Oslo?"),
            (Passage(1, "Eva leads the Oslo sales.", "d", 0, 9), edge()),
            "",
        ),
    ],
)
def test_a_plan_is_asked_for_by_a_rule_that_says_its_reason(
    question: Question, passages: tuple[Passage, ...], why: str
) -> None:
    found = reason(Case(question, passages), lambda case: "leads" in case.question.text)
    assert (why in found) if why else not found


@pytest.mark.parametrize(
    ("reply", "plan"),
    [
        ("count(a)", "count(a)"),
        ("```python\ncount(a)\n```", "count(a)"),
        ("Here it is:\n```\ncount(a)\n``` Good luck", "count(a)"),
        ("NONE", None),
        ("none.", None),
        ("", None),
        ("``` \n```", None),
    ],
)
def test_a_plan_is_read_out_of_its_fence(reply: str, plan: str | None) -> None:
    assert written(reply) == plan


@pytest.fixture(scope="module")
def pilotfish(tmp_path_factory: pytest.TempPathFactory) -> Pilotfish:
    folder: Path = tmp_path_factory.mktemp("plans")
    (folder / "org.triples.tsv").write_text(TRIPLES)
    (folder / "note.md").write_text(
        "# Holidays\n\nThe office of Sales is closed on 17 May.\n"
        "\n# Clothes\n\nThe people of Sales wear a green jacket.\n"
    )
    made = Pilotfish(folder, folder / ".pilotfish")
    made("add", "org.triples.tsv", "note.md")
    return made


@pytest.fixture
def ask(pilotfish: Pilotfish) -> Iterator[Ask]:
    servers: list[LLMServer] = []

    def asked(*replies: str, question: str = ASKED, more: tuple[str, ...] = ()) -> dict[str, Any]:
        said = iter(replies)
        server = LLMServer(respond=lambda messages: next(said))
        servers.append(server.__enter__())
        with_llm = pilotfish.asking(server)
        found: dict[str, Any] = with_llm("ask", "--json", "--effort", "1", *more, question).one
        found["sent"] = [one.body["messages"] for one in server.requests]
        return found

    yield asked
    for server in servers:
        server.__exit__(None, None, None)


@pytest.mark.slow
def test_a_plan_of_two_hops_is_answered_and_cites_the_edges_of_both(ask: Ask) -> None:
    found = ask(f"```python\n{BOTH}\n```", more=("--topic", "Fjord Ltd"))
    assert set(found["values"]) == {"Oslo", "Bergen"} and found["model"] == "plan"
    assert found["status"] == "answered" and 0 < found["support"] < 1
    cited = {(c["subject"], c["relation"], c["object"]) for c in found["citations"]}
    assert cited == {tuple(line.split("\t")) for line in TRIPLES.splitlines()[2:]}
    assert found["receipt"]["llm_calls"] == 1 and found["basis"]["features"]["plan"] == BOTH
    assert "the caller names an entity of the graph" in json.dumps(found["trace"])
    (sent,) = found["sent"]
    told = sent[-1]["content"]
    assert '"located in"' in told and "Oslo" not in told and "17 May" not in told


@pytest.mark.slow
def test_information_tells_the_edges_of_an_entity(ask: Ask) -> None:
    found = ask('get_entity_info(["Sales"])', question="What of it?", more=("--topic", "Sales"))
    assert len(found["values"]) == 3 and len(found["citations"]) == 3
    assert "Anna Berg — manages — Sales" in found["answer"]["text"]


@pytest.mark.slow
def test_a_question_that_names_an_entity_is_asked_of_the_graph_unless_text_holds_it(
    ask: Ask,
) -> None:
    found = ask(BOTH)
    assert found["model"] == "plan" and "text holds at most" in json.dumps(found["trace"])
    text = ask("I cannot answer from these documents.",
               question="When is the office of Sales closed in May?")  # fmt: skip
    assert "Passages:" in text["sent"][0][-1]["content"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("NONE", "the LLM says that the graphs cannot answer it"),
        ("import os; os.system('id')", "a plan has no import"),
        ("open('/etc/passwd')", "'open' is no function of a plan"),
        ('find_entity_or_value(["Atlantis"], ["ruler"])', "no graph has an entity 'Atlantis'"),
        ('count(find_entity_or_value(["Sales"], ["colour"]))', "the plan found nothing"),
    ],
)
def test_a_plan_that_gives_nothing_is_an_abstention_with_a_reason(
    ask: Ask, reply: str, why: str
) -> None:
    found = ask(reply, more=("--topic", "Sales"))
    assert found["status"] == "abstained" and found["receipt"]["llm_calls"] == 1
    assert why in json.dumps(found["trace"]) and "root:" not in json.dumps(found["trace"])


def tier(*replies: str | ModelError) -> tuple[PlanTier, list[Case]]:
    """The tier over the family graph, an LLM of these replies, and the cases that it was given."""
    said, seen = iter(replies), list[Case]()

    def llm(case: Case, /) -> Case:
        seen.append(case)
        reply = next(said)
        if isinstance(reply, ModelError):
            raise reply
        return replace(case, answer=Answer(reply))

    plans = Kept(())
    return PlanTier(PlanPrompt(lambda case: "Relations:"), llm, RunPlan(plans), plans), seen


TWICE = Case(Question("Where was Bo Berg born?", limits=Limits(max_calls=2)))
PLAN = 'find_entity_or_value(["Bo Berg"], ["born in"])'


def test_a_failed_plan_is_told_once_more_where_the_limits_allow_it() -> None:
    step, seen = tier("find(x)", PLAN)
    done = run(step, TWICE)
    assert done.answer is not None and done.answer.values == ("Oslo",)
    assert seen[1].prompt is not None
    assert "'find' is no function of a plan" in seen[1].prompt.messages[-1].content
    step, seen = tier("find(x)", PLAN)
    once = run(step, replace(TWICE, question=replace(TWICE.question, limits=Limits())))
    assert once.answer is not None and once.answer.abstained and len(seen) == 1


def test_the_first_outcome_stays_where_the_second_call_fails() -> None:
    step, seen = tier("find(x)", ModelError("away"))
    done = run(step, TWICE)
    assert done.answer is not None and done.answer.abstained and len(seen) == 2
    assert "'find' is no function" in str(done.trace[-1].detail["why"])


def test_two_ways_to_one_answer_make_it_likelier_right() -> None:
    alone = run(tier(PLAN)[0], TWICE).answer
    both = run(replace(tier(PLAN)[0], guess=lambda case: (("Oslo",), 0.5)), TWICE).answer
    other = run(replace(tier(PLAN)[0], guess=lambda case: (("Bergen",), 0.9)), TWICE).answer
    assert alone and both and other and alone.support == other.support
    assert both.support == pytest.approx(1 - (1 - (alone.support or 0)) * 0.5, abs=1e-3)


@pytest.mark.slow
def test_a_topic_that_no_graph_knows_costs_nothing(ask: Ask) -> None:
    found = ask(more=("--topic", "Zaphod Beeblebrox"))
    assert found["status"] == "abstained" and found["sent"] == []


@pytest.mark.slow
def test_what_no_graph_has_is_read_out_of_the_texts_about_the_entity(ask: Ask) -> None:
    plan = 'find_entity_or_value(["Sales"], ["jacket", "wear"])'
    found = ask(plan, question="Which jacket do the people of Sales wear?",
                more=("--topic", "Sales"))  # fmt: skip
    assert "green" in found["answer"]["text"] and found["receipt"]["llm_calls"] == 1
    assert found["citations"][0]["quote"].startswith("The people of Sales")
    assert "1 texts speak of it" in json.dumps(found["trace"])

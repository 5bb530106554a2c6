"""Lines in every shape that answers and right answers come in; what is wrong is said in words."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.types import Answer, Case, Citation, Place, Question, Span
from pipeline.evaluation.records import Gold, gold_of, reply_of
from pipeline.outputs import case_json, failed_line
from tests.pipeline.evaluation.answers import line

PAID = {"llm_calls": 2, "prompt_tokens": 30, "completion_tokens": 4, "cost_usd": 0.5, "seconds": 2}
SPAN = {"document": "d", "start": 0, "end": 5, "quote": "Seine", "heading": ["Rivers", "France"],
        "support": 0.9, "sentence": [0, 6]}  # fmt: skip


def test_a_line_of_a_batch() -> None:
    one = reply_of(line("q1", "Seine.", 0.7, citations=[SPAN], receipt=PAID, values=["Seine"]), 1)
    assert (one.id, one.answered, one.text, one.short, one.support) == (
        "q1", True, "Seine.", "Seine", 0.7)  # fmt: skip
    assert (one.calls, one.tokens, one.cost, one.seconds) == (2, 34, 0.5, 2.0)
    (cited,) = one.citations
    assert (cited.evidence, cited.sentence) == ("Rivers › France\n\nSeine", (0, 6))


def test_an_abstention_keeps_its_candidate_and_a_failure_its_code() -> None:
    held = reply_of(line("q", None, 0.2, candidate="Loire"), 1)
    assert not held.answered and held.text == "Loire" and held.failure is None
    failed = reply_of(failed_line("q", "budget_exceeded", "too dear"), 1)
    assert (failed.answered, failed.failure, failed.support) == (False, "budget_exceeded", None)


def test_a_line_of_an_openai_batch_holds_ours() -> None:
    body = {"choices": [{"message": {"content": "Seine [1]."}}],
            "pilotfish": line("x", "Seine.", 0.7)}  # fmt: skip
    wrapped = {"id": "batch_req_1", "custom_id": "q1", "response": {"body": body}, "error": None}
    one = reply_of(wrapped, 1)
    assert (one.id, one.text, one.support) == ("q1", "Seine.", 0.7)
    del body["pilotfish"]
    assert reply_of(wrapped, 1).text == "Seine [1]."
    gone = {"custom_id": "q2", "response": None, "error": {"code": "model_error", "message": "x"}}
    assert reply_of(gone, 1).failure == "model_error"


def test_what_ask_json_prints() -> None:
    span = Span("d", 0, 5, "Seine", Place(heading=("Rivers",)))
    answer = Answer("The Seine.", citations=(Citation((0, 10), span, 0.9),), support=0.8)
    one = reply_of(case_json(Case(Question("Which?", "q7"), answer=answer), 1.0), 1)
    assert (one.id, one.text, one.support, one.question) == ("q7", "The Seine.", 0.8, "Which?")
    assert one.citations[0].evidence == "Rivers\n\nSeine" and one.calls == 0
    held = Answer("Perhaps.", abstained=True, support=0.1)
    said = reply_of(case_json(Case(Question("Which?", "q7"), answer=held), 1.0), 1)
    assert (said.answered, said.text) == (False, "Perhaps.")


def test_answers_of_other_systems() -> None:
    one = reply_of({"id": 7, "prediction": "Seine"}, 1)
    assert (one.id, one.answered, one.text, one.cost, one.calls) == ("7", True, "Seine", None, None)
    assert reply_of({"id": 0, "answer": True}, 5).id == "0"
    assert reply_of({"id": 0, "answer": True}, 5).text == "yes"
    assert reply_of({"answer": ""}, 12).id == "12" and not reply_of({"answer": ""}, 12).answered


@pytest.mark.parametrize(("source", "evidence"), [
    ({"columns": ["Item", "Price"], "values": [["anvil", "12.50"], ["rope", "3"]]},
     "Item: anvil; Price: 12.50\nItem: rope; Price: 3"),
    ({"subject": "Seine", "relation": "flows through", "object": "Rouen"},
     "Seine flows through Rouen"),
    ({}, ""),
])  # fmt: skip
def test_cells_and_triples_are_evidence_too(source: dict[str, Any], evidence: str) -> None:
    (cited,) = reply_of(line("q", "x", citations=[{"document": "d", **source}]), 1).citations
    assert cited.evidence == evidence


@pytest.mark.parametrize(("fields", "answers"), [
    ({"answers": ["Seine", "", "the Seine", "Seine"]}, ("Seine", "the Seine")),
    ({"answer": "yes"}, ("yes",)),
    ({"answer": True}, ("yes",)),
    ({"gold": 42}, ("42",)),
    ({"answers": {"text": ["Seine"], "answer_start": [3]}}, ("Seine",)),
    ({"answers": []}, ()),
    ({"unanswerable": True}, ()),
    ({"answers": ["plausible"], "unanswerable": True}, ()),
])  # fmt: skip
def test_right_answers_in_their_shapes(fields: dict[str, Any], answers: tuple[str, ...]) -> None:
    assert gold_of({"id": "q", "question": "Which?", **fields}, 1) == Gold("q", answers, "Which?")


@pytest.mark.parametrize(("fields", "words"), [
    ({"id": "q"}, "no answers, answer or gold"),
    ({"id": "q", "answer": None}, "null"),
    ({"id": "q", "answers": [["Seine"]]}, "not texts"),
    ({"id": ["q"], "answer": "x"}, "id is neither"),
])  # fmt: skip
def test_right_answers_that_cannot_be_read(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        gold_of(fields, 1)


@pytest.mark.parametrize(("more", "words"), [
    ({"support": 7}, "support 7 is no probability"),
    ({"support": float("nan")}, "no probability"),
    ({"support": "high"}, "no probability"),
    ({"answer": ["a"]}, "answer is not text"),
    ({"citations": "d"}, "no list of objects"),
    ({"receipt": {"cost_usd": -1}}, "cost_usd -1 is no amount"),
    ({"receipt": {"llm_calls": True}}, "llm_calls True is no amount"),
])  # fmt: skip
def test_answers_that_cannot_be_read(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        reply_of(line("q", "x") | more, 1)

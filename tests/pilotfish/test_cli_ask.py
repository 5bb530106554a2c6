"""`ask`: the answer, its citations and receipt; abstaining; the LLM's part over the wire."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.conftest import ASKED, UNANSWERABLE, Pilotfish
from tests.llm_server import LLMServer

pytestmark = pytest.mark.slow
KEYS = {"version", "status", "answer", "citations", "support", "receipt", "error", "model",
        "degraded", "question", "passages", "hints", "prompt", "notes", "trace"}  # fmt: skip


def check_citations(pilotfish: Pilotfish, citations: list[dict[str, Any]], answer: str) -> None:
    """Every quote is its document's very slice, every cited sentence lies in the answer."""
    assert citations
    for one in citations:
        text = pilotfish("show", one["document"], "--json").one["text"]
        assert text[one["start"] : one["end"]] == one["quote"]
        assert answer[slice(*one["sentence"])].strip()


def test_json_prints_the_whole_case_and_nothing_else_on_stdout(shared: Pilotfish) -> None:
    done = shared("ask", ASKED, "--json")
    case = done.one
    assert set(case) >= KEYS and case["version"] == 1 and case["status"] == "answered"
    assert "30" in case["answer"]["text"] and 0 <= case["support"] <= 1
    assert "30 days" in case["citations"][0]["quote"]
    assert case["receipt"]["llm_calls"] == 0 and case["receipt"]["cost_usd"] == 0
    assert case["receipt"]["seconds"] > 0 and case["error"] is None
    check_citations(shared, case["citations"], case["answer"]["text"])
    assert [event["step"] for event in case["trace"]][:4] == ["rewrite", "bm25", "dense", "fuse"]


def test_people_get_numbered_citations_with_quote_place_support_and_receipt(
    shared: Pilotfish,
) -> None:
    done = shared("ask", "-", "--trace", stdin=ASKED.encode())
    assert "30 days" in done.out and "[1]" in done.out and "docs/returns.md" in done.out
    assert "“Goods may be returned within 30 days of delivery.”" in done.out
    assert "0 LLM calls" in done.out and "support 0." in done.out
    for step in ("bm25", "dense", "fuse", "render", "extract", "support", "cite", "cascade"):
        assert step in done.out
    assert "no LLM is configured" in done.err


def test_what_the_documents_do_not_hold_is_abstained_from_with_the_nearest_evidence(
    shared: Pilotfish,
) -> None:
    case = shared("ask", UNANSWERABLE, "--json").one
    assert case["status"] == "abstained" and case["answer"]["abstained"]
    assert case["citations"] == [] and case["nearest"]
    assert "I cannot answer this from the documents." in shared("ask", UNANSWERABLE).out


def test_a_filter_that_lets_nothing_through_abstains(shared: Pilotfish) -> None:
    case = shared("ask", ASKED, "--where", "year = 1066", "--json").one
    assert case["status"] == "abstained" and case["passages"] == []


def test_a_chinese_question_is_answered_in_place(shared: Pilotfish) -> None:
    case = shared("ask", "客户可以在多少天内退货？", "--json").one
    assert case["passages"][0]["document"] == "docs/chinese.md"
    if case["status"] == "answered":
        check_citations(shared, case["citations"], case["answer"]["text"])


def test_an_llm_is_asked_once_and_its_sentence_is_cited(shared: Pilotfish, llm: LLMServer) -> None:
    case = shared.asking(llm)("ask", ASKED, "--json").one
    assert len(llm.requests) == 1 and case["receipt"]["llm_calls"] == 1
    assert case["receipt"]["prompt_tokens"] == 100 and case["receipt"]["cost_usd"] is None
    assert case["answer"]["model"] == "openai/test-model" and case["status"] == "answered"
    assert "[k" not in case["answer"]["text"]
    check_citations(shared, case["citations"], case["answer"]["text"])
    again = shared.asking(llm)("ask", ASKED, "--json").one
    assert len(llm.requests) == 1, "the ledger answers the same call"
    assert again["answer"]["text"] == case["answer"]["text"]
    assert "sk-test" not in str(case) + str(again)


def test_model_names_another_one_for_this_call(shared: Pilotfish, llm: LLMServer) -> None:
    case = shared.asking(llm)("ask", ASKED, "--model", "openai/other", "--json").one
    assert llm.requests[-1].body["model"] == "other"
    assert case["answer"]["model"] in ("openai/other", "extract")


def test_an_llm_that_makes_things_up_gets_no_citation(shared: Pilotfish, llm: LLMServer) -> None:
    llm.respond = lambda _: "Louis XX has been the king of France since 2021 [kzzzz]."
    case = shared.asking(llm)("ask", UNANSWERABLE, "--json").one
    assert case["status"] == "abstained" and case["citations"] == []


@pytest.mark.parametrize(("mode", "error"), [("hang:20", "timeout"), ("empty", "garbage_reply")])
def test_an_llm_that_fails_leaves_the_extracted_answer_and_is_no_abstention(
    shared: Pilotfish, llm: LLMServer, mode: str, error: str
) -> None:
    llm.default = mode
    model = f"openai/{mode[:4]}"  # of its own, so that the ledger has no reply yet
    asking = shared.asking(
        llm,
        PILOTFISH_LLM__TIMEOUT=4,
        PILOTFISH_LLM__ATTEMPTS=1,
        PILOTFISH_LLM__MODEL=model,
    )
    case = asking("ask", ASKED, "--json").one
    assert case["status"] == "answered" and case["answer"]["model"] in {"extract", "sentence"}
    assert len(llm.requests) == 1 and any(event["error"] for event in case["trace"])
    told = asking("ask", UNANSWERABLE, "--json", code=7).one["error"]
    assert told["code"] == error and len(llm.requests) == 2


def test_without_a_key_the_mend_names_the_variable(shared: Pilotfish, llm: LLMServer) -> None:
    asking = shared.asking(llm)
    asking.env.pop("OPENAI_API_KEY")
    done = asking("ask", ASKED, code=3)
    assert "OPENAI_API_KEY" in done.err and not llm.requests


@pytest.mark.parametrize("question", ["", "  \n ", "x" * 100_000])
def test_an_empty_or_huge_question_is_exit_code_4(shared: Pilotfish, question: str) -> None:
    said = shared("ask", "-", stdin=question.encode(), code=4).err
    assert "characters" in said or "empty" in said


def test_bytes_that_are_no_text_are_survived(shared: Pilotfish) -> None:
    shared("ask", b"caf\xe9 \xff\xfe days".decode("utf-8", "surrogateescape"), "--json")
    said = shared("ask", "-", stdin=b"caf\xe9 \x00 \xff\xfe days", code=4).err
    assert "not UTF-8 (byte 3)" in said
    shared("ask", "-", stdin=b"\xef\xbb\xbf" + ASKED.encode())


def test_an_unknown_recipe_is_refused_and_plain_needs_an_llm(shared: Pilotfish) -> None:
    assert "default, multihop" in shared("ask", ASKED, "--recipe", "magic", code=4).err
    assert "PILOTFISH_LLM__MODEL" in shared("ask", ASKED, "--recipe", "plain", code=4).err


def test_what_the_documents_deny_is_shown_with_the_words_that_deny_it(
    shared: Pilotfish,
) -> None:
    said = "Goods are returned within 90 weeks of the order by courier."
    with LLMServer(respond=lambda messages: said) as server:
        asked = "May goods be sent back after a delivery?"
        out = shared.asking(server)("ask", asked, "--effort", "1").out
    assert "I cannot answer this from the documents." in out
    _, _, denial = out.partition(f"⚠ contradicted: {said}\n")
    assert re.match(r" +docs/returns\.md, .*characters \d+-\d+: “\w", denial)

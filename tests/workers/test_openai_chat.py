"""The official openai client asks a running service: chats, streams, models, errors."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import openai
import pytest

from pilotfish.settings import Settings
from pipeline.recipes import RECIPES
from tests.conftest import ASKED, UNANSWERABLE, Pilotfish
from tests.llm_server import LLMServer
from tests.workers.conftest import Service, until
from workers.asked import LOCAL, Asked
from workers.jobs import Jobs
from workers.openai_chat import Asking
from workers.openai_forms import Understood
from workers.openai_shapes import CANNOT
from workers.process import Process
from workers.requests import Waits
from workers.serve import _inline

pytestmark = pytest.mark.slow
EXPRESS = "What does express delivery cost?"


def client_of(service: Service, **more: Any) -> openai.OpenAI:
    """Their client, without tries of its own."""
    base = f"http://{service.host}:{service.port}/v1"
    return openai.OpenAI(
        base_url=base, api_key=service.key or "none", max_retries=0, timeout=60, **more
    )


@pytest.fixture
def client(service: Service) -> Iterator[openai.OpenAI]:
    with client_of(service) as made:
        yield made


@pytest.fixture
def mine_only(own: Service) -> Iterator[openai.OpenAI]:
    """A client of a service of this test's own, which has a key."""
    with client_of(own.made_key()) as made:
        yield made


def user(text: str) -> Any:
    return [{"role": "user", "content": text}]


def test_a_chat_is_answered_with_marks_citations_and_usage(
    client: openai.OpenAI, service: Service
) -> None:
    reply = client.chat.completions.create(model="pilotfish", messages=user(f"Say: {ASKED}"))
    (choice,) = reply.choices
    line: Any = reply.model_extra and reply.model_extra["pilotfish"]
    assert choice.finish_reason == "stop" and reply.model == "pilotfish"
    assert "30 days" in str(choice.message.content) and "[1]" in str(choice.message.content)
    assert line["status"] == "answered" and line["job"].startswith("job_")
    assert reply.usage and reply.usage.total_tokens == (
        line["receipt"]["prompt_tokens"] + line["receipt"]["completion_tokens"]
    )
    assert reply.usage.prompt_tokens == 100 and reply.usage.completion_tokens == 20
    assert check_citations(choice.message, line, service) == 1


def check_citations(message: Any, line: Any, service: Service) -> int:
    """Every annotation: its indexes, its link, and the quote in the document; gives how many."""
    assert len(message.annotations) == len(line["citations"])
    for each in message.annotations:
        found = each.url_citation
        sentence = message.content[found.start_index : found.end_index]
        after = message.content[found.end_index :]
        number = int(after[after.index("[") + 1 : after.index("]")])
        assert after.startswith(" [")
        citation = line["citations"][number - 1]
        assert sentence == line["answer"][slice(*citation["sentence"])]
        parts = urlsplit(found.url)
        text = service.get(parts.path).json["text"]
        start, end = map(int, parts.fragment.removeprefix("char=").split(","))
        assert text[start:end] == citation["quote"] and found.title.startswith(
            unquote(parts.path.rpartition("/")[2])
        )
    return len(message.annotations)


def test_an_abstention_says_so_in_plain_words(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(model="default", messages=user(UNANSWERABLE))
    assert reply.choices[0].message.content == CANNOT
    assert reply.choices[0].finish_reason == "stop" and not reply.choices[0].message.annotations
    assert reply.model_extra and reply.model_extra["pilotfish"]["status"] == "abstained"


def test_earlier_messages_reach_the_llm_as_turns(mine_only: openai.OpenAI, llm: LLMServer) -> None:
    messages = [{"role": "system", "content": "Speak like a pirate."},
                {"role": "user", "content": "I bought a lantern."},
                {"role": "assistant", "content": "A fine lantern. [1]"}, *user(ASKED)]  # fmt: skip
    reply = mine_only.chat.completions.create(model="plain", messages=messages, temperature=0.5)
    sent = str(llm.requests[-1].body["messages"])
    assert "I bought a lantern." in sent and "A fine lantern." in sent
    assert "pirate" not in sent and "lantern. [1]" not in sent
    ours = reply.model_extra and reply.model_extra["pilotfish"]
    assert ours and ours["ignored"] == ["temperature", "system messages"]


def test_our_options_come_under_pilotfish(client: openai.OpenAI) -> None:
    asked = "What does the yellow crane lift?"
    inside = {"pilotfish": {"where": "year = 2022", "collection": "default", "trace": True}}
    reply = client.chat.completions.create(
        model="pilotfish", messages=user(asked), extra_body=inside
    )
    line: Any = reply.model_extra and reply.model_extra["pilotfish"]
    assert {found["document"] for found in line["citations"]} <= {"n-2"} and line["trace"]
    outside = {"pilotfish": {"where": "year = 2019"}}
    reply = client.chat.completions.create(
        model="pilotfish", messages=user(asked), extra_body=outside
    )
    assert "forty" not in str(reply.choices[0].message.content)


def test_a_stream_says_the_verified_sentences_then_citations_and_usage(
    client: openai.OpenAI, service: Service
) -> None:
    stream = client.chat.completions.create(
        model="pilotfish", messages=user(EXPRESS), stream=True,
        stream_options={"include_usage": True},
    )  # fmt: skip
    with stream:
        chunks = list(stream)
    whole = client.chat.completions.create(model="pilotfish", messages=user(EXPRESS))
    *said, last, spent = chunks
    content = "".join(chunk.choices[0].delta.content or "" for chunk in said)
    assert content == whole.choices[0].message.content and content
    assert said[0].choices[0].delta.role == "assistant"
    assert last.choices[0].finish_reason == "stop"
    assert last.model_extra and last.model_extra["pilotfish"]["status"] == "answered"
    delta: Any = last.choices[0].delta
    found = delta.annotations[0]["url_citation"]
    line = last.model_extra["pilotfish"]
    sentence = line["answer"][slice(*line["citations"][0]["sentence"])]
    assert content[found["start_index"] : found["end_index"]] == sentence
    assert spent.choices == [] and spent.usage
    assert spent.usage.prompt_tokens == line["receipt"]["prompt_tokens"]


def test_a_stream_without_an_answer_yet_is_kept_alive_by_comments(
    own: Service, llm: LLMServer
) -> None:
    llm.script("hang:2")
    body = {"model": "pilotfish", "messages": user(ASKED), "stream": True}
    reply = own.post("/v1/chat/completions", body)
    assert reply.headers["content-type"].startswith("text/event-stream")
    text = reply.body.decode()
    assert text.startswith(": answering\n\n") and text.endswith("data: [DONE]\n\n")
    assert text.index(": answering") < text.index("30 days")


def test_a_sentence_that_nothing_carries_is_not_streamed(
    mine_only: openai.OpenAI, llm: LLMServer
) -> None:
    respond: Any = llm.respond
    llm.respond = lambda messages: f"{respond(messages)} Penguins rule the moon since 1802."
    stream = mine_only.chat.completions.create(model="plain", messages=user(ASKED), stream=True)
    with stream:
        chunks = list(stream)
    content = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    ours: Any = chunks[-1].model_extra and chunks[-1].model_extra["pilotfish"]
    assert "Penguins" not in content
    assert ours["status"] == "answered" and "Penguins" not in ours["answer"]


def test_the_same_key_and_body_is_the_same_question(
    mine_only: openai.OpenAI, llm: LLMServer
) -> None:
    ask: Any = {
        "model": "plain",
        "messages": user(ASKED),
        "extra_headers": {"Idempotency-Key": "k"},
    }
    first = mine_only.chat.completions.create(**ask)
    again = mine_only.chat.completions.create(**ask)
    assert first.id == again.id and sum(llm.per_key.values()) == 1
    with pytest.raises(openai.UnprocessableEntityError):
        mine_only.chat.completions.create(**{**ask, "messages": user(EXPRESS)})


def test_recipes_are_the_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["pilotfish", *RECIPES]
    assert client.models.retrieve("plain").owned_by == "pilotfish"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4o")


@pytest.mark.parametrize(("fields", "kind", "word"), [
    ({"n": 2}, openai.BadRequestError, "n is not supported"),
    ({"tools": [{"type": "function", "function": {"name": "f"}}]}, openai.BadRequestError, "tools"),
    ({"messages": []}, openai.BadRequestError, "messages"),
    ({"messages": user(" ")}, openai.BadRequestError, "empty"),
    ({"messages": user("x" * 20_001)}, openai.BadRequestError, "20,000"),
    ({"messages": user("nul \0")}, openai.BadRequestError, "NUL"),
    ({"model": "gpt-4o"}, openai.NotFoundError, "pilotfish"),
    ({"extra_body": {"pilotfish": {"colection": "x"}}}, openai.BadRequestError, "colection"),
    ({"extra_body": {"pilotfish": {"where": "year >="}}}, openai.BadRequestError, "filter"),
    ({"extra_body": {"pilotfish": {"model": "openai/gpt-5"}}}, openai.BadRequestError, "offered"),
    ({"extra_body": {"pilotfish": {"collection": "x"}}}, openai.NotFoundError, "collection"),
])  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_asked_is_an_error_of_their_classes(
    client: openai.OpenAI, fields: dict[str, Any], kind: type[openai.APIStatusError], word: str,
    stream: bool,
) -> None:  # fmt: skip
    given = {"model": "pilotfish", "messages": user(ASKED), **fields, "stream": stream}
    with pytest.raises(kind) as refused:
        client.chat.completions.create(**given)
    assert word in str(refused.value) and refused.value.request_id
    assert refused.value.type in {"invalid_request_error", "not_found_error"}


def test_a_missing_and_a_wrong_key_are_authentication_errors(service: Service) -> None:
    with client_of(service.having("pf-wrong")) as client:
        with pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(model="pilotfish", messages=user(ASKED))


def test_a_failed_answer_is_an_error_that_their_client_does_not_pay_for_again(
    own: Service, llm: LLMServer
) -> None:
    llm.default = "status:400"
    with client_of(own.made_key()).with_options(max_retries=2) as client:
        with pytest.raises(openai.InternalServerError) as failed:
            client.chat.completions.create(model="plain", messages=user(ASKED))
    assert failed.value.response.headers["x-should-retry"] == "false"
    jobs = own.made_key().get("/v1/jobs?singles=true").json["data"]
    assert len(jobs) == 1 and isinstance(failed.value.body, dict)
    assert failed.value.body["pilotfish"]["status"] == "failed"


def test_an_error_after_a_stream_has_begun_is_an_event_of_it(own: Service, llm: LLMServer) -> None:
    llm.default, llm.latency = "status:400", 1.5
    with client_of(own.made_key()) as client:
        stream = client.chat.completions.create(model="plain", messages=user(ASKED), stream=True)
        with stream, pytest.raises(openai.APIError) as failed:
            list(stream)
    assert not isinstance(failed.value, openai.APIStatusError)
    assert failed.value.message and "sk-test" not in str(failed.value.body)


def test_a_tenant_asks_its_own_collections_only(acme: Service) -> None:
    with client_of(acme) as client:
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model="pilotfish", messages=user(ASKED))


def test_more_who_wait_than_there_are_threads_for_are_answered_too(mine: Pilotfish) -> None:
    process = Process(Settings(workspace=mine.workspace, abstain_below=0.01))
    question, waits = Understood(ASKED, (), ()), Waits(1)

    async def together(jobs: Jobs) -> list[dict[str, Any]]:
        one = Asking(jobs, waits, LOCAL, question, Asked(), False)
        return await asyncio.gather(*[one.line() for _ in range(4)])

    try:
        with _inline(process) as bell:
            jobs = Jobs(process, bell)
            try:
                found = asyncio.run(together(jobs))
            finally:
                jobs.waiting.close()
    finally:
        process.close()
    assert [line["status"] for line in found] == ["answered"] * 4
    assert len({line["job"] for line in found}) == 4


def test_a_client_that_leaves_a_stream_leaves_no_complaint_behind(
    own: Service, llm: LLMServer
) -> None:
    llm.default = "hang:3"
    with client_of(own.made_key()) as client:
        stream = client.chat.completions.create(model="plain", messages=user(ASKED), stream=True)
        threading.Timer(0.2, stream.close).start()
        until(lambda: llm.requests, 90)
    assert own.get("/livez").status == 200


def test_llama_index_asks_as_it_would_ask_openai(service: Service) -> None:
    like = importlib.import_module("llama_index.llms.openai_like")
    llm = like.OpenAILike(
        model="pilotfish", api_base=f"http://{service.host}:{service.port}/v1",
        api_key=service.key, is_chat_model=True, max_retries=0,
    )  # fmt: skip
    messages = [like.base.ChatMessage(role="user", content=ASKED)]
    assert "30 days" in str(llm.chat(messages))
    assert "30 days" in "".join(part.delta or "" for part in llm.stream_chat(messages))

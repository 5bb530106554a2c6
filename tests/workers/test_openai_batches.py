"""The official openai client runs batches on a running service: files in, files out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.conftest import ASKED, UNANSWERABLE
from tests.llm_server import LLMServer
from tests.workers.conftest import Service, until
from tests.workers.test_openai_chat import check_citations, client_of, user
from workers.openai_shapes import CANNOT

pytestmark = pytest.mark.slow
THREE = {"a": ASKED, "ship": "What does express delivery cost?", "king": UNANSWERABLE}


@pytest.fixture
def client(service: Service) -> Iterator[openai.OpenAI]:
    with client_of(service) as made:
        yield made


def jsonl(questions: dict[str, str], **body: Any) -> bytes:
    """A batch's input."""
    rows = [
        {"custom_id": name, "method": "POST", "url": "/v1/chat/completions",
         "body": {"model": "pilotfish", "messages": user(question), **body}}
        for name, question in questions.items()
    ]  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def uploaded(client: openai.OpenAI, data: bytes) -> str:
    return client.files.create(file=("in.jsonl", data), purpose="batch").id


def made(client: openai.OpenAI, data: bytes, **more: Any) -> Any:
    """A new batch of these lines."""
    return client.batches.create(
        input_file_id=uploaded(client, data), endpoint="/v1/chat/completions",
        completion_window="24h", **more,
    )  # fmt: skip


def ended(client: openai.OpenAI, batch: Any) -> Any:
    def look() -> Any:
        found = client.batches.retrieve(batch.id)
        open_states = {"validating", "in_progress", "finalizing", "cancelling"}
        return None if found.status in open_states else found

    return until(look, 60)


def lines(client: openai.OpenAI, file_id: str | None) -> list[Any]:
    return [json.loads(line) for line in client.files.content(str(file_id)).text.splitlines()]


def test_a_batch_ends_with_an_output_file_in_their_shape(
    client: openai.OpenAI, service: Service
) -> None:
    batch = made(client, jsonl(THREE), metadata={"for": "me"})
    assert batch.object == "batch" and batch.status in {"in_progress", "finalizing", "completed"}
    batch = ended(client, batch)
    assert batch.status == "completed" and batch.metadata == {"for": "me"}
    assert batch.request_counts.to_dict() == {"total": 3, "completed": 3, "failed": 0}
    assert batch.error_file_id is None and batch.completed_at >= batch.created_at
    found = lines(client, batch.output_file_id)
    assert [line["custom_id"] for line in found] == ["a", "ship", "king"]
    assert all(line["error"] is None for line in found)
    replies = [openai.types.chat.ChatCompletion(**line["response"]["body"]) for line in found]
    assert replies[2].choices[0].message.content == CANNOT
    ours: Any = replies[0].model_extra and replies[0].model_extra["pilotfish"]
    assert check_citations(replies[0].choices[0].message, ours, service) == 1
    assert {line["response"]["status_code"] for line in found} == {200}
    file = client.files.retrieve(batch.output_file_id)
    assert file.bytes == len(client.files.content(file.id).content)
    assert file.purpose == "batch_output" and batch.id in file.filename


def test_a_batch_is_a_job_and_is_listed_among_both(client: openai.OpenAI, service: Service) -> None:
    own = {
        "pilotfish": {"budget_usd": 2.5, "name": "mine", "webhook_url": "https://webhook.invalid/"}
    }
    first = made(client, jsonl({"x": ASKED}), extra_body=own)
    second = made(client, jsonl({"y": ASKED}))
    job = service.get(f"/v1/jobs/{first.id}").json
    assert job["name"] == "mine" and job["budget"]["limit_usd"] == 2.5
    assert first.model_extra["pilotfish"]["webhook_secret"].startswith("whsec_")
    assert "webhook_secret" not in client.batches.retrieve(first.id).model_extra["pilotfish"]
    pages = client.batches.list(limit=1)
    assert pages.data[0].id == second.id and pages.has_more
    ids = [batch.id for batch in pages]
    assert ids.index(second.id) < ids.index(first.id) and len(set(ids)) == len(ids)
    plain = service.post("/v1/jobs", {"questions": [ASKED]}).json["id"]
    with pytest.raises(openai.NotFoundError):
        client.batches.retrieve(plain)


def test_bad_lines_make_a_batch_that_failed_and_asked_nothing(
    client: openai.OpenAI, service: Service
) -> None:
    data = jsonl({"a": ASKED, "b": " "}) + b"nonsense\n" + jsonl({"a": ASKED})
    batch = made(client, data)
    assert batch.status == "failed" and batch.failed_at and batch.request_counts.total == 0
    assert [error.line for error in batch.errors.data] == [2, 3, 4]
    assert batch.output_file_id is None and batch.error_file_id is None
    assert client.batches.retrieve(batch.id).status == "failed"


def test_bad_lines_may_be_skipped_and_are_in_the_error_file(client: openai.OpenAI) -> None:
    data = jsonl({"a": ASKED}) + b"nonsense\n"
    batch = ended(client, made(client, data, extra_body={"pilotfish": {"skip_invalid": True}}))
    assert batch.status == "completed"
    assert batch.request_counts.to_dict() == {"total": 2, "completed": 1, "failed": 1}
    (bad,) = lines(client, batch.error_file_id)
    assert bad["response"] is None and bad["error"]["code"] == "invalid_line"
    assert len(lines(client, batch.output_file_id)) == 1


def test_a_cancelled_batch_says_so_and_asks_no_more(own: Service, llm: LLMServer) -> None:
    llm.latency = 1.0
    with client_of(own.made_key()) as client:
        questions = {str(n): f"{ASKED} {n}" for n in range(200)}
        batch = made(client, jsonl(questions))
        until(lambda: llm.requests, 90)
        assert client.batches.cancel(batch.id).status in {"cancelling", "cancelled"}
        batch = ended(client, batch)
        assert batch.status == "cancelled" and batch.cancelled_at
        sent = len(llm.requests)
        assert sent < 200 and batch.request_counts.completed <= sent
        done = lines(client, batch.output_file_id) if batch.output_file_id else []
        assert len(done) == batch.request_counts.completed
        assert len(lines(client, batch.error_file_id)) == 200 - len(done)
        with pytest.raises(openai.NotFoundError):
            client.batches.cancel("job_" + "0" * 24)


def test_an_ended_batch_cannot_be_cancelled(client: openai.OpenAI) -> None:
    batch = ended(client, made(client, jsonl({"a": ASKED})))
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(batch.id)


def test_the_same_key_and_body_is_the_same_batch(client: openai.OpenAI) -> None:
    file_id = uploaded(client, jsonl({"a": ASKED}))
    ask: Any = {
        "input_file_id": file_id, "endpoint": "/v1/chat/completions", "completion_window": "24h",
        "extra_headers": {"Idempotency-Key": f"batch-{file_id}"},
    }  # fmt: skip
    assert client.batches.create(**ask).id == client.batches.create(**ask).id
    with pytest.raises(openai.UnprocessableEntityError):
        client.batches.create(**ask, metadata={"another": "body"})


@pytest.mark.parametrize(("fields", "kind"), [
    ({"endpoint": "/v1/embeddings"}, openai.BadRequestError),
    ({"completion_window": "1h"}, openai.BadRequestError),
    ({"input_file_id": "file-" + "0" * 24}, openai.NotFoundError),
    ({"metadata": {"k" * 65: "v"}}, openai.BadRequestError),
    ({"extra_body": {"pilotfish": {"recipe": "none"}}}, openai.BadRequestError),
    ({"extra_body": {"unknown": 1}}, openai.BadRequestError),
])  # fmt: skip
def test_a_batch_that_cannot_be_is_refused(
    client: openai.OpenAI, fields: dict[str, Any], kind: type[Exception]
) -> None:
    given: Any = {
        "input_file_id": uploaded(client, jsonl({"a": ASKED})), "completion_window": "24h",
        "endpoint": "/v1/chat/completions", **fields,
    }  # fmt: skip
    with pytest.raises(kind):
        client.batches.create(**given)


def test_files_are_uploaded_listed_read_and_deleted(client: openai.OpenAI) -> None:
    data = jsonl({"a": ASKED})
    file = client.files.create(file=("../mine.jsonl", data), purpose="batch")
    assert file.filename == "mine.jsonl" and file.bytes == len(data) and file.object == "file"
    assert client.files.content(file.id).content == data
    second = uploaded(client, data)
    assert [each.id for each in client.files.list(limit=1)][:2] == [second, file.id]
    assert client.files.delete(file.id).deleted
    for look in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError):
            look(file.id)
    assert file.id not in {each.id for each in client.files.list()}


def test_files_for_other_purposes_are_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="purpose"):
        client.files.create(file=("a.jsonl", b"{}"), purpose="fine-tune")


def test_an_output_file_that_was_deleted_stays_away_and_its_batch_is_there(
    client: openai.OpenAI,
) -> None:
    batch = ended(client, made(client, jsonl({"a": ASKED})))
    name = batch.output_file_id
    assert name in {each.id for each in client.files.list(purpose="batch_output")}
    assert client.files.delete(name).deleted
    assert client.batches.retrieve(batch.id).status == "completed"
    with pytest.raises(openai.NotFoundError):
        client.files.content(name)
    assert name not in {each.id for each in client.files.list()}


def test_an_output_file_holds_nothing_that_was_deleted_since(
    client: openai.OpenAI, service: Service
) -> None:
    batch = ended(client, made(client, jsonl({"a": ASKED})))
    assert "30 days" in client.files.content(batch.output_file_id).text
    assert service("DELETE", f"/v1/jobs/{batch.id}").status == 200
    with pytest.raises(openai.NotFoundError):
        client.files.content(batch.output_file_id)


def test_nothing_of_it_crosses_to_another_tenant(client: openai.OpenAI, acme: Service) -> None:
    batch = ended(client, made(client, jsonl({"a": ASKED})))
    with client_of(acme) as other:
        assert not list(other.batches.list()) and not list(other.files.list())
        for name in (batch.output_file_id, batch.input_file_id):
            for look in (other.files.retrieve, other.files.content, other.files.delete):
                with pytest.raises(openai.NotFoundError) as foreign:
                    look(name)
                with pytest.raises(openai.NotFoundError) as guessed:
                    look("file-output-" + "0" * 24)
                assert foreign.value.code == guessed.value.code
        for act in (other.batches.retrieve, other.batches.cancel):
            with pytest.raises(openai.NotFoundError):
                act(batch.id)
        with pytest.raises(openai.NotFoundError):
            other.batches.create(
                input_file_id=batch.input_file_id, endpoint="/v1/chat/completions",
                completion_window="24h",
            )  # fmt: skip
        with pytest.raises(openai.NotFoundError):
            other.batches.list(after=batch.id)
    assert client.files.content(batch.output_file_id).text

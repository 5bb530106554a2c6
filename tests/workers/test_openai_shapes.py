"""Result lines in OpenAI's shapes: marks, indexes, streams; requests that cannot be served."""

from __future__ import annotations

from typing import Any

import pytest

from workers.openai_errors import Unfit
from workers.openai_forms import ChatForm, ChatOptions, understood
from workers.openai_lines import read_batch
from workers.openai_shapes import CANNOT, Shaper

SHAPER = Shaper("pilotfish", "de fault", "http://here")
TEXT = "Sheep 🐑 graze. Nobody looked at this. 退货很快。\nLast one."


def cited(sentence: str, document: str = "a b/c?.md", **more: Any) -> dict[str, Any]:
    start = TEXT.index(sentence)
    place = {"document": document, "start": 3, "end": 9, "quote": "......"}
    return {**place, "sentence": [start, start + len(sentence)], **more}


LINE: dict[str, Any] = {
    "status": "answered", "answer": TEXT, "job": "job_1",
    "citations": [
        cited("Last one.", heading=["Top", "Sub"], page=4), cited("Sheep 🐑 graze."),
        cited("退货很快。"), cited("Sheep 🐑 graze.", "other.md"),
    ],
    "receipt": {"prompt_tokens": 7, "completion_tokens": 5},
}  # fmt: skip


@pytest.mark.parametrize("verified_only", [False, True])
def test_indexes_are_the_cited_sentences_characters_and_marks_number_the_citations(
    verified_only: bool,
) -> None:
    marked = SHAPER.marked(LINE, verified_only=verified_only)
    found = [each["url_citation"] for each in marked.annotations]
    said = [marked.content[each["start_index"] : each["end_index"]] for each in found]
    assert said == ["Sheep 🐑 graze.", "Sheep 🐑 graze.", "退货很快。", "Last one."]
    assert "Sheep 🐑 graze. [2][4]" in marked.content and "退货很快。 [3]" in marked.content
    assert marked.content.endswith("Last one. [1]")
    assert ("Nobody looked" in marked.content) is not verified_only
    assert found[0]["url"] == (
        "http://here/v1/collections/de%20fault/documents/a%20b%2Fc%3F.md#char=3,9"
    )
    assert found[3]["title"] == "a b/c?.md > Top > Sub > page 4"


def test_a_stream_says_verified_sentences_and_ends_with_what_belongs_to_all_of_it() -> None:
    chunks = list(SHAPER.chunks(LINE, "n", 1.5, True))
    content = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks[:-1])
    assert content == SHAPER.marked(LINE, verified_only=True).content
    assert [c["choices"][0]["finish_reason"] for c in chunks[:-1]] == [None] * 4 + ["stop"]
    assert chunks[-2]["pilotfish"]["answer"] == TEXT and len(chunks[0]["id"]) > 5
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"]["total_tokens"] == 12
    assert chunks[0]["usage"] is None
    assert all("usage" not in chunk for chunk in SHAPER.chunks(LINE, "n", 1.5, False))


def test_an_abstention_is_a_plain_sentence_without_citations() -> None:
    line = {"status": "abstained", "answer": None, "candidate": "Paris", "citations": []}
    reply = SHAPER.completion(line, "n", 1.0)
    message = reply["choices"][0]["message"]
    assert message["content"] == CANNOT and message["annotations"] == []
    assert reply["pilotfish"]["status"] == "abstained"


def form(**fields: Any) -> ChatForm:
    given = {"model": "pilotfish", "messages": [{"role": "user", "content": "Why?"}], **fields}
    return ChatForm.model_validate(given)


@pytest.mark.parametrize(("fields", "param"), [
    ({"n": 2}, "n"),
    ({"tools": [{"type": "function"}]}, "tools"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"functions": [{}]}, "functions"),
    ({"response_format": {"type": "json_object"}}, "response_format"),
    ({"logprobs": True}, "logprobs"),
    ({"modalities": ["text", "audio"]}, "modalities"),
    ({"audio": {"voice": "x"}}, "audio"),
    ({"web_search_options": {}}, "web_search_options"),
    ({"stream_options": {"include_usage": True}}, "stream_options"),
    ({"temprature": 1}, "temprature"),
    ({"messages": [{"role": "assistant", "content": "Because."}]}, "messages"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages"),
])  # fmt: skip
def test_what_is_not_supported_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Unfit) as refused:
        understood(form(**fields), 1000)
    assert refused.value.param == param and param.split("_")[0] in str(refused.value)


def test_what_changes_nothing_is_left_out_and_said() -> None:
    asked = understood(form(temperature=0.1, n=1, tools=[], seed=None, max_tokens=9), 1000)
    assert asked.ignored == ("max_tokens", "temperature")


def test_earlier_messages_are_turns_without_our_marks_and_the_latest_that_fit() -> None:
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "x" * 100},
        {"role": "user", "content": [{"type": "text", "text": t} for t in ("One", "?")]},
        {"role": "assistant", "content": "Two. [1][2] See [kernel]. [3]", "annotations": []},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "user", "content": "And now?"},
    ]  # fmt: skip
    asked = understood(form(messages=messages), 90)
    assert asked.question == "And now?"
    assert [turn["text"] for turn in asked.turns] == ["One\n?", "Two. See [kernel]."]
    assert asked.ignored == ("system messages", "turns that are empty or too long ago")


@pytest.mark.parametrize(("model", "own", "recipe"), [
    ("pilotfish", None, "default"), ("pilotfish", "plain", "plain"), ("plain", None, "plain"),
    ("plain", "plain", "plain"), ("default", None, "default"),
])  # fmt: skip
def test_the_model_names_the_recipe(model: str, own: str | None, recipe: str) -> None:
    options = ChatOptions() if own is None else ChatOptions(recipe=own)
    assert form(model=model, pilotfish=options).recipe() == recipe


def test_a_model_that_is_no_recipe_or_another_one_is_refused() -> None:
    with pytest.raises(Unfit) as unknown:
        form(model="gpt-4o").recipe()
    assert unknown.value.status == 404 and "plain" in str(unknown.value)
    with pytest.raises(Unfit):
        form(model="plain", pilotfish={"recipe": "default"}).recipe()


BAD = b"""{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": %s}
not json
[]
{"custom_id": 7}
{"custom_id": "b", "method": "GET"}
{"custom_id": "c", "method": "POST", "url": "/v1/embeddings"}
{"custom_id": "d", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "plain"}}
{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": %s}
{"custom_id": "2", "method": "POST", "url": "/v1/chat/completions", "body": %s}
{"custom_id": "e", "method": "POST", "url": "/v1/chat/completions", "body": %s}
"""


def test_a_batch_names_what_is_wrong_with_each_of_its_lines() -> None:
    good = b'{"model": "pilotfish", "messages": [{"role": "user", "content": "Why?"}]}'
    other = good.replace(b"pilotfish", b"plain")
    read = read_batch(b"\xef\xbb\xbf" + BAD % (good, good, good, other), 1000)
    problems = {line.number: line.problem for line in read.lines if line.problem}
    assert [*problems] == [2, 3, 4, 5, 6, 7, 8, 10]
    assert "JSON" in str(problems[2]) and "messages" in str(problems[7])
    assert "line 1" in str(problems[8]) and "model" in str(problems[10])
    assert read.recipe == "default" and read.model == "pilotfish"


def test_lines_of_a_batch_may_differ_in_their_filter() -> None:
    rows = b"".join(
        b'{"custom_id": "%d", "method": "POST", "url": "/v1/chat/completions", "body": {"model":'
        b' "default", "messages": [{"role": "user", "content": "Why?"}], "pilotfish":'
        b' {"where": "year = %d"}}}\n' % (year, year)
        for year in (2019, 2022)
    )
    read = read_batch(rows, 1000)
    assert [line.fields["where"] for line in read.lines] == ["year = 2019", "year = 2022"]
    assert not any(line.problem for line in read.lines) and read.options.where is None

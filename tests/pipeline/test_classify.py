"""The recipe classify: labels by the small model, by one call where it is unsure, or by none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.classifier.model import Prediction
from pilotfish.step import run
from pilotfish.types import Answer, Case, Question
from pipeline.classify_tier import ClassifyAnswer, LabelTier, read, weighed
from prompters.predict import LabelPrompt, Predict
from tests.conftest import Pilotfish
from tests.llm_server import LLMServer
from tests.pilotfish.clients import embedded
from verifiers.trust import Reliance, Trust

LABELS = ("billing", "delivery", "returns")
TRAIN = {
    "billing": ["the invoice is wrong", "charged twice on my card", "I need an invoice copy",
                "my card was charged", "refund the invoice amount", "wrong amount on the invoice"],
    "delivery": ["the parcel has not arrived", "where is my parcel", "the courier never came",
                 "parcel left at a neighbour", "tracking says delivered", "courier was late"],
    "returns": ["I want to send it back", "how do I return the shoes", "return label please",
                "send back a broken lamp", "the return label is missing", "return a gift"],
}  # fmt: skip


def prediction(label: str = "billing", confidence: float = 0.6) -> Prediction:
    rest = (1 - confidence) / 2
    chances = {one: confidence if one == label else rest for one in LABELS}
    return Prediction(label, confidence, (("invoice", 1.2),), chances)


@pytest.mark.parametrize(
    ("reply", "label"),
    [("returns", "returns"), ("Label: Delivery.", "delivery"), ("It is about billing", "billing"),
     ("billing or returns", None), ("no idea", None), ("", None),
     ("**billing**\nsince", "billing")],
)  # fmt: skip
def test_a_reply_is_one_of_the_labels_or_none(reply: str, label: str | None) -> None:
    assert read(reply, LABELS) == label


def test_the_longer_of_two_labels_that_contain_each_other_is_meant() -> None:
    assert read("not spam", ("spam", "not spam")) == "not spam"


def test_two_models_that_agree_are_surer_than_each_and_bayes_says_how_sure() -> None:
    after = weighed({"a": 0.6, "b": 0.4}, "a", 0.8)
    assert after["a"] == pytest.approx(0.6 * 0.8 / (0.6 * 0.8 + 0.4 * 0.2))
    assert weighed({"a": 0.6, "b": 0.4}, "b", 0.8)["b"] > 0.5


def test_the_llm_overrides_only_what_the_small_model_is_unsure_of() -> None:
    def says(case: Case) -> Case:
        return Case(case.question, answer=Answer("returns", model="llm"))

    for sure, kept in ((0.5, "returns"), (0.995, "billing")):
        tier = LabelTier(lambda case: case, says, lambda _, p=sure: prediction("billing", p), "")
        done = tier(Case(Question("the invoice")))
        assert done.answer is not None and done.answer.text == kept


def test_a_label_that_is_unlikely_is_withheld_and_cites_nothing() -> None:
    step = ClassifyAnswer(lambda _: prediction(confidence=0.4), "calibrated here")
    case = Trust(Reliance(), 0.5)(step(Case(Question("x"))))
    assert case.answer is not None and case.answer.abstained and not case.answer.citations
    assert case.answer.basis is not None and case.answer.basis.calibration == "calibrated here"


def test_a_promise_that_nobody_labelled_answers_for_withholds_labels_too() -> None:
    step = ClassifyAnswer(lambda _: prediction(confidence=0.99), "calibrated here")
    case = Trust(Reliance(max_error=0.1), 0.5)(step(Case(Question("x"))))
    assert case.answer is not None and case.answer.abstained
    assert case.answer.basis is not None and case.answer.basis.kept is False


def test_an_override_is_explained_in_the_trace_where_that_is_asked_for() -> None:
    def says(case: Case) -> Case:
        return Case(case.question, answer=Answer("returns\nThe shoes go back.", model="llm"))

    tier = LabelTier(lambda case: case, says, lambda _: prediction("billing", 0.5), "")
    done = run(tier, Case(Question("the shoes")))
    assert done.trace[-1].detail["override"] == "The shoes go back."
    asked = run(LabelPrompt(LABELS, explain=True), Case(Question("x"))).prompt
    assert asked is not None and "say why on a second line" in asked.messages[0].content


def test_the_prompt_shows_examples_with_the_small_models_word_the_nearest_last() -> None:
    from models.classifier.model import Example

    some = [
        Example("far", "returns", "billing", 0.4),
        Example("near\nlabel: x", "billing", "billing", 0.9),
    ]
    case = Predict(lambda text, k: (prediction(), some))(Case(Question("my invoice")))
    done = run(LabelPrompt(LABELS), case)
    assert done.prompt is not None
    told, asked = (message.content for message in done.prompt.messages)
    assert "billing, delivery, returns" in told
    assert asked.index("far") < asked.index("near label: x") < asked.index("my invoice")
    assert "Small model: billing (0.60)" in asked and case.hints[-1].kind == "prediction"


@pytest.fixture(scope="module")
def pilotfish(tmp_path_factory: pytest.TempPathFactory) -> Pilotfish:
    folder = tmp_path_factory.mktemp("classify")
    rows = [{"text": text, "label": label} for label, some in TRAIN.items() for text in some]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = Pilotfish(folder, folder / ".pilotfish", {"PILOTFISH_CLASSIFIER": "desk"})
    told = made("tune", "classifier", "desk", "train.jsonl", "--json").one
    assert told["labels"] == list(LABELS) and 0 < told["accuracy"] <= 1
    return made


def rows_of(pilotfish: Pilotfish, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (pilotfish.folder / name).read_text().splitlines()]


def batch(pilotfish: Pilotfish, name: str) -> list[dict[str, Any]]:
    questions = ["where is the parcel", "invoice charged twice on my card", "zzz qqq"]
    lines = [json.dumps({"id": str(n), "question": q}) for n, q in enumerate(questions)]
    (pilotfish.folder / f"{name}.jsonl").write_text("\n".join(lines))
    pilotfish("batch", f"{name}.jsonl", "--recipe", "classify", "-o", f"{name}.out.jsonl")
    return rows_of(pilotfish, f"{name}.out.jsonl")


@pytest.mark.slow
def test_a_batch_of_texts_is_labelled_without_an_llm(pilotfish: Pilotfish) -> None:
    found = batch(pilotfish, "plain")
    assert [one["receipt"]["llm_calls"] for one in found] == [0, 0, 0]
    assert all(one["values"][0] in LABELS for one in found if one["status"] == "answered")
    assert all(one["model"] == "classifier" and not one["citations"] for one in found)


@pytest.mark.slow
def test_an_unsure_label_costs_one_call_that_sees_the_small_models_word(
    pilotfish: Pilotfish,
) -> None:
    with LLMServer(respond=lambda messages: "returns") as server:
        asking = pilotfish.having(
            PILOTFISH_LLM__MODEL="openai/test-model", PILOTFISH_LLM__API_BASE=server.url,
            OPENAI_API_KEY="k", PILOTFISH_EXTRACT_ABOVE="1",
        )  # fmt: skip
        found = batch(asking, "hosted")
        assert [one["receipt"]["llm_calls"] for one in found] == [1, 1, 1]
        sent = server.requests[0].body["messages"][-1]["content"]
    assert "Small model:" in sent and sent.rstrip().endswith("Label:")
    assert found[2]["values"] == ["returns"]


@pytest.mark.slow
def test_predictions_are_written_with_their_reasons(pilotfish: Pilotfish) -> None:
    (pilotfish.folder / "in.jsonl").write_text('{"id": 7, "text": "the courier never came"}\n')
    pilotfish("predict", "desk", "in.jsonl", "-o", "out.jsonl")
    (row,) = rows_of(pilotfish, "out.jsonl")
    assert row["id"] == 7 and row["label"] == "delivery" and 0 < row["confidence"] <= 1
    assert row["because"][0].keys() == {"feature", "weight"}


@pytest.mark.slow
def test_helpers_say_what_they_were_measured_at(pilotfish: Pilotfish) -> None:
    row = pilotfish("helpers", "--json").lines[0]
    assert row["name"] == "classifier:desk" and row["measured"]["beside"]["commonest label"]
    assert "accuracy" in pilotfish("helpers").out


@pytest.mark.slow
def test_rows_of_a_table_are_labelled_by_trees_and_in_a_batch_by_what_is_written(
    pilotfish: Pilotfish,
) -> None:
    rows = [{"fields": {"Weight": weight, "Way": way},
             "label": "late" if weight > 20 and way == "sea" else "in time"}
            for weight in range(1, 41) for way in ("sea", "air", "road")]  # fmt: skip
    (pilotfish.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = pilotfish("tune", "classifier", "parcels", "rows.jsonl", "--json").one
    assert told["view"] == "trees" and told["accuracy"] > told["beside"]["commonest label"]
    asked = [{"id": "a", "fields": {"Weight": 37, "Way": "sea"}},
             {"id": "b", "text": "Weight: 37; Way: road"}]  # fmt: skip
    (pilotfish.folder / "asked.jsonl").write_text("\n".join(map(json.dumps, asked)))
    pilotfish("predict", "parcels", "asked.jsonl", "-o", "said.jsonl")
    found = rows_of(pilotfish, "said.jsonl")
    assert [one["label"] for one in found] == ["late", "in time"]
    assert {"Weight = 37", "Way = sea"} == {one["feature"] for one in found[0]["because"][:2]}
    here = pilotfish.having(PILOTFISH_CLASSIFIER="parcels")
    answer = here("ask", "--recipe", "classify", "Weight: 37; Way: sea", "--json").one
    assert answer["values"] == ["late"] and answer["receipt"]["llm_calls"] == 0


@pytest.mark.slow
def test_the_recipe_answers_over_http_as_the_sdk_asks_it(pilotfish: Pilotfish) -> None:
    with (
        LLMServer(respond=lambda messages: "billing") as server,
        embedded(pilotfish.workspace, server, classifier="desk", extract_above=0.0) as client,
    ):
        sure = client.ask("where is the parcel", recipe="classify")
    assert sure.answer == "delivery" and sure.receipt.llm_calls == 0 and not server.requests
    assert not sure.citations and sure.support is not None and 0.5 <= sure.support <= 1


@pytest.mark.slow
def test_mistakes_are_one_line_each(pilotfish: Pilotfish, tmp_path: Path) -> None:
    (pilotfish.folder / "bad.jsonl").write_text('{"text": "x"}\n{"label": "y"}\nno\n')
    refused = pilotfish("tune", "classifier", "other", "bad.jsonl", code=4)
    assert "line 1" in refused.err and "line 3: not valid JSON" in refused.err
    assert "no name" in pilotfish("tune", "classifier", "a b", "train.jsonl", code=4).err
    (pilotfish.folder / "some.jsonl").write_text('{"id": 1, "text": "x"}\n')
    assert "there are desk" in pilotfish("predict", "nope", "some.jsonl", "-o", "-", code=8).err
    unset = pilotfish.having(PILOTFISH_CLASSIFIER="")
    assert "tune classifier" in unset("ask", "--recipe", "classify", "x", code=3).err

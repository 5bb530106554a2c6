"""The pilot's outputs in the texts' own terms; models by name in its place."""

import numpy as np
import pytest

from models.pilot import serve
from models.pilot.chosen import chosen
from models.pilot.others import Meaning, Other, meaning, probabilities
from models.pilot.reading import Reading
from pilotfish.errors import SettingsError
from tests.models.classifiers import NLI, classifier


def logits(start, end, size=12, passage=4):
    """Span logits of a row whose passage begins at a token; the rest is shut out."""
    made = np.full((size, 2), -30.0, np.float32)
    made[0] = 1.0
    made[passage:] = 0.0
    made[start, 0], made[end, 1] = 8.0, 6.0
    return made


def test_the_best_span_is_the_one_of_the_greatest_sum():
    assert serve.best_spans(logits(5, 7))[0] == (5, 7, 14.0)


def test_a_span_never_ends_before_it_starts_nor_leaves_the_passage():
    spans = serve.best_spans(logits(9, 5))
    assert all(4 <= first <= last < 12 for first, last, _ in spans)


def test_spans_do_not_overlap():
    spans = serve.best_spans(logits(5, 7))
    taken = [token for first, last, _ in spans for token in range(first, last + 1)]
    assert len(taken) == len(set(taken)) and len(spans) > 1


def test_no_passage_gives_no_span():
    made = np.full((5, 2), -30.0, np.float32)
    assert serve.best_spans(made) == []


def test_the_margin_is_the_best_span_above_no_answer():
    assert Reading(0, 1, 0, 0, ((0, 4, 5.0),), 2.0).margin == 3.0
    assert Reading(0, 1, 0, 0).margin < -20


def test_every_row_is_in_one_batch_and_none_is_too_large():
    planned = serve.plan([5, 250, 60, 7, 200, 1])
    assert sorted(place for batch in planned for place in batch) == [0, 1, 2, 3, 4, 5]
    sizes = [5, 250, 60, 7, 200, 1]
    assert all(max(sizes[p] for p in b) * len(b) <= serve.TOKENS for b in planned)


def test_weights_that_are_not_those_of_the_manifest_are_refused(tmp_path):
    (tmp_path / serve.GRAPH).write_bytes(b"other")
    (tmp_path / serve.MANIFEST).write_text('{"sha256": "00"}')
    with pytest.raises(SettingsError, match="not what its manifest says: reinstall"):
        serve.Pilot(tmp_path)([("q", "p")])


def test_weights_that_are_missing_are_named_with_what_can_be_done(tmp_path):
    mend = r"set judge to rules, or train \(python -m models.training fit, then ship\)$"
    with pytest.raises(SettingsError, match=f"^no pilot weights in {tmp_path}: {mend}"):
        serve.Pilot(tmp_path)([("q", "p")])


def test_a_manifest_that_cannot_be_read_is_no_reason_to_train(tmp_path):
    (tmp_path / serve.GRAPH).write_bytes(b"graph")
    (tmp_path / serve.MANIFEST).write_text("{")
    with pytest.raises(SettingsError, match=r"holds no usable pilot .*: reinstall"):
        serve.Pilot(tmp_path)([("q", "p")])


def test_rules_need_no_model():
    assert chosen("rules", "pilot") is None


def test_a_reranker_without_a_judge_is_refused_not_ignored():
    with pytest.raises(SettingsError, match="set judge to pilot"):
        chosen("rules", "BAAI/bge-reranker-base")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({0: "contradiction", 1: "entailment", 2: "neutral"}, Meaning(1, 0)),
        ({0: "ENTAILMENT", 1: "NEUTRAL", 2: "CONTRADICTION"}, Meaning(0, 2)),
        ({0: "entailment", 1: "not_entailment"}, Meaning(0, None)),
        ({0: "LABEL_0", 1: "LABEL_1"}, Meaning(1, None)),
        ({0: "hallucinated", 1: "consistent"}, Meaning(1, None)),
        ({0: "SUPPORTS", 1: "REFUTES", 2: "NOT ENOUGH INFO"}, Meaning(0, 1)),
        ({0: "LABEL_0"}, Meaning(0, None)),
    ],
)
def test_what_columns_mean_is_read_from_the_labels(labels, expected):
    assert meaning(labels, len(labels)) == expected


def test_shares_of_the_columns_sum_to_one():
    rows = np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]], np.float32)
    for pro, con, neither in probabilities(rows, Meaning(1, 0)):
        assert pro + con + neither == pytest.approx(1.0, abs=1e-6)
    assert probabilities(np.array([[0.0]], np.float32), Meaning(0, None)) == [(0.5, 0.0, 0.5)]


@pytest.fixture(scope="module")
def nli_folder(tmp_path_factory):
    return classifier(tmp_path_factory.mktemp("nli"), NLI)


def same(pairs):
    return [Reading(0.5, 0.2, 0.3, 0.5, ((0, 1, 2.0),), 0.0) for _ in pairs]


@pytest.mark.slow
def test_an_nli_model_from_a_folder_gives_the_verdict_and_the_rest_stays(nli_folder):
    pairs = [("The sky is blue.", "On clear days the sky is blue."), ("It rains.", "It is dry.")]
    judge = Other(str(nli_folder), "support", same)
    found = judge(pairs)
    reference = _by_hand(nli_folder, [(text, claim) for claim, text in pairs])
    for reading, row in zip(found, reference, strict=True):
        assert reading.supported == pytest.approx(row[1], abs=1e-4)
        assert reading.contradicted == pytest.approx(row[0], abs=1e-4)
        assert (reading.relevance, reading.spans) == (0.5, ((0, 1, 2.0),))


@pytest.mark.slow
def test_a_model_that_is_not_there_is_named_with_the_mend(tmp_path):
    with pytest.raises(SettingsError, match="give a local folder"):
        Other(str(tmp_path / "none"), "support", same)([("a", "b")])


def _by_hand(folder, pairs):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    given = tokenizer(*map(list, zip(*pairs, strict=True)), padding=True, return_tensors="pt")
    with torch.no_grad():
        return torch.softmax(model(**given).logits, 1).numpy()

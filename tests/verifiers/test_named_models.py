"""Models that the user names judge claims by the same path: NLI, MiniCheck's and HHEM's shapes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from fakes import case_of, embed
from numpy.typing import NDArray

from models.pilot.others import Other
from models.pilot.reading import Pair, Reading
from pilotfish.types import Answer
from pipeline.reader import Reader
from retrievers.rerank import Rerank
from tests.conftest import Pilotfish
from verifiers.cite import Cite
from verifiers.claims import judged
from verifiers.keys import clean
from verifiers.spanned import best_span
from verifiers.support import Support
from verifiers.verdict import over

pytestmark = pytest.mark.slow
SHAPES = {
    "nli": {0: "contradiction", 1: "entailment", 2: "neutral"},
    "minicheck": {0: "LABEL_0", 1: "LABEL_1"},
    "hhem": {0: "consistent"},
}
TEXT = "The guarantee on the pump runs for two years. Batteries are excluded."
CLAIM = "For two years the pump is guaranteed to run."


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A tiny classifier of a shape, with random weights, saved as users have them."""
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    from models.weights import packaged_folder

    def folder(shape: str) -> Path:
        labels = SHAPES[shape]
        config = BertConfig(
            hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
            vocab_size=30522, num_labels=len(labels), id2label=labels,
            label2id={name: number for number, name in labels.items()},
        )  # fmt: skip
        place = tmp_path_factory.mktemp(shape)
        BertForSequenceClassification(config).save_pretrained(place)
        BertTokenizerFast.from_pretrained(packaged_folder()).save_pretrained(place)
        return place

    return folder


def never(pairs: Sequence[Pair]) -> list[Reading]:
    """Stands for the pilot, which has no part in claims."""
    raise AssertionError(pairs)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_claim_is_judged_by_the_named_model_alone(
    made: Callable[[str], Path], shape: str
) -> None:
    model = Other(str(made(shape)), "support", never)
    case = case_of("How long?", TEXT)
    claim = clean(CLAIM, case)[1][0]
    found = judged(claim, case, embed, model)
    assert found.window is not None and found.reason == ""
    texts = [f"Lamps › Terms. {w}" for w in (*TEXT.split(". ", 1), TEXT)]
    texts[0] += "."
    own = model.verdicts([(CLAIM, text) for text in texts])
    assert min(abs(found.support - one.supported) for one in own) < 1e-6
    assert (found.contradicted > 0) == (shape == "nli")


def test_support_repairs_and_citations_read_each_pair_once(made: Callable[[str], Path]) -> None:
    model = Counting(str(made("nli")), "support", never)
    case = Support(embed, model)(replace(case_of("How long?", TEXT), answer=Answer(CLAIM)))
    assert case.answer is not None and case.answer.support is not None
    read = len(model.read)
    done = Cite(embed, lambda *_: TEXT, 0.0, model)(case)
    assert done.answer is not None and 0 < len(model.read) == read == len(set(model.read))


class Counting(Other):
    """Says which pairs the network itself was given."""

    read: ClassVar[list[tuple[str, str]]] = []

    def _logits(self, pairs: list[Pair]) -> NDArray[np.float32]:
        self.read.extend(pairs)
        return super()._logits(pairs)


def test_a_pair_of_verify_is_the_models_own_reading(made: Callable[[str], Path]) -> None:
    model = Other(str(made("nli")), "support", never)
    (found,) = over(embed, model)([(CLAIM, "Paint is free.")])
    (own,) = model.verdicts([(CLAIM, "Paint is free.")])
    assert (found.supported, found.contradicted) == (own.supported, own.contradicted)


def test_passages_are_reranked_and_read_without_the_checker_of_claims(tmp_path: Path) -> None:
    """A large NLI model would read twenty passages a question for nothing."""

    def ranks(pairs: Sequence[Pair]) -> list[Reading]:
        return [
            Reading(9.0 if (at := text.find("Second")) >= 0 else -9.0, 1.0, 0.0, 0.0,
                    ((max(0, at), at + 6, 1.0),))
            for _, text in pairs
        ]  # fmt: skip

    checker = Other(str(tmp_path / "is not there"), "support", ranks)
    case = case_of("Which?", "First of all.", "Second to none.")
    done = Rerank(lambda case: case, checker, weight=1.0)(case)
    assert [p.id for p in done.passages] == [2, 1]
    assert best_span("Which?", done.passages, checker) is not None
    (read,) = Reader(embed, checker)([("Which?", "Second to none.")])
    assert read.answer == "Second"


def test_verify_and_eval_ask_the_model_that_is_configured(
    made: Callable[[str], Path], fresh: Pilotfish
) -> None:
    folder = str(made("nli"))
    quote = {"document": "d", "quote": TEXT, "sentence": [0, len(CLAIM)]}
    rows = {
        "a": {"id": "1", "status": "answered", "answer": CLAIM, "citations": [quote]},
        "gold": {"id": "1", "answers": [CLAIM]},
        "v": {"id": "1", "claim": CLAIM, "evidence": TEXT},
    }
    for name, row in rows.items():
        (fresh.folder / f"{name}.jsonl").write_text(json.dumps(row) + "\n")
    asked = fresh.having(PILOTFISH_JUDGE=folder)
    told = asked("eval", "a.jsonl", "gold.jsonl", "--json").one
    assert told["setup"]["judge"] == f"cross-encoder {folder} over the cited text"
    said = json.loads(asked("verify", "v.jsonl", "-o", "-").out)
    texts = (TEXT, *TEXT.split(" Batt")[:1], "Batteries are excluded.")
    own = Other(folder, "support", never).verdicts([(CLAIM, text) for text in texts])
    assert min(abs(said["supported"] - one.supported) for one in own) < 1e-4
    assert told["figures"]["citation_recall"]["value"] == float(said["supported"] >= 0.5)

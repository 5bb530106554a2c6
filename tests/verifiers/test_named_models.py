"""Models that the user names judge claims by the same path: NLI, MiniCheck's and HHEM's shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import case_of, embed

from models.pilot.others import Other
from models.pilot.reading import Pair, Reading
from pilotfish.types import Answer
from verifiers.cite import Cite
from verifiers.claims import judged
from verifiers.keys import clean
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


class Rest:
    """Stands for the pilot; counts the pairs."""

    def __init__(self) -> None:
        self.pairs: list[Pair] = []

    def __call__(self, pairs: Sequence[Pair]) -> list[Reading]:
        self.pairs += pairs
        return [Reading(0.5, 1.0, 0.0, 0.0) for _ in pairs]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_claim_is_judged_by_the_named_model_alone(
    made: Callable[[str], Path], shape: str
) -> None:
    model = Other(str(made(shape)), "support", Rest())
    case = case_of("How long?", TEXT)
    claim = clean(CLAIM, case)[1][0]
    found = judged(claim, case, embed, model)
    assert found.window is not None and found.reason == ""
    texts = [f"Lamps › Terms. {w}" for w in (*TEXT.split(". ", 1), TEXT)]
    texts[0] += "."
    own = model([(CLAIM, text) for text in texts])
    assert min(abs(found.support - one.supported) for one in own) < 1e-6
    assert (found.contradicted > 0) == (shape == "nli")


def test_support_repairs_and_citations_read_each_pair_once(made: Callable[[str], Path]) -> None:
    rest = Rest()
    model = Other(str(made("nli")), "support", rest)
    case = Support(embed, model)(replace(case_of("How long?", TEXT), answer=Answer(CLAIM)))
    assert case.answer is not None and case.answer.support is not None
    read = len(rest.pairs)
    done = Cite(embed, lambda *_: TEXT, 0.0, model)(case)
    assert done.answer is not None and len(rest.pairs) == read == len(set(rest.pairs))


def test_a_pair_of_verify_is_the_models_own_reading(made: Callable[[str], Path]) -> None:
    model = Other(str(made("nli")), "support", Rest())
    (found,) = over(embed, model)([(CLAIM, "Paint is free.")])
    (own,) = model([(CLAIM, "Paint is free.")])
    assert (found.supported, found.contradicted) == (own.supported, own.contradicted)

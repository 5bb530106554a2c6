"""Likelihoods of a local causal model, held against the loss that its own library computes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from models.causal import Causal
from pilotfish.errors import SettingsError
from tests.models.causal_folder import made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("causal"))


def test_the_likelihood_is_that_of_the_models_own_loss(folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    before, text = "pump is", "blue today"
    ids = [tokenizer.bos_token_id, *tokenizer(before)["input_ids"], *tokenizer(text)["input_ids"]]
    labels = [-100] * (len(ids) - 2) + ids[-2:]
    loss = model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss.item()
    assert Causal(str(folder)).likelihood(before, text) == pytest.approx(math.exp(-loss), rel=1e-4)


def test_nothing_is_likely_of_an_empty_text(folder: Path) -> None:
    assert Causal(str(folder)).likelihood("pump", "") == 0.0
    assert 0 < Causal(str(folder)).likelihood("", "pump") < 1


def test_what_cannot_be_loaded_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="causal language model"):
        Causal(str(tmp_path / "none")).likelihood("a", "b")

"""A local corrector is loaded from a folder and writes greedily."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from models.seq2seq import Seq2Seq


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A T5 of two layers with random weights, and a tokenizer of ten words."""
    import torch
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    words = "<pad> </s> <unk> question candidates source : pump blue months".split()
    plain = Tokenizer(WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>"))
    plain.pre_tokenizer = Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    config = T5Config(
        vocab_size=len(words), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2,
        decoder_start_token_id=0, pad_token_id=0, eos_token_id=1,
    )  # fmt: skip
    T5ForConditionalGeneration(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path


def test_the_same_draft_gives_the_same_words_and_no_more_than_allowed(folder: Path) -> None:
    model = Seq2Seq(str(folder), words=4)
    said = model("pump ?", "blue pump", ["months"])
    assert said == model("pump ?", "blue pump", ["months"])
    assert len(said.split()) <= 4

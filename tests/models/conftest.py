"""Shared by the tests of `models/`: one cache per session, and a tiny model made here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.encoder import Encoder

WORDS = "the a cat dog sat ran on mat in house big small red blue and is was of to ##s ##ing ##ed"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cold cache folder for this session."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def encoder(cache: Path) -> Encoder:
    """The default encoder, exported into the session's cache."""
    return Encoder(cache=cache, threads=2)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random 2-layer BERT: CLS pooling, no normalise, one prompt for queries."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import BertConfig, BertModel, BertTokenizerFast

    base = tmp_path_factory.mktemp("base")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split(), *"abcdefgh:"]
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=40,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(base)
    (base / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    settings = {"tokenizer_class": "BertTokenizer", "model_max_length": 24, "do_lower_case": True}
    (base / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    BertTokenizerFast.from_pretrained(base).save_pretrained(base)
    transformer = Transformer(str(base), max_seq_length=24)
    pooling = Pooling(32, pooling_mode="cls")
    folder = tmp_path_factory.mktemp("tiny-model")
    model = SentenceTransformer(
        modules=[transformer, pooling], prompts={"query": "the red "}, device="cpu"
    )
    model.save(str(folder))
    return folder

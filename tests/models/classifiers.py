"""Tiny sequence classifiers with random weights, saved as users have them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from models.weights import packaged_folder

NLI = {0: "contradiction", 1: "entailment", 2: "neutral"}
RERANKER = {0: "LABEL_0"}


def classifier(folder: Path, labels: Mapping[int, str]) -> Path:
    """`folder`, now with a one-layer BERT that gives one logit a label."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(5)
    config = BertConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        vocab_size=30522, num_labels=len(labels), id2label=dict(labels),
        label2id={name: number for number, name in labels.items()}, initializer_range=0.5,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizerFast.from_pretrained(packaged_folder()).save_pretrained(folder)
    return folder

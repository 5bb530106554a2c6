"""The pilot's network: a BERT trunk and heads for relevance, support and span. Torch only.

Inputs: token ids, mask and segment (0: question or claim, 1: passage). Outputs: relevance logit
(batch,), verdict logits (batch, 3), start and end logits (batch, length); the first token stands
for "no answer". Not here: the loss, tokenising, serving.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

VERDICTS, HIDDEN = 3, 192


class Pilot(nn.Module):
    """One forward pass, three heads."""

    def __init__(self, trunk: Any, width: int = 384) -> None:
        super().__init__()
        self.trunk = trunk
        self.relevance = _head(5 * width, 1)
        self.verdict = _head(5 * width, VERDICTS)
        self.span = nn.Linear(width, 2)

    def forward(self, ids: Any, mask: Any, segment: Any) -> tuple[Any, Any, Any]:
        """(relevance, verdict, spans): (batch,), (batch, 3), (batch, length, 2)."""
        hidden = self.trunk(
            input_ids=ids, attention_mask=mask, token_type_ids=segment
        ).last_hidden_state
        real = mask.to(hidden.dtype).unsqueeze(-1)
        second = segment.to(hidden.dtype).unsqueeze(-1) * real
        one, two = _mean(hidden, real - second), _mean(hidden, second)
        pooled = torch.cat([hidden[:, 0], one, two, (one - two).abs(), one * two], dim=1)
        spans = self.span(hidden)
        # The passage's tokens and the first one may be chosen; the rest is far below.
        first = torch.zeros_like(second)
        first[:, 0] = 1.0
        allowed = torch.clamp(second + first, max=1.0)
        spans = spans * allowed - 30.0 * (1.0 - allowed)
        return self.relevance(pooled).squeeze(-1), self.verdict(pooled), spans


def _mean(hidden: Any, weights: Any) -> Any:
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1.0)


def _head(width: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Dropout(0.1), nn.Linear(width, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, outputs)
    )


def fresh(folder: str) -> Pilot:
    """Heads at random on the encoder's own weights, without the trunk's dropout.

    One or two passes cannot overfit, and on a CPU dropout costs 1.38 times the whole step
    (its random numbers, and attention without the fused kernel).
    """
    from transformers import AutoModel

    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return Pilot(AutoModel.from_pretrained(folder, attn_implementation="sdpa", **none))

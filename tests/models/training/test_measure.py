"""Figures while training: the span that is scored is the span that the product would take."""

from __future__ import annotations

import numpy as np

from models.training.measure import best_span, margin


def test_the_best_span_is_of_the_passage_and_no_answer_is_what_it_is_measured_against() -> None:
    logits = np.full((8, 2), -30.0, np.float32)
    logits[0] = 2.0  # "no answer"
    logits[4:] = 0.0
    logits[5, 0], logits[6, 1] = 4.0, 3.0
    assert best_span(logits) == (5, 6, 7.0)
    assert margin(logits) == 3.0


def test_a_pair_without_a_passage_has_no_span_above_no_answer() -> None:
    logits = np.full((4, 2), -30.0, np.float32)
    logits[0] = 1.0
    assert best_span(logits)[:2] == (0, 0) and margin(logits) < -50

"""The router's figures: what each kind shares with the question, and one scale for all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pilotfish.types import Kind, Passage, Place
from retrievers.router import FEATURES, KINDS, Router, chance, weights

WORDS = ("price", "lunch", "manager", "ann")


def embed(texts: Sequence[str]) -> np.ndarray:
    """One dimension a word, unit length."""
    rows = np.array([[float(word in text.lower()) for word in WORDS] + [0.1] for text in texts])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def rarity(terms: Sequence[str]) -> dict[str, float]:
    return {term: 2.0 if term == "lunch" else 1.0 for term in terms}


def passage(text: str, kind: Kind = "text", score: float = 0.0) -> Passage:
    return Passage(1, text, "d", 0, len(text), Place(), kind, score)


ROUTER = Router(embed, rarity)


def test_said_is_the_share_of_the_questions_rare_words() -> None:
    figures = ROUTER.figures("lunch price", {"text": [passage("Lunch is served.")]})["text"]
    assert figures is not None
    assert figures["said"] == pytest.approx(2 / 3)


def test_a_kind_is_held_against_the_best_of_its_rivals() -> None:
    found = {"text": [passage("Lunch")], "table": [passage("lunch price", "table", 0.4)]}
    figures = ROUTER.figures("lunch price", found)
    assert figures["text"] is not None and figures["table"] is not None
    assert figures["text"]["rival said"] == pytest.approx(figures["table"]["said"]) == 1.0
    assert figures["table"]["rival near"] == pytest.approx(figures["text"]["near"])
    assert (figures["text"]["given"], figures["table"]["given"]) == (0.0, 0.4)


def test_a_kind_that_found_nothing_has_no_figures_and_no_chance() -> None:
    found = {"text": [passage("lunch")], "triple": []}
    assert ROUTER.figures("lunch", found)["triple"] is None
    assert ROUTER("lunch", found)["triple"] == 0.0
    assert 0.0 < ROUTER("lunch", found)["text"] < 1.0


def test_the_shipped_weights_know_every_kind_and_figure() -> None:
    assert set(weights()) == set(KINDS)
    assert all(set(own) == set(FEATURES) for _, own in weights().values())


@pytest.mark.parametrize("kind", KINDS)
def test_more_of_the_questions_words_make_a_kind_likelier(kind: str) -> None:
    plain = dict.fromkeys(FEATURES, 0.5)
    assert chance(kind, plain | {"said": 0.9}) > chance(kind, plain | {"said": 0.1})

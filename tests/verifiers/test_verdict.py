"""Claims against evidence: the matrix of single sentences, rules beside it, any judge."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from models.pilot.reading import Pair, Reading
from tests.verifiers.fakes import embed
from verifiers.verdict import Verdicts

CLAIM = "The lamp uses twelve watts."
FILLER = "Nothing else is known about the matter. "


def by_word(pairs: Sequence[Pair]) -> list[Reading]:
    """Supports a claim where the text holds its last word, contradicts where it holds `never`."""
    found = []
    for claim, text in pairs:
        pro = 0.9 if claim.split()[-1].strip(".") in text else 0.05
        con = 0.9 if "never" in text else 0.02
        found.append(Reading(1.0, pro, min(con, 1 - pro), max(0.0, 1 - pro - con)))
    return found


def test_probabilities_sum_to_one_with_and_without_a_model() -> None:
    pairs = [(CLAIM, "The lamp uses twelve watts of power."), (CLAIM, "Ropes are long.")]
    for model in (None, by_word):
        for found in Verdicts(embed, model)(pairs):
            total = found.supported + found.contradicted + found.unsupported
            assert total == pytest.approx(1.0)


def test_words_alone_tell_a_copy_from_a_foreign_text() -> None:
    copy, foreign = Verdicts(embed)([(CLAIM, CLAIM), (CLAIM, "Ropes are long and thin.")])
    assert copy.supported > 0.5 > foreign.supported


def test_a_number_that_the_evidence_lacks_speaks_of_contradiction() -> None:
    text = "The lamp uses 12 watts."
    same, other = Verdicts(embed)([(text, text), ("The lamp uses 15 watts.", text)])
    assert other.contradicted > same.contradicted and other.supported < same.supported


def test_no_evidence_supports_nothing() -> None:
    (found,) = Verdicts(embed, by_word)([(CLAIM, "  ")])
    assert (found.supported, found.unsupported, found.window) == (0.0, 1.0, None)


def test_one_sentence_of_long_evidence_is_enough() -> None:
    """SummaC: the best single sentence counts, however long the rest."""
    evidence = FILLER * 60 + "The lamp needs twelve watts." + FILLER * 60
    (found,) = Verdicts(embed, by_word, fitted=False)([(CLAIM, evidence)])
    assert found.supported == pytest.approx(0.9)
    assert found.window is not None and "twelve" in found.window.text


def test_a_model_of_ones_own_speaks_for_itself() -> None:
    (found,) = Verdicts(embed, by_word, fitted=False)([(CLAIM, "Lamps never burn.")])
    assert (found.supported, found.contradicted) == (0.05, 0.9)


def test_many_claims_are_judged_in_order_and_in_few_calls() -> None:
    calls = []

    def counting(pairs: Sequence[Pair]) -> list[Reading]:
        calls.append(len(pairs))
        return by_word(pairs)

    pairs = [(f"Item {n} is a lamp.", f"Item {n} is a lamp.") for n in range(100)]
    found = Verdicts(embed, counting, fitted=False)(pairs)
    assert [one.window.text for one in found if one.window] == [text for _, text in pairs]
    assert len(calls) == 2

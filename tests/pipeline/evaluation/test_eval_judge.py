"""Today's judge: the verifier's verdict on plain texts."""

from __future__ import annotations

from collections.abc import Sequence

from models.pilot.reading import Pair, Reading
from pipeline.evaluation.citations import ENTAILED, Statement, alce
from pipeline.evaluation.judge import judge_name, window_judge
from pipeline.evaluation.records import Cited
from tests.verifiers.fakes import embed
from verifiers.evidence import Vectors

QUOTE = "Goods may be returned within 30 days of delivery."


def test_a_sentence_as_it_stands_is_carried_also_below_its_heading() -> None:
    judge = window_judge(embed)
    assert judge(QUOTE, QUOTE) >= ENTAILED
    cited = (Cited("d", QUOTE, "Terms › Returns"), Cited("d", "Opened software stays with you."))
    assert alce(Statement(QUOTE, cited), judge) == (True, (True, False))


def test_another_number_a_negation_or_another_matter_is_not_carried() -> None:
    judge = window_judge(embed)
    for claim in ("Goods may be returned within 60 days of delivery.",
                  "Goods may not be returned within 30 days of delivery.",
                  "The harbour office opens at seven in the morning."):  # fmt: skip
        assert judge(claim, QUOTE) < ENTAILED, claim


def test_a_cross_encoder_judges_where_there_is_one() -> None:
    def model(pairs: Sequence[Pair]) -> list[Reading]:
        return [Reading(0.0, float("back" in claim and "returned" in text), 0.0, 1.0)
                for claim, text in pairs]  # fmt: skip

    judge = window_judge(embed, model)
    assert judge("Bring it back for up to a month.", QUOTE) == 1.0
    assert judge(QUOTE, "Bring it back.") == 0.0 and judge(QUOTE, " ") == 0.0
    assert judge_name("rules") != judge_name("pilot") and "pilot" in judge_name("pilot")


def test_a_pair_is_judged_once() -> None:
    asked: list[int] = []

    def counting(texts: Sequence[str]) -> Vectors:
        asked.append(len(texts))
        return embed(texts)

    judge = window_judge(counting)
    first = judge("Goods come back within 30 days.", QUOTE)
    before = len(asked)
    assert judge("Goods come back within 30 days.", QUOTE) == first and len(asked) == before > 0

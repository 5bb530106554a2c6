"""A card's writer never takes the one call that is the answer's."""

from __future__ import annotations

import pytest

from pilotfish.step import run
from pilotfish.types import Case, Limits, Question
from pipeline.cards import Writer


@pytest.mark.parametrize("limits", [Limits(max_calls=1), Limits(max_calls=3, effort=0)])
def test_no_card_is_written_where_no_call_is_to_spare(limits: Limits) -> None:
    def model(case: Case) -> Case:
        raise AssertionError("asked")

    done = run(Writer(model), Case(Question("which seal?", limits=limits)))
    assert done.trace[-1].detail["why"] == "no call is to spare"
    assert done.trace[-1].error is None

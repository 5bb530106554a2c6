"""Sources: what is asked where, what the router leaves out, and in what order the rest stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from pilotfish.errors import InputError
from pilotfish.step import Step, run
from pilotfish.types import Case, Kind, Passage, Question, Scope
from retrievers.sources import Sources


def passage(number: int, kind: Kind = "text") -> Passage:
    return Passage(number, f"text {number}", "d", 0, 6, kind=kind)


def finding(*found: Passage) -> Step:
    return lambda case: replace(case, passages=found)


def always(**chances: float) -> object:
    def route(question: str, found: Mapping[str, Sequence[Passage]]) -> dict[str, float]:
        return {kind: chances.get(kind, 0.0) for kind in found}

    return route


def ids(case: Case) -> list[int]:
    return [one.id for one in case.passages]


TEXT, TABLE, EDGE = passage(1), passage(2, "table"), passage(-3, "triple")


def asked(route: object = None, scope: Scope = Scope()) -> Case:
    step = Sources(finding(TEXT), {"table": finding(TABLE), "triple": finding(EDGE)}, route)  # type: ignore[arg-type]
    return run(step, Case(Question("who?", scope=scope)))


def test_without_a_router_text_comes_first_and_nothing_is_left_out() -> None:
    assert ids(asked()) == [1, 2, -3]


def test_kinds_stand_in_the_order_of_their_chances() -> None:
    assert ids(asked(always(text=0.2, table=0.9, triple=0.5))) == [2, -3, 1]


def test_a_kind_that_is_unlikely_is_left_out_and_the_trace_says_so() -> None:
    case = asked(always(text=0.9, table=0.01, triple=0.3))
    assert ids(case) == [1, -3]
    assert case.trace[-1].detail["left out"] == ["table"]
    assert case.trace[-1].detail["chances"] == {"text": 0.9, "triple": 0.3, "table": 0.01}


def test_the_likeliest_kind_stays_however_unlikely() -> None:
    assert ids(asked(always(text=0.001, table=0.002, triple=0.0))) == [2]


def test_what_the_caller_names_is_obeyed_and_not_routed() -> None:
    case = asked(always(text=1.0), Scope(kind="table"))
    assert ids(case) == [2]
    assert "chances" not in case.trace[-1].detail


def test_a_source_that_finds_nothing_leaves_the_others_unrouted() -> None:
    step = Sources(finding(TEXT), {"table": finding()}, always(text=0.0))  # type: ignore[arg-type]
    case = run(step, Case(Question("who?")))
    assert ids(case) == [1]
    assert "chances" not in case.trace[-1].detail


def test_an_unknown_kind_is_an_error_that_names_those_there_are() -> None:
    step = Sources(finding(TEXT), {"table": finding(TABLE)})
    with pytest.raises(InputError, match="there are text, table"):
        run(step, Case(Question("who?", scope=Scope(topic="Ann"))))

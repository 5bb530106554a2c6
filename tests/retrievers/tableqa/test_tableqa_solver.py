"""Questions and claims end to end with the shipped weights, and refitting them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from table_examples import COLUMNS, ROWS, medals

from retrievers.tableqa.candidates import CAP, candidates
from retrievers.tableqa.denotation import denotation
from retrievers.tableqa.execute import execute
from retrievers.tableqa.fitting import Example, fit_claims, fit_questions
from retrievers.tableqa.linking import Question
from retrievers.tableqa.programs import Program
from retrievers.tableqa.solver import Solver
from retrievers.tableqa.statements import statements
from retrievers.tableqa.trust import Trust
from retrievers.tableqa.weights import Weights


@pytest.fixture(scope="module")
def solver() -> Solver:
    return Solver.load()


@pytest.mark.parametrize(
    ("question", "values"),
    [
        ("which nation won the most gold medals?", ("Norway",)),
        ("how many nations have berlin as their host city?", ("2",)),
        ("which city hosted norway?", ("Oslo",)),
        ("what nation is listed next after russia?", ("Japan",)),
        ("who won more silver, norway or germany?", ("Germany",)),
        ("how many nations won more than 5 gold medals?", ("2",)),
        ("how many silver medals did germany win?", ("7",)),
    ],
)
def test_plain_questions_are_answered(
    solver: Solver, question: str, values: tuple[str, ...]
) -> None:
    assert solver.answer(question, COLUMNS, ROWS)[0].values == values


def test_answers_differ_and_the_best_comes_first(solver: Solver) -> None:
    told = solver.answer("which nation won the most gold medals?", COLUMNS, ROWS)
    assert len({denotation(each.values) for each in told}) == len(told)
    assert all(0 <= each.confidence <= 1 for each in told)
    assert sorted(told, key=lambda each: -each.confidence) == told
    assert sum(each.confidence for each in told) < 1.01
    assert isinstance(told[0].program, Program)
    assert told[0].sql.startswith("SELECT")


def test_the_same_question_gives_the_same_answer(solver: Solver) -> None:
    one = solver.answer("who won more silver, norway or germany?", COLUMNS, ROWS)
    assert one == Solver.load().answer("who won more silver, norway or germany?", COLUMNS, ROWS)


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        ("norway win 10 gold medal", True),
        ("norway win 7 gold medal", False),
        ("germany have more silver than norway", True),
        ("Germany has more silver medals than Norway.", True),
        ("Austria's host city is Oslo.", False),
    ],
)
def test_plain_claims_are_judged(solver: Solver, claim: str, holds: bool) -> None:
    judged = solver.judge(claim, COLUMNS, ROWS, "winter medals")
    assert (judged.supported > 0.5) == holds
    assert 0 <= judged.supported <= 1
    assert judged.program is not None


@pytest.mark.parametrize("rows", [[], [[]], [["1"]], [["x" * 9999, "\x00"], ["", "½", "a"]]])
@pytest.mark.parametrize("text", ["", "?", "how many 3 5 7?", "x" * 5000, "½ ² ①", "row " * 300])
def test_odd_questions_over_odd_tables_do_not_raise(
    solver: Solver, text: str, rows: list[list[str]]
) -> None:
    solver.answer(text, ["A", ""], rows)
    assert 0 <= solver.judge(text, ["A", ""], rows).supported <= 1


def test_candidates_are_capped_and_keep_their_order() -> None:
    wide = [[str(i * j % 7) for j in range(12)] for i in range(60)]
    frame = medals().of([f"Column {i}" for i in range(12)], wide)
    question = Question.of("how many of column 3 or column 5 have 2 or 4 more than 6?", frame)
    found = candidates(question, frame)
    assert 0 < len(found) <= CAP
    assert found == candidates(question, frame)


def test_a_candidate_holds_what_its_program_gives() -> None:
    frame = medals()
    found = candidates(Question.of("who won more gold, norway or japan, after 3?", frame), frame)
    assert found
    assert all(execute(each.program, frame) == each.result for each in found)


def test_a_misspelt_name_is_linked() -> None:
    links = Question.of("how many medals did germny win?", medals()).links
    assert any(link.how == "near" and link.where.value == "germany" for link in links)


def test_every_statement_has_its_denial() -> None:
    frame = medals()
    found = statements(Question.of("norway win 10 gold", frame), frame)
    plain = [one for one in found if not one.denied]
    denials = [one for one in found if one.denied]
    assert [not one.true for one in plain] == [one.true for one in denials]


def test_numbers_dates_and_quotes_are_compared_by_what_they_say() -> None:
    assert denotation(['"1,200"']) == denotation(["1200.0"])
    assert denotation(["June 5, 2004"]) == denotation(["5 June 2004"])
    assert denotation(["Oslo (Norway)"]) == denotation(["oslo"])
    assert denotation(["a", "b"]) == denotation(["b", "a", "a"])
    assert denotation(["a"]) != denotation(["a", "b"])


def test_fitting_learns_from_answers_alone_and_can_go_on_from_weights(tmp_path: Path) -> None:
    asked = [
        Example(f"tell the town of {nation.lower()}", COLUMNS, ROWS, (city,))
        for _, nation, _, _, city in ROWS
    ] * 8
    fitted = fit_questions(asked)
    onwards = fit_questions(asked, start=fitted, passes=1)
    assert not np.array_equal(fitted.weights, onwards.weights)
    assert np.array_equal(fitted.weights, fit_questions(asked).weights)
    Weights(fitted).save(tmp_path / "w.npz")
    told = Solver.load(tmp_path / "w.npz").answer("tell the town of japan", COLUMNS, ROWS)
    assert told[0].values == ("Tokyo",)


def test_a_solver_goes_on_from_shipped_weights_and_keeps_what_it_was_not_told(
    solver: Solver,
) -> None:
    asked = [Example("tell me the town of japan", COLUMNS, ROWS, ("Tokyo",))] * 3
    further = Solver.fit(asked, start=solver.weights)
    assert further.weights.claims is solver.weights.claims
    assert further.answer(asked[0].text, COLUMNS, ROWS)[0].values == ("Tokyo",)
    assert further.answer("which nation won the most gold medals?", COLUMNS, ROWS)[0].values == (
        "Norway",
    )


def test_claims_are_fitted_from_labels_alone() -> None:
    said = [
        Example(f"{nation.lower()} win {gold} gold", COLUMNS, ROWS, supported=gold == row[2])
        for row in ROWS
        for nation, gold in ((row[1], "10"), (row[1], "8"), (row[1], "2"))
    ]
    assert fit_claims(said, passes=2).weights.any()


def test_nothing_to_fit_is_an_error_that_says_so() -> None:
    with pytest.raises(ValueError, match="no labelled example"):
        fit_questions([Example("who?", COLUMNS, ROWS, ("Atlantis",))])


def test_broken_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError):
        Weights.load(path)
    np.savez(path, questions=np.zeros(3, np.int8))
    with pytest.raises(ValueError, match="int8"):
        Weights.load(path)


def test_a_trust_says_how_often_such_rows_were_right() -> None:
    dice = np.random.default_rng(0)
    rows = dice.normal(size=(4000, 2))
    right = dice.random(4000) < 1 / (1 + np.exp(-2 * rows[:, 0]))
    trust = Trust.fitted(rows.tolist(), right.tolist())
    high = [i for i in range(4000) if trust(rows[i]) > 0.8]
    assert right[high].mean() == pytest.approx(np.mean([trust(rows[i]) for i in high]), abs=0.03)
    assert Trust.read(trust.flat)(rows[0]) == trust(rows[0])

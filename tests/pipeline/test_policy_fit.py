"""Learning a policy on toys where the right one is known, and using it on new prompts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pilotfish.errors import InputError, NotFound, SettingsError
from pipeline.automix import lexical
from pipeline.choosing import choose
from pipeline.hardness import at_random, fit_hardness, gain, majority, neighbours
from pipeline.outcomes import Outcomes, outcomes
from pipeline.policy import Encoded, Policy, configured, load, text_of
from pipeline.policy_fit import fit_policy
from pipeline.recorded import Row, Tried

ENCODED = Encoded("toy", "f1")
TOPICS = ("cats", "dogs", "tax", "law")


def embed(texts: Sequence[str]) -> np.ndarray:
    """One dimension a topic, and one for all the rest."""
    raw = np.array([[float(topic in text) for topic in TOPICS] + [0.5] for text in texts])
    raw = raw.reshape(len(texts), len(TOPICS) + 1)
    return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)


def rows(count: int = 240, learnable: bool = True) -> list[Row]:
    """Small is right on cats and dogs alone, large nearly always; or by chance, both."""
    random = np.random.default_rng(3)
    made = []
    for n in range(count):
        topic = TOPICS[n % 4]
        easy = n % 4 < 2
        small = random.random() < ((0.95 if easy else 0.1) if learnable else 0.5)
        large = random.random() < (0.95 if learnable else 0.7)
        made.append(Row(n, f"r{n}", f"Question {n} about {topic}?", {
            "small": Tried("small", "A: so it is.", float(small), 1.0),
            "large": Tried("large", "A: so it is.", float(large), 10.0),
        }))  # fmt: skip
    return made


@pytest.fixture(scope="module")
def recorded() -> Outcomes:
    return outcomes(rows(), "toy")


@pytest.fixture(scope="module")
def policy(recorded: Outcomes) -> Policy:
    return fit_policy(recorded, 5.8, embed, ENCODED, lexical)


def test_the_learned_policy_finds_who_is_right_on_what(policy: Policy) -> None:
    assert policy.rule.kind not in {"always", "mix"}
    asked = [Row(n, str(n), f"Question {990 + n} about {topic}?") for n, topic in enumerate(TOPICS)]
    assert [one.choice for one in choose(policy, asked, embed, lexical)] == [
        "small", "small", "large", "large"]  # fmt: skip


def test_what_it_expects_holds_on_new_rows_and_beats_the_mixture(policy: Policy) -> None:
    fresh = [replace(row, prompt=row.prompt + " Again?") for row in rows(400)[240:]]
    picked = choose(policy, fresh, embed, lexical)
    right = np.mean([row.tried[one.choice].correct for row, one in zip(fresh, picked, strict=True)])
    paid = np.mean([sum(row.tried[s].cost or 0 for s in one.called)
                    for row, one in zip(fresh, picked, strict=True)])  # fmt: skip
    expected = policy.report["expected"]
    assert isinstance(expected, dict)
    assert right == pytest.approx(expected["accuracy"], abs=0.06) and right > 0.85
    assert paid <= 5.8 * 1.1


def test_where_nothing_can_be_learned_a_baseline_ships_and_says_so() -> None:
    found = fit_policy(outcomes(rows(learnable=False), "toy"), 5.0, embed, ENCODED, lexical)
    assert found.rule.kind in {"always", "mix"}
    assert "no learned rule beats it" in str(found.report["why"])


def test_with_money_enough_for_all_the_strongest_is_not_made_worse(recorded: Outcomes) -> None:
    found = fit_policy(recorded, 100.0, embed, ENCODED, lexical)
    expected = found.report["expected"]
    assert isinstance(expected, dict) and expected["accuracy"] >= recorded.accuracy[1] - 0.01


def test_a_policy_of_one_system_always_takes_it() -> None:
    only = [replace(row, tried={"small": row.tried["small"]}) for row in rows(80)]
    found = fit_policy(outcomes(only, "toy"), 2.0, embed, ENCODED, lexical)
    assert [one.choice for one in choose(found, only[:3], embed, lexical)] == ["small"] * 3


@pytest.mark.parametrize(("budget", "said"), [
    (0.5, "too small: the cheapest system, small, costs 1 "), (0.0, "is no mean cost"),
    (-1.0, "is no mean cost"), (float("nan"), "is no mean cost"),
])  # fmt: skip
def test_a_budget_that_nothing_fits_is_refused(
    recorded: Outcomes, budget: float, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        fit_policy(recorded, budget, embed, ENCODED, lexical)


def test_gaps_in_texts_outcomes_and_systems_are_borne(recorded: Outcomes) -> None:
    holes = rows()
    for n in range(0, 240, 5):
        tried = dict(holes[n].tried)
        tried["small"] = Tried("small", None, None, None)
        if n % 2:
            del tried["large"]
        holes[n] = replace(holes[n], tried=tried)
    found = fit_policy(outcomes(holes, "toy"), 5.8, embed, ENCODED, lexical)
    for one, row in zip(choose(found, holes, embed, lexical), holes, strict=True):
        assert one.choice in row.tried and set(one.called) <= set(row.tried)


def test_a_choice_says_what_it_stands_on(policy: Policy) -> None:
    with_text, without = rows(2)[1], Row(0, "x", "Question 77 about tax?")
    for one in choose(policy, [with_text, without], embed, lexical):
        assert 0 <= one.score <= 1 and policy.rule.kind in one.because and "P(right)" in one.because


def test_harder_prompts_have_the_higher_score(policy: Policy) -> None:
    asked = [Row(n, str(n), f"Question {990 + n} about {topic}?") for n, topic in enumerate(TOPICS)]
    scores = [one.score for one in choose(policy, asked, embed, lexical)]
    assert max(scores[:2]) < min(scores[2:])


def test_systems_nobody_knows_leave_the_choice_among_ours(policy: Policy) -> None:
    row = Row(0, "x", "Question 78 about cats?", {"other": Tried("other", "text")})
    assert choose(policy, [row], embed, lexical)[0].choice == "small"


def test_a_policy_survives_its_file_and_can_be_read_by_people(
    policy: Policy, tmp_path: Path
) -> None:
    file = tmp_path / "p.json"
    file.write_text(text_of(policy))
    again, asked = load(file), rows(40)
    assert [one.choice for one in choose(again, asked, embed, lexical)] == [
        one.choice for one in choose(policy, asked, embed, lexical)]  # fmt: skip
    fields = json.loads(file.read_text())
    assert list(fields)[1:4] == ["made", "rows", "folds"] and len(file.read_bytes()) < 100_000
    assert [one["system"] for one in fields["systems"]] == ["small", "large"]
    assert {"always", "mix", "router"} <= {one["rule"] for one in fields["compared"]}


@pytest.mark.parametrize("change", [
    {"pilotfish_policy": 2}, {"systems": []}, {"rule": {"kind": "magic"}}, {"encoder": None},
    {"right_by_the_prompt": {}}, {"hardness_quantiles": ["x"]}, {"systems": 5},
])  # fmt: skip
def test_a_file_that_is_no_policy_is_refused_in_one_line(
    policy: Policy, tmp_path: Path, change: dict[str, object]
) -> None:
    file = tmp_path / "p.json"
    file.write_text(json.dumps(json.loads(text_of(policy)) | change))
    with pytest.raises(InputError, match=r"is no policy .*: make it again") as caught:
        load(file)
    assert "\n" not in str(caught.value)


def test_another_encoder_or_a_missing_file_is_a_matter_of_settings(
    policy: Policy, tmp_path: Path
) -> None:
    file = tmp_path / "p.json"
    file.write_text(text_of(policy))

    class Other:
        name, fingerprint = "other", "f2"

    class Same:
        name, fingerprint = "toy", "f1"

    with pytest.raises(SettingsError, match="tuned with encoder toy"):
        configured(file, Other())
    with pytest.raises(SettingsError, match="no policy"):
        configured(tmp_path / "none.json", Same())
    with pytest.raises(NotFound):
        load(tmp_path / "none.json")
    assert configured(None, Same()) is None and configured(file, Same()) is not None


def test_neighbours_of_a_prompt_say_what_they_know_and_majority_knows_no_prompt() -> None:
    known = np.eye(2)[[0] * 50 + [1] * 50]
    right = np.array([[1.0, 1.0]] * 50 + [[0.0, 1.0]] * 50)
    found = neighbours(known, right, np.eye(2), count=20)
    assert found[0, 0] > 0.85 and found[1, 0] < 0.15 and found[1, 1] == 1.0
    assert majority(right, 2).tolist() == [[0.5, 1.0], [0.5, 1.0]]
    assert len(set(at_random(9))) == 9


def test_hardness_is_what_the_strongest_is_expected_to_add(recorded: Outcomes) -> None:
    vectors = embed(recorded.prompts).astype(float)
    judges = fit_hardness(recorded.systems, recorded.prompts, vectors, recorded.right)
    asked = ["Question 79 about cats?", "Question 80 about tax?"]
    wins = judges.wins(asked, embed(asked).astype(float))
    assert np.allclose(gain(wins), (wins[:, 1] - wins[:, 0] + 1) / 2)
    assert gain(wins)[0] < 0.6 < gain(wins)[1]
    assert "wording" in judges.because(asked[1], embed(asked)[1].astype(float),
                                       "small", "large")  # fmt: skip

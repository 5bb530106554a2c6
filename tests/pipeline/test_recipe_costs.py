"""What recipes say of themselves: each is described, its calls are counted, what it lacks named."""

from __future__ import annotations

import pytest

from pilotfish.settings import Settings
from pipeline.recipe_costs import told
from pipeline.recipes import RECIPES
from tests.conftest import Pilotfish

HOSTED = Settings.model_validate({"llm": {"tiers": ["a/small", "a/large"]}, "classifier": "desk"})


def test_every_recipe_says_what_it_does() -> None:
    found = told(Settings())
    assert [one.name for one in found] == list(RECIPES)
    assert all(len(one.does) > 20 and one.does.endswith(".") for one in found)


def test_without_an_llm_no_recipe_costs_a_call_and_two_say_what_they_lack() -> None:
    found = told(Settings())
    assert {one.calls for one in found} == {0}
    assert {one.name for one in found if one.needs} == {"plain", "classify"}


def test_calls_follow_the_settings() -> None:
    calls = {one.name: one.calls for one in told(HOSTED)}
    assert (calls["default"], calls["frugal"], calls["plain"], calls["classify"]) == (2, 1, 1, 2)
    assert not any(one.needs for one in told(HOSTED))


@pytest.mark.slow
def test_the_command_prints_them(shared: Pilotfish) -> None:
    shown = shared("recipes").out
    assert all(name in shown for name in RECIPES)
    assert {row["name"] for row in shared("recipes", "--json").lines} == set(RECIPES)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tables", "code", "frugal", "thorough", "multihop"])
def test_a_recipe_answers_or_abstains_without_an_llm(shared: Pilotfish, name: str) -> None:
    found = shared("ask", "--recipe", name, "--json", "Who issues parking permits?").one
    assert found["status"] in {"answered", "abstained"} and found["receipt"]["llm_calls"] == 0


def test_a_card_that_a_model_writes_counts_in_the_recipes_of_one_tier_too() -> None:
    settings = HOSTED.model_copy(update={"cards": ("model:a/writer",)})
    calls = {one.name: one.calls for one in told(settings)}
    assert {name: calls[name] for name in ("plain", "frugal", "default", "classify")} == {
        "plain": 2, "frugal": 2, "default": 3, "classify": 2,
    }  # fmt: skip

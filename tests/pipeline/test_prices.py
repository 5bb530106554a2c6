"""The price table: ours, then LiteLLM's, else unknown."""

from __future__ import annotations

from pipeline.prices import find


def test_a_bare_name_and_a_full_name_have_the_same_price() -> None:
    assert find("gpt-4o-mini") == find("openai/gpt-4o-mini") is not None


def test_litellms_map_is_asked_second_and_only_for_the_same_provider() -> None:
    row = {"litellm_provider": "acme", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
    price = find("acme/one", {"one": row})
    assert price is not None and price.source == "litellm"
    assert price.cost(1_000_000, 1_000_000, 1_000_000) == 3.0
    assert find("other/one", {"one": row}) is None


def test_a_price_of_nothing_at_all_is_unknown() -> None:
    row = {"litellm_provider": "acme", "input_cost_per_token": 0, "output_cost_per_token": 0}
    assert find("acme/free", {"acme/free": row}) is None


def test_more_cached_tokens_than_tokens_are_not_a_refund() -> None:
    price = find("openai/gpt-4o-mini")
    assert price is not None
    assert price.cost(10, 0, 50) == price.cost(10, 0, 10) > 0
    assert price.cost(10, 0, -5) == price.cost(10, 0, 0)

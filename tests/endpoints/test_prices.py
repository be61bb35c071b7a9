"""What an answer costs: by the settings, or by the provider's public price list."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from asyncgen.endpoints.prices import FREE, PriceList, Rates, fixed_prices, public_prices
from asyncgen.records import Usage
from asyncgen.settings import Price

OPENAI = "https://api.openai.com/v1"
MILLION = 1_000_000


def test_input_and_output_tokens_have_their_price() -> None:
    prices = public_prices(OPENAI, "gpt-4o-mini")

    assert prices.cost("gpt-4o-mini", Usage(MILLION, 0)) == pytest.approx(0.15)
    assert prices.cost("gpt-4o-mini", Usage(0, MILLION)) == pytest.approx(0.60)


def test_cached_tokens_are_cheaper() -> None:
    usage = Usage(MILLION, 0, cached_tokens=MILLION)

    assert public_prices(OPENAI, "gpt-4o-mini").cost("gpt-4o-mini", usage) == pytest.approx(0.075)


MODELS = [
    (OPENAI, "gpt-4o-mini"),
    (OPENAI, "gpt-4.1"),
    (OPENAI, "o3-mini"),
    ("https://api.anthropic.com", "claude-sonnet-4-5"),
    ("https://api.anthropic.com/v1", "claude-haiku-4-5"),
    ("https://api.groq.com/openai/v1", "llama-3.1-8b-instant"),
    ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-pro"),
    ("https://api.deepseek.com", "deepseek-chat"),
]


@pytest.mark.parametrize(("url", "model"), MODELS)
@pytest.mark.parametrize(
    "usage",
    [
        Usage(),
        Usage(1200, 340),
        Usage(1200, 340, cached_tokens=1024),
        Usage(5000, 340, cached_tokens=1024, cache_write_tokens=3000, reasoning_tokens=300),
        Usage(200_000, 1000),
        Usage(200_001, 1000, cached_tokens=150_000),
    ],
)
def test_prices_are_those_of_the_package(url: str, model: str, usage: Usage) -> None:
    """With its tiers, which rise with the length of the input."""
    theirs = calc_price(
        PricedUsage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            output_reasoning_tokens=usage.reasoning_tokens,
        ),
        model_ref=model,
        provider_api_url=url,
        genai_request_timestamp=datetime.now(UTC),
    )

    cost = public_prices(url, model).cost(model, usage)

    assert cost == pytest.approx(float(theirs.total_price))


@pytest.mark.parametrize(("url", "model"), MODELS)
@pytest.mark.parametrize("size", [1, 1000, 200_000, 200_001, MILLION])
def test_nothing_that_an_attempt_uses_costs_more_than_its_worst(
    url: str, model: str, size: int
) -> None:
    prices = public_prices(url, model)
    worst = prices.worst(size, 100)

    assert worst is not None
    for usage in (
        Usage(size, 100),
        Usage(size, 100, cached_tokens=size),
        Usage(size, 100, cache_write_tokens=size, reasoning_tokens=100),
        Usage(1, 1),
    ):
        cost = prices.cost(model, usage)
        assert cost is not None
        assert cost <= worst


@pytest.mark.parametrize("url", [OPENAI, "http://127.0.0.1:8000/v1", "https://llm.example/v1"])
def test_an_unknown_model_or_provider_has_no_price(url: str) -> None:
    prices = public_prices(url, "no-such-model-1")

    assert prices.cost("no-such-model-1", Usage(10, 10)) is None
    assert prices.worst(10, 10) is None


@pytest.mark.parametrize("name", ["", "my-own-name-for-it"])
def test_an_answer_by_another_name_costs_what_the_model_that_was_asked_does(name: str) -> None:
    """What was paid must not be free for the budget because of a name."""
    cost = public_prices(OPENAI, "gpt-4o-mini").cost(name, Usage(MILLION, 0))

    assert cost == pytest.approx(0.15)


def test_a_usage_that_does_not_add_up_costs_all_that_it_names() -> None:
    cost = public_prices(OPENAI, "gpt-4o-mini").cost(
        "gpt-4o-mini", Usage(10, 0, cached_tokens=MILLION)
    )

    assert cost == pytest.approx(0.075)


def test_a_price_of_the_settings_holds_for_every_model() -> None:
    prices = fixed_prices(Price(input=1.0, output=4.0, cached=0.1, cache_write=1.25))
    usage = Usage(4 * MILLION, MILLION, cached_tokens=MILLION, cache_write_tokens=2 * MILLION)

    assert prices.cost("any name", usage) == pytest.approx(1.0 + 0.1 + 2 * 1.25 + 4.0)
    assert prices.worst(MILLION, MILLION) == pytest.approx(1.25 + 4.0)


def test_a_price_without_cache_prices_takes_cached_input_as_other_input() -> None:
    prices = fixed_prices(Price(input=1.0, output=4.0))
    usage = Usage(3 * MILLION, 0, cached_tokens=MILLION, cache_write_tokens=MILLION)

    assert prices.cost("m", usage) == pytest.approx(3.0)


def test_what_is_free_costs_nothing() -> None:
    assert FREE.cost("m", Usage(MILLION, MILLION)) == 0
    assert FREE.worst(MILLION, MILLION) == 0


def test_prices_that_change_with_the_hour_are_looked_up_again() -> None:
    now = 1000.0
    looked_up: list[str] = []

    def schedule_of(model: str) -> tuple[tuple[int, Rates], ...]:
        looked_up.append(model)
        per_token = float(len(looked_up))
        rates = Rates(input=per_token, output=0, cached=0, cache_write=0, reasoning=0)
        return ((-1, rates),)

    prices = PriceList("m", schedule_of, clock=lambda: now)

    assert [prices.cost("m", Usage(1, 0)) for _ in range(3)] == [1, 1, 1]
    now += 61
    assert [prices.cost("m", Usage(1, 0)) for _ in range(3)] == [2, 2, 2]
    assert looked_up == ["m", "m"]


def test_names_without_end_fill_no_memory() -> None:
    prices = PriceList("m", lambda _model: None)
    for number in range(1000):
        assert prices.cost(f"model-{number}", Usage(1, 1)) is None

    assert len(prices._known) < 100
    assert math.isfinite(prices._known_until)

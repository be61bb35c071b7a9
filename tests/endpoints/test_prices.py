"""What an answer costs, by the provider's public price list."""

from __future__ import annotations

import pytest

from asyncgen.endpoints.prices import price_list
from asyncgen.records import Usage

OPENAI = "https://api.openai.com/v1"


def test_input_and_output_tokens_have_their_price() -> None:
    price = price_list(OPENAI)

    assert price("gpt-4o-mini", Usage(1_000_000, 0)) == pytest.approx(0.15)
    assert price("gpt-4o-mini", Usage(0, 1_000_000)) == pytest.approx(0.60)


def test_cached_tokens_are_cheaper() -> None:
    price = price_list(OPENAI)

    assert price("gpt-4o-mini", Usage(1_000_000, 0, cached_tokens=1_000_000)) == pytest.approx(
        0.075
    )


@pytest.mark.parametrize("url", [OPENAI, "http://127.0.0.1:8000/v1", "https://llm.example/v1"])
def test_an_unknown_model_or_provider_has_no_price(url: str) -> None:
    assert price_list(url)("no-such-model-1", Usage(10, 10)) is None


def test_a_usage_that_does_not_add_up_has_no_price() -> None:
    assert price_list(OPENAI)("gpt-4o-mini", Usage(10, 10, cached_tokens=11)) is None

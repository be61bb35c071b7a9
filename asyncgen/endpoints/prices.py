"""What an answer costs, by the genai-prices package."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from asyncgen.records import Usage

__all__ = ["Pricer", "price_list"]

Pricer: TypeAlias = Callable[[str, Usage], float | None]
"""US dollars for the usage of a model, ``None`` where no price is known."""


def price_list(base_url: str) -> Pricer:
    """Return the prices of the provider behind a base URL."""
    # Half a second of import that only hosted endpoints need.
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    def price(model: str, usage: Usage) -> float | None:
        try:
            calculation = calc_price(
                PricedUsage(
                    input_tokens=usage.input_tokens,
                    output_tokens=usage.output_tokens,
                    cache_read_tokens=usage.cached_tokens,
                ),
                model_ref=model,
                provider_api_url=base_url,
            )
        except (LookupError, ValueError):
            # No such model, or a usage that does not add up: more cached than sent, say.
            return None
        return float(calculation.total_price)

    return price

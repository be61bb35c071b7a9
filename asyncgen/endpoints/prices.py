"""What an answer costs: by the settings, or by the genai-prices package.

The package takes 25 to 130 µs for one answer, more than all else that is done
with it; so its prices are looked up once a minute and model (some hold at
certain hours only), and multiplied here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncgen.records import Usage
    from asyncgen.settings import Price

__all__ = ["FREE", "PriceList", "Rates", "Schedule", "fixed_prices", "public_prices"]

_LOOKED_UP_FOR = 60.0
"""Seconds that a price is kept."""

_MOST_MODELS = 64
"""Names that are remembered: a service may answer by any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """US dollars a token.

    Attributes:
        cached: For input that was read from a prefix cache.
        cache_write: For input that was written to one.
        reasoning: For output that is not part of the text.
        request: For the request itself.
    """

    input: float
    output: float
    cached: float
    cache_write: float
    reasoning: float
    request: float = 0.0

    def cost(self, usage: Usage) -> float:
        """Return the US dollars of a usage; where it does not add up, all that it names."""
        cached, written = usage.cached_tokens, usage.cache_write_tokens
        reasoned = usage.reasoning_tokens
        return (
            max(0, usage.input_tokens - cached - written) * self.input
            + cached * self.cached
            + written * self.cache_write
            + max(0, usage.output_tokens - reasoned) * self.output
            + reasoned * self.reasoning
            + self.request
        )

    def worst(self, input_tokens: int, output_tokens: int) -> float:
        """Return the US dollars of so many tokens, whatever kind of token they are."""
        return (
            input_tokens * max(self.input, self.cached, self.cache_write)
            + output_tokens * max(self.output, self.reasoning)
            + self.request
        )


Schedule: TypeAlias = tuple[tuple[int, Rates], ...]
"""Rates by the input tokens above which they hold for all tokens, the highest first."""


class PriceList:
    """The prices of one service.

    Args:
        model: The model that is asked; its price holds where the name in an answer has none.
        schedule_of: Looks up a model's prices; ``None`` for a model that has none.
        clock: Returns unix time in seconds.
    """

    def __init__(
        self,
        model: str,
        schedule_of: Callable[[str], Schedule | None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._model = model
        self._schedule_of = schedule_of
        self._clock = clock
        self._known: dict[str, Schedule | None] = {}
        self._known_until = 0.0

    def cost(self, model: str, usage: Usage) -> float | None:
        """Return the US dollars of an answer, ``None`` where no price is known."""
        schedule = self._schedule(model) or self._schedule(self._model)
        if schedule is None:
            return None
        for start, rates in schedule:
            if usage.input_tokens > start:
                return rates.cost(usage)
        return None

    def worst(self, input_tokens: int, output_tokens: int) -> float | None:
        """Return the US dollars that an attempt may cost at most, ``None`` without a price."""
        schedule = self._schedule(self._model)
        if schedule is None:
            return None
        # Not all schedules rise.
        reached = [rates for start, rates in schedule if input_tokens > start]
        return max((rates.worst(input_tokens, output_tokens) for rates in reached), default=None)

    def _schedule(self, model: str) -> Schedule | None:
        now = self._clock()
        if now >= self._known_until or len(self._known) > _MOST_MODELS:
            self._known.clear()
            self._known_until = now + _LOOKED_UP_FOR
        if model not in self._known:
            self._known[model] = self._schedule_of(model) if model else None
        return self._known[model]


def fixed_prices(price: Price) -> PriceList:
    """Return the prices that the settings name, the same for every model."""
    cached = price.input if price.cached is None else price.cached
    written = price.input if price.cache_write is None else price.cache_write
    rates = Rates(
        input=price.input / 1e6,
        output=price.output / 1e6,
        cached=cached / 1e6,
        cache_write=written / 1e6,
        reasoning=price.output / 1e6,
    )
    return PriceList("any", lambda _model: ((-1, rates),))


FREE = PriceList(
    "any",
    lambda _model: (
        (-1, Rates(input=0.0, output=0.0, cached=0.0, cache_write=0.0, reasoning=0.0)),
    ),
)
"""What costs nothing."""


def public_prices(base_url: str, model: str) -> PriceList:
    """Return the public prices of the provider behind a base URL."""

    def schedule_of(name: str) -> Schedule | None:
        # Half a second of import that waits for the first answer, or for a budget.
        from genai_prices.data_snapshot import get_snapshot

        try:
            _, found = get_snapshot().find_provider_model(name, None, None, base_url)
        except LookupError:
            return None
        return _schedule_of(found.get_prices(datetime.now(UTC)))

    return PriceList(model, schedule_of)


_PRICED = (
    "input_mtok",
    "output_mtok",
    "cache_read_mtok",
    "cache_write_mtok",
    "output_reasoning_mtok",
)


def _schedule_of(prices: Any) -> Schedule | None:
    """Return the package's prices of a model as ours, ``None`` if they are not by the token."""
    if prices.input_mtok is None and prices.output_mtok is None:
        return None
    values = [getattr(prices, name) for name in _PRICED]
    tiers = {tier.start for value in values for tier in getattr(value, "tiers", ())}
    return tuple((start, _rates_above(prices, start)) for start in sorted({-1, *tiers})[::-1])


def _rates_above(prices: Any, start: int) -> Rates:
    def at(value: Any, otherwise: float = 0.0) -> float:
        """Return the price of a token when there are more than ``start`` of input."""
        if value is None:
            return otherwise
        for tier in reversed(getattr(value, "tiers", ())):
            if start >= tier.start:
                return float(tier.price) / 1e6
        return float(getattr(value, "base", value)) / 1e6

    shown, made = at(prices.input_mtok), at(prices.output_mtok)
    return Rates(
        input=shown,
        output=made,
        cached=at(prices.cache_read_mtok, shown),
        cache_write=at(prices.cache_write_mtok, shown),
        reasoning=at(prices.output_reasoning_mtok, made),
        request=float(prices.requests_kcount or 0) / 1e3,
    )

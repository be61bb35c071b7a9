"""What work costs, with the fixed part of prompts read from a provider's cache and without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.planning.loads import STAGE_OF
from asyncgen.records import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncgen.endpoints.prices import PriceList
    from asyncgen.planning.loads import Kind, Load
    from asyncgen.planning.work import Work
    from asyncgen.records import Stage

__all__ = ["CACHED_FROM", "Cost", "Tariff", "cacheable", "cost_of"]

CACHED_FROM = 1024
"""Tokens; shorter beginnings are not cached (OpenAI, Anthropic; some of its models need more)."""


class Cost(Struct, frozen=True):
    """US dollars; ``None`` where an endpoint has no known price."""

    with_caching: float | None
    without_caching: float | None


@dataclass(frozen=True, slots=True)
class Tariff:
    """What one endpoint costs.

    Attributes:
        share: Of the requests that it gets, relative to others that serve the same.
        prices: ``None`` where they are not known.
        stages: Those that it serves; empty for all.
    """

    share: float
    model: str
    prices: PriceList | None
    stages: tuple[Stage, ...] = ()

    def serves(self, stage: Stage) -> bool:
        """Whether it gets requests of a stage."""
        return not self.stages or stage in self.stages


def cacheable(load: Load) -> int:
    """Return the tokens of a prompt that a provider can keep; 0 if they are too few."""
    return int(load.fixed_tokens) if load.fixed_tokens >= CACHED_FROM else 0


def cost_of(work: Work, loads: Mapping[Kind, Load], tariffs: Sequence[Tariff]) -> Cost:
    """Return what work costs; every endpoint writes each beginning to its cache once."""
    bills = [
        _bill(count * share, loads[kind], tariff)
        for kind, count in work.items()
        for tariff, share in _serving(tariffs, STAGE_OF[kind])
    ]
    known = [bill for bill in bills if bill is not None]
    if len(known) < len(bills):
        return Cost(None, None)
    return Cost(sum(bill[0] for bill in known), sum(bill[1] for bill in known))


def _serving(tariffs: Sequence[Tariff], stage: Stage) -> list[tuple[Tariff, float]]:
    """Return the endpoints that serve a stage, with their shares of it."""
    serving = [tariff for tariff in tariffs if tariff.serves(stage)]
    whole = sum(tariff.share for tariff in serving)
    return [(tariff, tariff.share / whole) for tariff in serving]


def _bill(count: float, load: Load, tariff: Tariff) -> tuple[float, float] | None:
    """Return the dollars of requests of one kind at one endpoint, cached and not."""
    cached = cacheable(load)
    plain = _price(load, tariff, Usage())
    first = _price(load, tariff, Usage(cache_write_tokens=cached))
    later = _price(load, tariff, Usage(cached_tokens=cached))
    if plain is None or first is None or later is None:
        return None
    written = min(count, 1.0)
    return written * first + (count - written) * later, count * plain


def _price(load: Load, tariff: Tariff, cache: Usage) -> float | None:
    if tariff.prices is None:
        return None
    # Prices are by the whole token; a price list may have steps, so that sums would not do.
    used = Usage(round(load.input_tokens), round(load.output_tokens))
    return tariff.prices.cost(tariff.model, used + cache)

"""The measurement over real sockets, against the simulated provider."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from simulated.harness import options

from asyncgen.bench.endpoint import Climb, EndpointReport
from asyncgen.bench.endpoint_report import limits, recommended
from asyncgen.bench.levels import doublings
from asyncgen.bench.load import Bounds, Load
from asyncgen.bench.questions import questions
from asyncgen.endpoints.http import HttpEndpoint
from asyncgen.endpoints.http_options import HttpOptions
from asyncgen.endpoints.prices import fixed_prices
from asyncgen.endpoints.simulated import (
    Allowance,
    Latency,
    SimulatedOptions,
    Verdict,
    simulated_here,
)
from asyncgen.settings import Price, Settings

if TYPE_CHECKING:
    from asyncgen.records import Api


def measured(
    simulated: SimulatedOptions,
    levels: tuple[int, ...],
    *,
    api: Api = "chat",
    price: Price | None = None,
    **bounds: Any,
) -> tuple[EndpointReport, Verdict]:
    """Measure; return what was found, and what the provider thinks of it."""

    async def main() -> tuple[EndpointReport, Verdict]:
        async with simulated_here(simulated) as provider:
            told = HttpOptions(base_url=provider.base_url, model="simulated", api=api)
            prices = None if price is None else fixed_prices(price)
            async with HttpEndpoint(told, prices=prices) as endpoint:
                asking = questions(Settings(api=api), 1500, run=3)
                climb = Climb(endpoint, levels, Load(endpoint, asking, Bounds(**bounds)))
                await climb.run(lambda _level: None)
            return climb.report(), provider.verdict()

    return asyncio.run(main())


def test_the_knee_is_found_within_one_level() -> None:
    latency = Latency(first=0.05, knee=8)

    report, verdict = measured(options(latency=latency), doublings(128), seconds=0.5)

    assert report.knee in {4, 8, 16}
    assert report.stopped == "saturated"
    assert report.levels[-1].in_flight < 128
    assert report.first_refusal is None
    assert verdict.answered == report.requests
    assert (verdict.contents, verdict.duplicates) == (report.requests, 0)
    first, last = report.levels[0], report.levels[-1]
    assert first.p50 is not None
    assert last.p50 is not None
    assert first.p50 >= 0.05
    # At four times the knee, three of four wait for their turn.
    assert last.p50 > 2 * first.p50
    assert first.output_tokens_per_s > first.requests_per_s


@pytest.mark.parametrize("api", ["chat", "completions", "anthropic"])
def test_the_first_refusal_is_found_and_the_limits_that_the_headers_tell(api: Api) -> None:
    allowance = Allowance(rpm=1200, tpm=9_000_000, itpm=8_000_000, otpm=1_000_000)

    report, verdict = measured(
        options(allowance=allowance, latency=Latency(first=0.05)), doublings(64), api=api, seconds=1
    )

    assert report.stopped == "rate_limited"
    first = report.first_refusal
    assert first is not None
    assert first.in_flight == report.levels[-1].in_flight > 1
    assert first.retry_after is not None
    assert "429" in first.said
    told = limits(report.hints)
    assert told["rpm"]["limit"] == 1200
    if api == "anthropic":
        assert told["input_tpm"]["limit"] == 8_000_000
        assert told["output_tpm"]["limit"] == 1_000_000
        assert recommended(report)["rpm"] == 1200
    assert report.knee is not None
    assert report.knee < first.in_flight
    # Nothing is asked once a refusal is known.
    refused = sum(level.rate_limited for level in report.levels)
    assert verdict.requests == report.requests
    assert 1 <= refused <= first.in_flight


def test_faults_are_counted_and_do_not_end_it() -> None:
    faults: Any = {"500": 0.05, "503": 0.05, "not-json": 0.05, "empty": 0.05, "reset": 0.05}

    report, verdict = measured(
        options(faults=faults, latency=Latency(first=0.005)), (4, 8), seconds=5
    )

    assert report.stopped == "levels"
    errors = {kind for level in report.levels for kind in level.errors}
    assert errors == {"bad_answer", "overloaded", "transient"}
    for level in report.levels:
        assert level.requests == level.answered + sum(level.errors.values())
    assert verdict.requests == report.requests
    failed = sum(level.requests - level.answered for level in report.levels)
    # The one before the levels is in none of them.
    assert sum(verdict.faults.values()) - failed in {0, 1}


def test_no_more_is_spent_than_was_agreed() -> None:
    price = Price(input=1.0, output=2.0)

    report, verdict = measured(options(), doublings(64), price=price, max_cost=0.05, seconds=5)

    assert report.stopped == "max_cost"
    assert report.cost is not None
    assert 0.02 < report.cost <= 0.05
    assert verdict.requests == report.requests

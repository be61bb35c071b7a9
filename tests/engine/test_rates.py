"""The highest rate that an endpoint allows is found, held and not exceeded.

The model of a provider enforces its limits continuously and lets a second of
them through at once; requests take up to 50 ms to reach it, each its own time.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from engine.provider import Provider
from engine.trial import Trial, accepted

from asyncgen.engine import Limits
from asyncgen.errors import RateLimitedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncgen.engine import Engine
    from asyncgen.records import Request

MINUTE = 60.0


def slowly(rng: random.Random) -> float:
    """Half a second to several, as answers of some length take."""
    return rng.lognormvariate(0, 0.5)


def quickly(_rng: random.Random) -> float:
    return 0.2


def of_any_length(request: Request) -> tuple[int, int]:
    rng = random.Random(int(request.key))
    return rng.randint(20, 40), rng.randint(10, 200)


@pytest.mark.parametrize("headers", [False, True])
@pytest.mark.parametrize("rpm", [600, 6000, 60_000])
def test_a_given_limit_is_used_to_99_percent_without_a_refusal(rpm: float, headers: bool) -> None:  # noqa: FBT001
    seconds = MINUTE if rpm < 60_000 else 10
    provider = Provider(rpm=rpm, headers=headers)
    result = Trial([provider], limits=Limits(rpm=rpm), seconds=seconds).run()

    assert provider.refused == []
    # What was let in at the very end is answered after it.
    assert len(result.answers) >= 0.99 * rpm / 60 * (seconds - 0.25)
    assert accepted(provider, 0, seconds) >= 0.99 * rpm / 60 * seconds


def test_requests_that_arrive_in_bunches_are_not_refused() -> None:
    provider = Provider(rpm=6000, network=0.5)
    Trial([provider], limits=Limits(rpm=6000)).run()

    assert provider.refused == []
    assert accepted(provider, 0, MINUTE) >= 0.985 * 6000


def test_answers_that_take_long_do_not_keep_a_given_limit_from_being_used() -> None:
    provider = Provider(rpm=6000, latency=lambda rng: 2 * slowly(rng))
    Trial([provider], limits=Limits(rpm=6000)).run()

    assert provider.refused == []
    assert accepted(provider, 0, MINUTE) >= 0.99 * 6000


def test_a_limit_that_only_headers_tell_is_used_to_97_percent() -> None:
    provider = Provider(rpm=6000, headers=True)
    result = Trial([provider]).run()

    assert [moment for moment in provider.refused if moment > 1] == []
    assert len(result.answers) >= 0.97 * 6000
    assert result.snapshot.lanes[0].limits[0].per_minute == 6000
    assert result.snapshot.lanes[0].limits[0].learned


@pytest.mark.parametrize("retry_after", [False, True])
def test_a_limit_that_nothing_tells_is_found(retry_after: bool) -> None:  # noqa: FBT001
    """At least 90 % of it used, at most 1 % refused."""
    provider = Provider(rpm=6000, retry_after=retry_after)
    result = Trial([provider]).run()

    assert len(result.answers) >= 0.9 * 6000
    assert len(provider.refused) <= 0.01 * len(provider.accepted)
    pace = result.snapshot.lanes[0].pace
    assert pace is not None
    assert 0.9 * 6000 <= pace <= 1.25 * 6000


@pytest.mark.parametrize("headers", [False, True])
@pytest.mark.parametrize("latency", [quickly, slowly])
def test_a_token_limit_is_used_to_97_percent_without_a_refusal(
    headers: bool,  # noqa: FBT001
    latency: Callable[[random.Random], float],
) -> None:
    """Reservations are guesses, answers of any length: the guesses must not leave any unused."""
    provider = Provider(tpm=600_000, headers=headers, tokens=of_any_length, latency=latency)
    limits = Limits() if headers else Limits(tpm=600_000)
    Trial([provider], limits=limits).run()

    assert [moment for moment in provider.refused if moment > 1] == []
    assert provider.buckets["tokens"].taken >= 0.97 * 600_000


def test_a_provider_that_charges_what_is_asked_for_is_used_to_the_full() -> None:
    """It counts the longest possible answer, twice as much as comes; only its headers tell."""
    provider = Provider(
        tpm=600_000, headers=True, tokens=of_any_length, charge=lambda _request: 30 + 256
    )
    Trial([provider], limits=Limits(tpm=600_000)).run()

    assert provider.buckets["tokens"].taken >= 0.97 * 600_000
    assert len(provider.refused) <= 0.01 * len(provider.accepted)


@pytest.mark.parametrize(
    ("headers", "limits"),
    [
        pytest.param(True, Limits(), id="headers"),
        pytest.param(True, Limits(rpm=6000), id="headers and setting"),
        pytest.param(False, Limits(rpm=6000), id="setting"),
        pytest.param(False, Limits(), id="nothing"),
    ],
)
def test_a_limit_that_is_halved_is_held_within_five_seconds(
    headers: bool,  # noqa: FBT001
    limits: Limits,
) -> None:
    provider = Provider(rpm=6000, headers=headers)

    async def halve(_engine: Engine) -> None:
        await asyncio.sleep(20)
        provider.buckets["requests"].change(3000, 20)

    Trial([provider], limits=limits, meanwhile=halve).run()

    assert 0.95 * 50 * 35 <= accepted(provider, 25, 60) <= 1.01 * 50 * 35
    refused = sum(moment >= 20 for moment in provider.refused)
    assert refused == 0 if headers else refused <= 0.01 * accepted(provider, 20, 60)


@pytest.mark.parametrize(
    ("headers", "limits"),
    [
        pytest.param(True, Limits(), id="headers"),
        pytest.param(True, Limits(rpm=6000), id="headers and setting"),
        pytest.param(False, Limits(rpm=6000), id="setting"),
        pytest.param(False, Limits(), id="nothing"),
    ],
)
def test_what_another_client_leaves_is_used_and_no_more(
    headers: bool,  # noqa: FBT001
    limits: Limits,
) -> None:
    """Another takes half of the quota from second 20 to 40."""
    provider = Provider(rpm=6000, headers=headers)

    async def other(_engine: Engine) -> None:
        await asyncio.sleep(20)
        now = asyncio.get_running_loop().time
        while now() < 40:
            provider.buckets["requests"].take(1, now())
            await asyncio.sleep(1 / 50)

    Trial([provider], limits=limits, meanwhile=other).run()

    assert accepted(provider, 25, 40) >= 0.9 * 50 * 15
    refused = sum(moment >= 20 for moment in provider.refused)
    assert refused == 0 if headers else refused <= 0.01 * accepted(provider, 20, 60)
    if headers:
        assert accepted(provider, 45, 60) >= 0.97 * 100 * 15


def test_a_setting_below_what_the_endpoint_allows_stays() -> None:
    provider = Provider(rpm=6000, headers=True)
    Trial([provider], limits=Limits(rpm=600), seconds=30).run()

    assert accepted(provider, 0, 30) <= 301


def test_refusals_that_come_whatever_the_rate_do_not_bring_it_down() -> None:
    """One in a hundred is refused at random; nothing limits the rate but the window."""
    rng = random.Random(5)

    def now_and_then(_moment: float, _request: Request) -> RateLimitedError | None:
        return RateLimitedError("slow down") if rng.random() < 0.01 else None

    provider = Provider(fault=now_and_then)
    Trial([provider], seconds=120, max_in_flight=64).run()

    assert accepted(provider, 60, 120) >= 0.7 * 60 * 64 / 0.225

"""Whatever endpoints do, each request is answered once; nothing is lost but time."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from engine.harness import Bench
from engine.provider import Provider
from engine.trial import Trial, accepted

from asyncgen.engine import Limits, RetryPolicy
from asyncgen.errors import (
    AsyncgenError,
    BadAnswerError,
    EndpointRefusedError,
    OverloadedError,
    QuotaError,
    RateLimitedError,
    RunPausedError,
    TimedOutError,
    TransientError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncgen.engine import Engine
    from asyncgen.records import Request

    Failure = Callable[[], AsyncgenError]

FAULTS: list[Failure] = [
    lambda: OverloadedError("503"),
    lambda: OverloadedError("529", retry_after=1.0),
    lambda: TransientError("500"),
    lambda: TransientError("reset", possibly_billed=True),
    lambda: TimedOutError("no connection", phase="connect"),
    lambda: TimedOutError("hangs", phase="stalled"),
    lambda: BadAnswerError("cut off"),
    lambda: UnreachableError("refused"),
    lambda: RateLimitedError("429", retry_after=0.5),
    lambda: RateLimitedError("429"),
]


def after(
    begin: float, failure: Failure, end: float = 1e9
) -> Callable[[float, Request], AsyncgenError | None]:
    """Return a fault that lasts from a moment to another."""

    def fault(moment: float, _request: Request) -> AsyncgenError | None:
        return failure() if begin <= moment < end else None

    return fault


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(lambda: OverloadedError("503"), id="overloaded"),
        pytest.param(lambda: UnreachableError("connection refused"), id="unreachable"),
        pytest.param(lambda: TimedOutError("hangs", phase="first_byte"), id="hangs"),
        pytest.param(lambda: TransientError("500", retry_after=2), id="asks to wait"),
    ],
)
def test_an_outage_of_20_seconds_costs_20_seconds(failure: Failure) -> None:
    """Nothing but probes is sent, no request loses its attempts; within 5 s all is as before."""
    provider = Provider(rpm=6000, fault=after(20, failure, 40))
    result = Trial([provider], limits=Limits(rpm=6000), seconds=None, total=6000).run()

    assert result.error is None
    assert len(result.answers) == 6000
    assert set(provider.answered.values()) == {1}
    assert sum(21 <= moment < 40 for moment in provider.arrived) <= 40
    assert accepted(provider, 45, 55) >= 0.97 * 1000
    assert provider.refused == []


def test_an_outage_that_does_not_end_pauses_the_run_and_says_so() -> None:
    provider = Provider(fault=after(5, lambda: OverloadedError("HTTP 503: overloaded")))
    result = Trial([provider], seconds=None, retry=RetryPolicy(longest_wait=120)).run()

    assert isinstance(result.error, RunPausedError)
    assert str(result.error).startswith("no answer for 2 min: HTTP 503: overloaded")
    assert 125 < result.seconds < 160


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        pytest.param(lambda: EndpointRefusedError("401: wrong key"), "parked", id="refuses"),
        pytest.param(lambda: QuotaError("no credit"), "parked", id="no credit"),
        pytest.param(lambda: QuotaError("a day's", resets_in=7200), "parked", id="day's quota"),
        pytest.param(
            lambda: RateLimitedError("slow", retry_after=3600), "parked", id="asks for an hour"
        ),
        pytest.param(lambda: OverloadedError("503"), "broken", id="fails"),
        pytest.param(lambda: UnreachableError("refused"), "broken", id="unreachable"),
    ],
)
def test_when_one_of_three_dies_the_others_do_its_work(failure: Failure, state: str) -> None:
    providers = [Provider(rpm=2000, name=name) for name in "abc"]
    providers[1].fault = after(10, failure)
    result = Trial(providers, limits=Limits(rpm=2000), seconds=None, total=3000).run()

    assert result.error is None
    assert len(result.answers) == 3000
    assert sum(sum(one.answered.values()) for one in providers) == 3000
    assert result.snapshot.lanes[1].state == state
    assert accepted(providers[0], 15, 35) >= 0.97 * 20 * 2000 / 60
    assert len(result.said) == (state == "parked")


def test_a_key_that_is_wrong_from_the_beginning_is_no_lane_to_go_without() -> None:
    providers = [Provider(name="a"), Provider(name="b", refusal=0.0)]
    providers[1].fault = after(0, lambda: EndpointRefusedError("401: wrong key"))
    result = Trial(providers, seconds=None, total=100).run()

    assert isinstance(result.error, EndpointRefusedError)
    assert result.seconds < 1


def test_without_credit_anywhere_the_run_pauses_with_every_reason_and_time() -> None:
    providers = [Provider(name="a"), Provider(name="b")]
    providers[0].fault = after(1, lambda: QuotaError("a: no credit"))
    providers[1].fault = after(2, lambda: QuotaError("b: 1,000 a day", resets_in=7200))
    result = Trial(providers, seconds=None).run()

    assert isinstance(result.error, RunPausedError)
    assert str(result.error) == "a: no credit; b: 1,000 a day (again in 2 h 0 min)"


def test_a_quota_that_is_whole_again_soon_is_waited_for() -> None:
    provider = Provider(fault=after(5, lambda: QuotaError("per day", resets_in=60), 65))
    result = Trial([provider], seconds=None, total=5000).run()

    assert result.error is None
    assert len(result.answers) == 5000
    assert sum(6 <= moment < 65 for moment in provider.arrived) == 0


def test_a_days_quota_used_up_by_count_pauses_the_run() -> None:
    provider = Provider()
    result = Trial([provider], limits=Limits(rpd=100), seconds=None).run()

    assert isinstance(result.error, RunPausedError)
    assert "100 requests a day" in str(result.error)
    assert len(result.answers) == 100


@pytest.mark.parametrize("limits", [Limits(rpm=60_000), Limits()])
def test_faults_of_every_kind_cost_attempts_and_no_answers(limits: Limits) -> None:
    """One in ten fails, 20,000 requests; no retry comes before its Retry-After (see Trial)."""
    rng = random.Random(3)

    def fault(moment: float, _request: Request) -> AsyncgenError | None:
        return rng.choice(FAULTS)() if moment > 1 and rng.random() < 0.1 else None

    provider = Provider(fault=fault)
    result = Trial([provider], limits=limits, seconds=None, total=20_000).run()

    assert result.error is None
    assert len(result.answers) == 20_000
    assert set(provider.answered.values()) == {1}
    assert len(provider.arrived) <= 1.25 * 20_000


def test_a_request_that_fails_alone_uses_up_its_attempts() -> None:
    def script(request: Request, _attempt: int) -> str | Exception:
        return TransientError("500: always this one") if request.key == "3" else "fine"

    bench = Bench([script], total=1000, retry=RetryPolicy(max_attempts=3))
    outcome = bench.run()

    assert isinstance(outcome.error, RunPausedError)
    assert [number for _, _, number in bench.sent].count(3) == 3


def test_retries_stay_a_share_of_the_traffic_while_an_endpoint_half_fails() -> None:
    """Half of the attempts fail at random: without a budget there would be twice the attempts."""
    rng = random.Random(2)

    def fault(moment: float, _request: Request) -> AsyncgenError | None:
        return TransientError("500") if moment > 1 and rng.random() < 0.5 else None

    provider = Provider(fault=fault)
    retry = RetryPolicy(max_attempts=1000, breaker=1000, share=0.2, burst=50)
    result = Trial([provider], seconds=30, max_in_flight=64, retry=retry).run()

    new = len(provider.arrived) - result.snapshot.retried + result.snapshot.backing_off
    assert len(provider.arrived) - new <= 0.2 * new + 50 + 31


def test_growth_that_is_too_steep_goes_back_and_rises_slowly() -> None:
    provider = Provider()
    refused: list[float] = []

    def too_steep(_moment: float, _request: Request) -> AsyncgenError | None:
        now = asyncio.get_running_loop().time()
        if now > 10 and not refused:
            refused.append(now)
            return RateLimitedError("slow_down", too_steep=True)
        return None

    provider.fault = too_steep
    Trial([provider], seconds=30, max_in_flight=100).run()

    before = accepted(provider, 5, 10) / 5
    assert accepted(provider, 11, 14) / 3 <= 0.6 * before
    assert accepted(provider, 26, 30) / 4 >= 1.05 * accepted(provider, 11, 14) / 3


def test_an_overload_pauses_growth_but_does_not_shrink_the_window() -> None:
    windows: list[int] = []

    async def watch(engine: Engine) -> None:
        while True:
            await asyncio.sleep(0.1)
            windows.append(engine.snapshot().lanes[0].window)

    rng = random.Random(1)
    provider = Provider(
        fault=lambda _moment, _request: OverloadedError("503") if rng.random() < 0.02 else None
    )
    Trial([provider], seconds=20, meanwhile=watch).run()

    assert windows == sorted(windows)

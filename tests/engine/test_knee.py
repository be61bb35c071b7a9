"""A server that never refuses is kept at its knee: all of its throughput, no needless queue."""

from __future__ import annotations

import asyncio
import random
from math import exp
from statistics import fmean
from typing import TYPE_CHECKING

import pytest
from engine.provider import Provider
from engine.trial import Trial

from asyncgen.engine import Limits

if TYPE_CHECKING:
    from asyncgen.engine import Engine


@pytest.mark.parametrize("noise", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("slots", [32, 50, 100])
def test_the_knee_is_found(slots: int, noise: float) -> None:
    """So many requests are worked on at a time, the others wait their turn.

    Throughput is within a tenth of the best over the minute, the latency then
    within half of what it is at the knee.
    """

    def latency(rng: random.Random) -> float:
        return 0.5 * rng.lognormvariate(0, noise) if noise else 0.5

    provider = Provider(slots=slots, latency=latency, network=0.01)
    result = Trial([provider]).run()

    mean = 0.5 * exp(noise**2 / 2)
    later = [moment for moment, _ in result.answers if moment > 20]
    assert len(later) >= 0.9 * 40 * slots / mean
    assert len(result.answers) >= 0.9 * 60 * slots / mean
    assert fmean(provider.durations[-len(later) :]) <= 1.5 * mean


@pytest.mark.parametrize("slots", [4, 8])
def test_a_small_server_is_not_drowned(slots: int) -> None:
    """Its knee is below where the slow start begins: the window is narrowed to it."""
    provider = Provider(slots=slots, latency=lambda _rng: 0.5, network=0.01)
    result = Trial([provider], seconds=120).run()

    later = [moment for moment, _ in result.answers if moment > 90]
    assert len(later) >= 0.9 * 30 * slots / 0.5
    assert fmean(provider.durations[-len(later) :]) <= 1.5 * 0.5


@pytest.mark.parametrize("noise", [0.0, 0.4])
def test_where_latency_does_not_grow_the_window_opens_to_its_ceiling(noise: float) -> None:
    def latency(rng: random.Random) -> float:
        return 0.2 * rng.lognormvariate(0, noise) if noise else 0.2

    provider = Provider(latency=latency, network=0.0)
    result = Trial([provider], seconds=8, max_in_flight=2000).run()

    assert provider.most_in_flight == 2000
    assert result.snapshot.lanes[0].window == 2000
    assert sum(1.5 <= moment < 4 for moment, _ in result.answers) >= 2.5 * 3000


@pytest.mark.parametrize("seed", [6, 11])
def test_latency_that_swings_for_reasons_of_its_own_does_not_close_the_window(seed: int) -> None:
    """A busy machine, another's load: seconds of slowness that no narrower window would cure."""
    swings = random.Random(seed)
    factor, until = 1.0, 0.0

    def latency(rng: random.Random) -> float:
        nonlocal factor, until
        now = asyncio.get_running_loop().time()
        while now >= until:
            factor, until = swings.lognormvariate(0, 0.8), until + swings.expovariate(0.5)
        return 0.5 * factor * rng.lognormvariate(0, 0.3)

    windows: list[int] = []

    async def look(engine: Engine) -> None:
        while True:
            await asyncio.sleep(1)
            windows.append(engine.snapshot().lanes[0].window)

    provider = Provider(latency=latency, network=0.0)
    Trial([provider], seconds=90, max_in_flight=64, meanwhile=look).run()

    assert min(windows[10:]) >= 16
    assert fmean(windows[10:]) >= 48


def test_a_window_opened_by_a_limit_bears_with_slow_first_answers() -> None:
    """What is sent at once connects at once: that says nothing of the server's usual latency."""
    delays = iter([0.6] * 512)
    provider = Provider(latency=lambda _rng: next(delays, 0.2), network=0.0)
    result = Trial([provider], limits=Limits(rpm=6e6), seconds=6).run()

    assert sum(3 <= moment < 6 for moment, _ in result.answers) >= 0.9 * 3 * 512 / 0.2
    assert result.snapshot.lanes[0].window == 512


def test_the_slow_start_takes_a_few_round_trips() -> None:
    """Doubled by each: from 16 to 2,000 in seven, measured with two to spare."""
    provider = Provider(network=0.0)
    Trial([provider], seconds=9 * 0.2, max_in_flight=2000).run()

    assert provider.most_in_flight == 2000

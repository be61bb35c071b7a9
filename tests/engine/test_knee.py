"""A server that never refuses is kept at its knee: all of its throughput, no needless queue."""

from __future__ import annotations

from math import exp
from statistics import fmean
from typing import TYPE_CHECKING

import pytest
from engine.provider import Provider
from engine.trial import Trial

if TYPE_CHECKING:
    import random


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


def test_the_slow_start_takes_a_few_round_trips() -> None:
    """Doubled by each: from 16 to 2,000 in seven, measured with two to spare."""
    provider = Provider(network=0.0)
    Trial([provider], seconds=9 * 0.2, max_in_flight=2000).run()

    assert provider.most_in_flight == 2000

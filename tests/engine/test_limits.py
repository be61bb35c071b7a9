"""Limits are arithmetic on a clock that is passed in."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncgen.engine.limits import Bucket, Cost, RateLimits
from asyncgen.errors import EndpointRefusedError


def test_an_empty_bucket_refills_continuously() -> None:
    bucket = Bucket(60, burst=10, level=0, now=100)

    assert bucket.delay(3, 100) == 3
    assert bucket.delay(3, 101.5) == 1.5
    assert bucket.delay(3, 103) == 0
    assert bucket.level(103) == 3


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = Bucket(60, burst=2, level=0, now=0)

    assert bucket.level(1000) == 2


def test_an_amount_beyond_the_burst_goes_when_the_bucket_is_full_and_leaves_a_debt() -> None:
    bucket = Bucket(60, burst=2, level=2, now=0)

    assert bucket.delay(50, 0) == 0
    bucket.take(50, 0)
    assert bucket.level(0) == -48
    assert bucket.delay(1, 0) == 49
    assert bucket.delay(1, 49) == 0


def test_what_is_given_back_may_be_taken_again_but_no_more_than_a_burst_of_it() -> None:
    bucket = Bucket(60, burst=5, level=5, now=0)
    bucket.take(4, 0)
    bucket.take(-4, 0)

    assert bucket.level(0) == 5
    bucket.take(-100, 0)
    assert bucket.level(0) == 5


@given(
    per_minute=st.floats(0.5, 1e6),
    burst=st.floats(0.1, 1e4),
    arrivals=st.lists(st.tuples(st.floats(0, 100), st.floats(0.01, 2e4)), min_size=1, max_size=40),
)
def test_no_window_lets_through_more_than_the_rate_and_one_burst(
    per_minute: float, burst: float, arrivals: list[tuple[float, float]]
) -> None:
    """An amount larger than the burst counts as the burst of the windows it stands in."""
    rate = per_minute / 60
    bucket = Bucket(per_minute, burst=burst, level=burst, now=0)
    passed: list[tuple[float, float]] = []
    now = 0.0
    for gap, amount in arrivals:
        now += gap
        while (delay := bucket.delay(amount, now)) > 0:
            now += max(delay, 1e-9)
        bucket.take(amount, now)
        passed.append((now, amount))

    for first in range(len(passed)):
        total = largest = 0.0
        for moment, amount in passed[first:]:
            total, largest = total + amount, max(largest, amount)
            allowed = rate * (moment - passed[first][0]) + max(burst, largest)
            assert total <= allowed * (1 + 1e-9) + 1e-6


@given(
    per_minute=st.floats(0.5, 1e6),
    burst=st.floats(0.1, 1e4),
    amounts=st.lists(st.floats(0.01, 2e4), min_size=1, max_size=40),
)
def test_nothing_is_held_back_longer_than_the_rate_demands(
    per_minute: float, burst: float, amounts: list[float]
) -> None:
    bucket = Bucket(per_minute, burst=burst, level=0, now=0)
    now = 0.0
    for amount in amounts:
        while (delay := bucket.delay(amount, now)) > 0:
            now += max(delay, 1e-9)
        bucket.take(amount, now)

    assert now <= sum(amounts) / (per_minute / 60) * (1 + 1e-9) + 1e-6


def test_without_limits_everything_passes() -> None:
    limits = RateLimits(rpm=None, tpm=None, now=0)
    for _ in range(1000):
        assert limits.delay(Cost(1, 10**9), 0) == 0
        limits.reserve(Cost(1, 10**9), 0)


def test_the_first_request_goes_at_once_and_the_rest_at_the_rate() -> None:
    assert _moments(RateLimits(rpm=30, tpm=None, now=0), Cost(1, 0), 4) == [0, 2, 4, 6]


@pytest.mark.parametrize(("rpm", "burst"), [(6, 1), (120, 2), (600, 10), (60_000, 10)])
def test_an_idle_minute_saves_up_one_second_of_requests_at_most_ten(rpm: float, burst: int) -> None:
    limits = RateLimits(rpm=rpm, tpm=None, now=0)
    at_once = 0
    while limits.delay(Cost(1, 0), 60) == 0:
        limits.reserve(Cost(1, 0), 60)
        at_once += 1

    assert at_once == burst


def test_tokens_are_limited_to_their_mean_rate_whatever_their_number() -> None:
    moments = _moments(RateLimits(rpm=None, tpm=6000, now=0), Cost(1, 1000), 20)

    assert [later - earlier for earlier, later in pairwise(moments)] == pytest.approx([10] * 19)


def test_the_tighter_of_both_limits_decides() -> None:
    limits = RateLimits(rpm=60, tpm=60, now=0)
    limits.reserve(Cost(1, 30), 0)

    assert limits.delay(Cost(1, 1), 0) == 31
    assert limits.delay(Cost(1, 0), 0) == 30


@pytest.mark.parametrize(
    ("used", "wait"),
    [
        pytest.param(100, 1, id="exact estimate"),
        pytest.param(40, 0.4, id="less than expected"),
        pytest.param(250, 2.5, id="more than expected"),
        pytest.param(0, 0, id="failed or cancelled"),
    ],
)
def test_settling_corrects_the_reservation(used: int, wait: float) -> None:
    limits = RateLimits(rpm=None, tpm=6000, now=0)
    limits.reserve(Cost(1, 100), 1)
    limits.settle(Cost(1, 100), used, 1)

    assert limits.delay(Cost(1, 100), 1) == pytest.approx(wait)


def test_a_request_counts_even_if_it_failed() -> None:
    limits = RateLimits(rpm=60, tpm=None, now=0)
    limits.reserve(Cost(1, 5), 0)
    limits.settle(Cost(1, 5), 0, 0)

    assert limits.delay(Cost(1, 5), 0) == 1


def test_nothing_passes_a_closed_gate_before_its_time() -> None:
    limits = RateLimits(rpm=None, tpm=None, now=0)
    limits.close_until(30)

    assert limits.delay(Cost(1, 1), 10) == 20
    assert limits.delay(Cost(1, 1), 30) == 0


def test_a_gate_is_not_opened_by_a_shorter_closing() -> None:
    limits = RateLimits(rpm=None, tpm=None, now=0)
    limits.close_until(30)
    limits.close_until(5)

    assert limits.delay(Cost(1, 1), 10) == 20


def test_a_request_larger_than_a_minute_is_refused_with_both_numbers() -> None:
    limits = RateLimits(rpm=None, tpm=500, now=0)

    assert limits.delay(Cost(1, 500), 1000) == 0
    with pytest.raises(EndpointRefusedError, match=r"501 tokens .* limit of 500 tokens") as caught:
        limits.delay(Cost(1, 501), 1000)
    assert "--tpm" in str(caught.value)


def _moments(limits: RateLimits, cost: Cost, number: int) -> list[float]:
    """Send as fast as the limits allow; return when."""
    moments: list[float] = []
    now = 0.0
    for _ in range(number):
        now += limits.delay(cost, now)
        limits.reserve(cost, now)
        moments.append(now)
    return moments

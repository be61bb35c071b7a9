"""Limits are arithmetic on a clock that is passed in."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncgen.engine.gate import Gate
from asyncgen.engine.limits import NOTHING, Amounts, Bucket, DayQuota, Limits


def level(bucket: Bucket, now: float) -> float:
    bucket.refill(now)
    return bucket.level


def take(tokens: float = 0) -> Amounts:
    """Return what a request of so many tokens takes, one in twenty of them output."""
    return 1.0, tokens, tokens * 0.95, tokens * 0.05


def test_an_empty_bucket_refills_continuously() -> None:
    bucket = Bucket(1, burst=10, level=0, now=100)

    assert bucket.delay(3, 100) == 3
    assert bucket.delay(3, 101.5) == 1.5
    assert bucket.delay(3, 103) == 0
    assert level(bucket, 103) == 3


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = Bucket(1, burst=2, level=0, now=0)

    assert level(bucket, 1000) == 2


def test_an_amount_beyond_the_burst_goes_when_the_bucket_is_full_and_leaves_a_debt() -> None:
    bucket = Bucket(1, burst=2, level=2, now=0)

    assert bucket.delay(50, 0) == 0
    bucket.take(50, 0)
    assert level(bucket, 0) == -48
    assert bucket.delay(1, 0) == 49
    assert bucket.delay(1, 49) == 0


def test_what_is_given_back_may_be_taken_again_but_no_more_than_a_burst_of_it() -> None:
    bucket = Bucket(1, burst=5, level=5, now=0)
    bucket.take(4, 0)
    bucket.take(-4, 0)

    assert level(bucket, 0) == 5
    bucket.take(-100, 0)
    assert level(bucket, 0) == 5


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
    bucket = Bucket(per_minute / 60, burst=burst, level=burst, now=0)
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
    bucket = Bucket(per_minute / 60, burst=burst, level=0, now=0)
    now = 0.0
    for amount in amounts:
        while (delay := bucket.delay(amount, now)) > 0:
            now += max(delay, 1e-9)
        bucket.take(amount, now)

    assert now <= sum(amounts) / (per_minute / 60) * (1 + 1e-9) + 1e-6


def test_without_limits_everything_passes() -> None:
    gate = Gate(Limits(), now=0)
    for _ in range(1000):
        assert gate.delay(take(1e9), 0) == 0
        gate.reserve(take(1e9), 0)


def test_the_first_request_goes_at_once_and_the_rest_at_the_rate() -> None:
    assert _moments(Gate(Limits(rpm=30), now=0), take(), 4) == [0, 2, 4, 6]


@pytest.mark.parametrize(
    ("rpm", "burst"), [(6, 1), (120, 1), (600, 2), (2400, 10), (6000, 10), (60_000, 100)]
)
def test_idling_saves_up_a_quarter_of_a_second_but_ten_or_a_tenth(rpm: float, burst: int) -> None:
    gate = Gate(Limits(rpm=rpm), now=0)
    at_once = 0
    while gate.delay(take(), 60) == 0:
        gate.reserve(take(), 60)
        at_once += 1

    assert at_once == burst


def test_tokens_are_limited_to_their_mean_rate_whatever_their_number() -> None:
    moments = _moments(Gate(Limits(tpm=6000), now=0), take(1000), 20)

    assert [later - earlier for earlier, later in pairwise(moments)] == pytest.approx([10] * 19)


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        (Limits(tpm=6000), 10),
        (Limits(input_tpm=6000), 9.5),
        (Limits(output_tpm=60), 50),
        (Limits(rpm=60, tpm=6000, output_tpm=600), 10),
        (Limits(rpm=3, tpm=6000), 20),
    ],
)
def test_the_tightest_of_all_limits_decides(limits: Limits, seconds: float) -> None:
    moments = _moments(Gate(limits, now=0), take(1000), 5)

    assert moments[-1] - moments[-2] == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("used", "wait"),
    [
        pytest.param(100, 1.0, id="exact estimate"),
        pytest.param(40, 0.4, id="less than expected"),
        pytest.param(250, 2.5, id="more than expected"),
        pytest.param(0, 0.0, id="failed or cancelled"),
    ],
)
def test_settling_corrects_the_reservation(used: float, wait: float) -> None:
    gate = Gate(Limits(tpm=6000), now=0)
    passed = gate.reserve(take(100), 1)
    gate.settle(passed, take(used), 1)

    assert gate.delay(take(100), 1) == pytest.approx(wait)


def test_a_request_counts_even_if_it_failed() -> None:
    gate = Gate(Limits(rpm=60), now=0)
    gate.settle(gate.reserve(take(), 0), NOTHING, 0)

    assert gate.delay(take(), 0) == 1


def test_nothing_passes_a_closed_gate_before_its_time() -> None:
    gate = Gate(Limits(), now=0)
    gate.close(30, 0)

    assert gate.delay(take(), 10) == 20
    assert gate.delay(take(), 30) == 0


def test_a_gate_is_not_opened_by_a_shorter_closing() -> None:
    gate = Gate(Limits(), now=0)
    gate.close(30, 0)
    gate.close(5, 0)

    assert gate.delay(take(), 10) == 20


def test_a_request_larger_than_a_minute_never_passes() -> None:
    gate = Gate(Limits(tpm=500), now=0)

    assert gate.delay(take(500), 1000) == 0
    assert gate.too_large(take(500)) is None
    assert gate.delay(take(501), 1000) == float("inf")
    assert gate.too_large(take(501)) == (gate.allowances[1], 501)


def test_an_adjustment_holds_at_once_and_infinity_lifts_a_limit() -> None:
    gate = Gate(Limits(rpm=60), now=0)
    gate.reserve(take(), 0)
    gate.adjust(Limits(rpm=600), 0)
    assert gate.delay(take(), 0) == pytest.approx(0.1)
    gate.adjust(Limits(rpm=float("inf")), 0)

    assert gate.delay(take(), 0) == 0


def test_a_days_quota_is_not_spread_over_the_day() -> None:
    day = DayQuota(2)
    for moment in (0, 10):
        assert day.delay(moment) == 0
        day.take(moment)

    assert day.delay(10) == 86_390
    assert day.delay(86_400) == 0


def test_an_endpoint_knows_best_what_is_left_of_the_day() -> None:
    day = DayQuota(None)
    day.take(0)
    day.hear(0, 3600, 0)

    assert day.delay(600) == 3000
    assert day.delay(3600) == 0


def _moments(gate: Gate, amounts: Amounts, number: int) -> list[float]:
    """Send as fast as the limits allow; return when."""
    moments: list[float] = []
    now = 0.0
    for _ in range(number):
        now += gate.delay(amounts, now)
        gate.reserve(amounts, now)
        moments.append(now)
    return moments

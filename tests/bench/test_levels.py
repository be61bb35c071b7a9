"""What follows from measured levels: plain functions on values."""

from __future__ import annotations

import heapq
import math
import random

import pytest

from asyncgen.bench.levels import (
    Level,
    Outcome,
    doublings,
    full_time,
    knee,
    most_requests,
    percentile,
    read_levels,
    reason_to_stop,
    summary,
)
from asyncgen.errors import SettingsError
from asyncgen.records import Usage

HUNDRED = [float(number) for number in range(1, 101)]


def level(in_flight: int, rate: float, *, refused: int = 0, failed: int = 0) -> Level:
    """Return a level that lasted 10 s."""
    answered = round(rate * 10)
    return Level(
        in_flight=in_flight,
        requests=answered + refused + failed,
        answered=answered,
        seconds=10.0,
        counted=answered,
        usage=Usage(),
        p50=None,
        p99=None,
        seconds_per_output_token=None,
        errors={"overloaded": failed} if failed else {},
        rate_limited=refused,
        cpu=0.0,
    )


def levels(*rates: float) -> list[Level]:
    """Return levels of 1, 2, 4, … in flight with these throughputs."""
    return [level(1 << power, rate) for power, rate in enumerate(rates)]


@pytest.mark.parametrize(
    ("ascending", "share", "expected"),
    [
        (HUNDRED, 0.5, 50.0),
        (HUNDRED, 0.99, 99.0),
        (HUNDRED[:99], 0.99, 99.0),
        ([1.0, 2.0], 0.5, 1.0),
        ([1.0, 2.0], 0.99, 2.0),
        ([7.0], 0.01, 7.0),
        ([], 0.5, None),
    ],
)
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(
    ascending: list[float], share: float, expected: float | None
) -> None:
    assert percentile(ascending, share) == expected


def test_the_knee_is_the_smallest_level_within_a_tenth_of_the_best() -> None:
    assert knee(levels(10, 20, 40, 80, 81, 85)) == 8
    assert knee(levels(10, 20, 40, 76, 81, 85)) == 16
    assert knee(levels(10, 20, 40, 80, 160)) == 16
    assert knee(levels(10, 8, 5)) == 1


def test_refused_levels_are_no_knee_and_set_no_standard() -> None:
    refused = level(16, 900.0, refused=3)

    assert knee([*levels(10, 20, 40, 80), refused]) == 8
    assert knee([refused]) is None
    assert knee([]) is None
    assert knee([level(1, 0.0, failed=30)]) is None


def test_the_load_rises_while_throughput_grows_over_two_doublings() -> None:
    assert reason_to_stop(levels(10, 20, 40, 80, 85)) is None
    assert reason_to_stop(levels(10, 20, 40, 80, 81, 83)) == "saturated"
    assert reason_to_stop(levels(10, 20, 40, 80, 81, 84.1)) is None
    assert reason_to_stop(levels(10, 10)) is None
    assert reason_to_stop(levels(10, 10, 10.4)) == "saturated"
    # One that was disturbed does not end it.
    assert reason_to_stop(levels(10, 20, 40, 80, 20)) is None


def test_doublings_are_told_by_what_is_in_flight_not_by_the_number_of_levels() -> None:
    close = [level(in_flight, 10.0) for in_flight in (8, 10, 12, 14, 31)]

    assert reason_to_stop(close) is None
    assert reason_to_stop([*close, level(32, 10.0)]) == "saturated"


def test_the_load_stops_at_refusals_and_where_half_fails() -> None:
    assert reason_to_stop([level(1, 10.0, refused=1)]) == "rate_limited"
    assert reason_to_stop([level(1, 10.0, failed=100)]) == "failing"
    assert reason_to_stop([level(1, 10.0, failed=99)]) is None
    assert reason_to_stop([level(1, 0.0, failed=9)]) is None


def test_a_level_is_told_by_its_answers() -> None:
    outcomes = [
        *(Outcome(1.0, 1.0, Usage(100, 20)), Outcome(4.0, 3.0, Usage(100, 40))),
        *(Outcome(0.5, 0.5, failure="overloaded"), Outcome(4.1, 0.1, failure="rate_limited")),
    ]
    found = summary(2, outcomes, 4.0, cpu=0.5)

    assert (found.requests, found.answered, found.seconds) == (4, 2, 4.0)
    assert (found.requests_per_s, found.output_tokens_per_s) == (0.5, 15)
    assert found.input_tokens_per_s == 50
    assert (found.p50, found.p99) == (1.0, 3.0)
    assert found.seconds_per_output_token == pytest.approx(4.0 / 60)
    assert (found.errors, found.rate_limited) == ({"overloaded": 1}, 1)


def test_rates_are_over_the_time_in_which_as_much_was_in_flight_as_should_be() -> None:
    rounds = [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]

    # From the first round on, if two more follow.
    assert full_time([*rounds, 7.0], 2, 3.0) == (1.0, 3.0)
    assert full_time(rounds[:5], 2, 3.0) == (0.0, 3.0)
    # What ends after the first slot has nothing to do is left out, but if it is all.
    assert full_time(rounds, 2, 2.5) == (0.0, 2.0)
    assert full_time([5.0, 6.0], 2, 5.0) == (0.0, 6.0)
    assert full_time([], 2, 0.0) == (0.0, 0.0)
    assert full_time([1.0] * 9, 2, 1.0) == (0.0, 1.0)


@pytest.mark.parametrize("spread", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("places", [8, 1000])
@pytest.mark.parametrize("in_flight", [1, 8, 32])
def test_the_rate_is_that_of_the_endpoint_whether_requests_wait_or_not(
    spread: float, places: int, in_flight: int
) -> None:
    """A first-come server with so many places, in which a request takes 1 s in the mean."""
    rng = random.Random(7)
    free, slots = [0.0] * places, [0.0] * in_flight
    outcomes: list[Outcome] = []
    full_until = math.inf
    while slots:
        asked = heapq.heappop(slots)
        begun = max(asked, heapq.heappop(free))
        ended = begun + rng.uniform(1 - spread, 1 + spread)
        heapq.heappush(free, ended)
        outcomes.append(Outcome(ended, ended - asked, Usage()))
        if ended < 400.0:
            heapq.heappush(slots, ended)
        else:
            full_until = min(full_until, ended)

    found = summary(in_flight, outcomes, full_until, cpu=0.0)

    assert found.requests_per_s == pytest.approx(min(in_flight, places), rel=0.05)


def test_a_level_without_an_answer_has_no_latency_and_no_throughput() -> None:
    for full_until in (0.0, 1.0, 2.0):
        empty = summary(2, [Outcome(1.0, 1.0, failure="transient")], full_until, cpu=0.0)

        assert (empty.p50, empty.p99, empty.seconds_per_output_token) == (None, None, None)
        assert empty.requests_per_s == empty.output_tokens_per_s == 0.0


def test_levels_double_up_to_the_highest_that_was_asked_for() -> None:
    assert doublings(256) == (1, 2, 4, 8, 16, 32, 64, 128, 256)
    assert doublings(48) == (1, 2, 4, 8, 16, 32, 48)
    assert doublings(2) == (1, 2)
    assert doublings(1) == (1,)


def test_a_level_has_a_bound_of_requests_whatever_its_time() -> None:
    assert [most_requests(n, 10.0) for n in (1, 5, 6, 256)] == [100, 100, 120, 5120]
    assert most_requests(256, 60.0) == 6 * 5120
    assert most_requests(1, 0.1) == 100


def test_levels_are_read_as_they_are_written() -> None:
    assert read_levels("1, 3,20") == (1, 3, 20)
    assert read_levels("7") == (7,)


@pytest.mark.parametrize(
    "text", ["", "0", "0,1", "2,1", "1,1", "1,,2", "-1", "1.5", "x", "²", "1" * 40]
)
def test_levels_that_are_no_rising_numbers_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--levels"):
        read_levels(text)

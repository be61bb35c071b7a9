"""What follows from measured levels: plain functions on values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asyncgen.bench.levels import (
    Level,
    Outcome,
    doublings,
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


def test_the_rates_of_a_full_level_are_over_the_mean_time_of_its_slots() -> None:
    outcomes = [
        *(Outcome(1.0, Usage(100, 20)), Outcome(3.0, Usage(100, 40))),
        *(Outcome(0.5, failure="overloaded"), Outcome(0.1, failure="rate_limited")),
    ]
    full = summary(2, outcomes, [3.0, 5.0], full=True, cpu=0.5)

    assert (full.requests, full.answered, full.seconds) == (4, 2, 4.0)
    assert (full.requests_per_s, full.output_tokens_per_s, full.input_tokens_per_s) == (0.5, 15, 50)
    assert (full.p50, full.p99) == (1.0, 3.0)
    assert full.seconds_per_output_token == pytest.approx(4.0 / 60)
    assert (full.errors, full.rate_limited) == ({"overloaded": 1}, 1)
    assert summary(2, outcomes, [3.0, 5.0], full=False, cpu=0.5) == replace(full, seconds=5.0)


def test_a_level_without_an_answer_has_no_latency_and_no_throughput() -> None:
    for busy in ([], [0.0, 0.0], [1.0]):
        empty = summary(2, [Outcome(1.0, failure="transient")], busy, full=True, cpu=0.0)

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

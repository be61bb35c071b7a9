"""A circuit breaker on a clock that is passed in."""

from __future__ import annotations

import math
import random

from asyncgen.engine.breaker import Breaker


def broken(now: float = 0.0) -> Breaker:
    breaker = Breaker(3, random.Random(1))
    for _ in range(3):
        breaker.failed(0.0, now, probe=False)
    return breaker


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = Breaker(3, random.Random(1))
    for succeeds in (False, False, True, False, False):
        if succeeds:
            breaker.succeeded()
        else:
            breaker.failed(0.0, 0, probe=False)
        assert not breaker.is_open
    breaker.failed(0.0, 0, probe=False)

    assert breaker.is_open
    assert 0 < breaker.delay(0) <= 0.5


def test_while_it_is_open_one_probe_at_a_time_is_sent() -> None:
    breaker = broken()

    assert breaker.delay(1) == 0
    assert breaker.sent()
    assert breaker.delay(1) == math.inf
    breaker.failed(0.0, 1.2, probe=True)
    assert 0 < breaker.delay(1.2) <= 0.5


def test_a_probe_that_succeeds_closes_it() -> None:
    breaker = broken()
    breaker.sent()
    breaker.succeeded()

    assert not breaker.is_open
    assert breaker.delay(1) == 0
    assert not breaker.sent()


def test_a_probe_that_is_dropped_gives_way_to_another() -> None:
    breaker = broken()
    breaker.sent()
    breaker.ended(probe=True)

    assert breaker.delay(1) == 0


def test_failures_of_what_was_sent_before_it_opened_do_not_put_off_the_probe() -> None:
    breaker = broken()
    before = breaker.until
    breaker.failed(0.0, 0.4, probe=False)

    assert breaker.until == before


def test_probes_are_a_tenth_of_the_outage_apart_at_most_half_a_minute() -> None:
    breaker = broken()
    for moment, most in ((20.0, 2.0), (100.0, 10.0), (10_000.0, 30.0)):
        breaker.sent()
        breaker.failed(0.0, moment, probe=True)
        assert 0.75 * most <= breaker.delay(moment) <= most


def test_what_the_endpoint_asks_for_is_a_floor() -> None:
    breaker = broken()
    breaker.sent()
    breaker.failed(7.0, 1, probe=True)

    assert breaker.delay(1) == 7

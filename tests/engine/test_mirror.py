"""What an endpoint says is left, carried on between its words."""

from __future__ import annotations

import pytest

from asyncgen.engine.gate import Gate
from asyncgen.engine.limits import Amounts, Limits
from asyncgen.engine.mirror import Mirror
from asyncgen.records import RateHint

ONE: Amounts = (1.0, 0.0, 0.0, 0.0)


def test_a_word_is_carried_on_by_what_came_in_and_what_was_sent_since() -> None:
    """Sent at 10, heard at 11: 20 came in a second, 15 of ours were sent after it."""
    mirror = Mirror(20, 0)
    mirror.hear(50, own=50, sent_at=10, since=15, now=11)

    assert mirror.read(11) == 55
    assert mirror.read(12) == 75
    mirror.take(5, 12)
    assert mirror.read(12) == 70
    assert mirror.read(1000) == 100


def test_the_word_on_a_request_sent_earlier_is_old() -> None:
    mirror = Mirror(20, 0)
    mirror.hear(50, own=50, sent_at=10, since=0, now=10)
    mirror.hear(3, own=1, sent_at=9, since=0, now=10)

    assert mirror.read(10) == 50


def test_others_are_known_by_what_is_missing() -> None:
    """20 a second come in, nothing of ours goes out, and yet there are 5 less each second."""
    mirror = Mirror(20, 0)
    for moment in range(30):
        mirror.hear(200 - 5 * moment, own=0, sent_at=moment, since=0, now=moment)

    assert mirror.others == pytest.approx(20, abs=0.5)


def test_near_the_ground_the_rate_shrinks_in_proportion() -> None:
    mirror = Mirror(100, 0)
    mirror.hear(100, own=0, sent_at=0, since=0, now=0)
    assert mirror.share(0) == 1
    mirror.take(90, 0)

    assert mirror.share(0) == pytest.approx(0.4)


def hint(limit: float) -> RateHint:
    return RateHint(meter="requests", window=60, limit=limit)


def test_a_limit_that_is_certain_is_learned_and_never_raises_a_setting() -> None:
    for setting, heard, holds in ((None, 600, 600), (300, 600, 300), (600, 300, 300)):
        gate = Gate(Limits(rpm=setting), now=0)
        gate.hear([hint(limit=heard)], gate.reserve(ONE, 0), 0)

        assert gate.allowances[0].per_minute == holds


def test_a_limit_per_second_is_one_per_minute_sixty_times() -> None:
    gate = Gate(Limits(), now=0)
    said = RateHint(meter="tokens", window=1, limit=100)
    gate.hear([said], gate.reserve(ONE, 0), 0)

    assert gate.allowances[1].per_minute == 6000


def test_what_is_uncertain_is_for_caution_only() -> None:
    gate = Gate(Limits(), now=0)
    unsure = RateHint(meter="requests", window=60, limit=1, remaining=5, reset=10, certain=False)
    gate.hear([unsure], gate.reserve(ONE, 0), 0)
    assert not gate.is_limited
    assert gate.delay(ONE, 0) == 0
    empty = RateHint(meter="requests", window=60, remaining=0, reset=10, certain=False)
    gate.hear([empty], gate.reserve(ONE, 0), 0)

    assert gate.delay(ONE, 0) == 10


def test_a_days_quota_that_is_used_up_closes_the_gate_until_it_is_whole() -> None:
    gate = Gate(Limits(), now=0)
    said = RateHint(meter="requests", window=86_400, limit=1000, remaining=0, reset=7200)
    gate.hear([said], gate.reserve(ONE, 0), 0)

    assert gate.delay(ONE, 0) == 7200

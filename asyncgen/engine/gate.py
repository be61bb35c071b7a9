"""What stands between a request and its endpoint: limits, what the endpoint says, its refusals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.engine.limits import METERS, NOTHING, Allowance, DayQuota
from asyncgen.engine.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asyncgen.engine.limits import Amounts, Limits
    from asyncgen.records import RateHint

__all__ = ["Gate", "Passed"]

_DAY = 86_400.0
_UNKNOWN = 1e9
"""Requests per second, where only tokens are limited."""

_LONGEST_GUESS = 60.0
"""Seconds. An unknown host's word may mean anything: no longer wait is believed."""


class Passed(Struct, eq=False):
    """What is noted of a request as it passes a gate, to understand what comes back.

    Attributes:
        amounts: What was reserved.
        number: Its number at this gate.
        sent_at: When it passed.
        before: What had passed by then, itself included, by each meter.
    """

    amounts: Amounts
    number: int
    sent_at: float
    before: Amounts


class Gate:
    """The limits of one endpoint with one key and model.

    Args:
        limits: What the user allows.
        now: The clock's reading, in seconds.

    Attributes:
        closed_until: Moment before which nothing passes.
        allowances: What is known of each meter, in the order of ``METERS``.
        day: Requests per day.
        is_limited: Whether any limit is known.
        counts_tokens: Whether any token limit is.
    """

    __slots__ = (
        "_active",
        "_certain_at",
        "_passed",
        "allowances",
        "closed_until",
        "counts_tokens",
        "day",
        "is_limited",
        "pace",
    )

    def __init__(self, limits: Limits, now: float) -> None:
        self.closed_until = now
        self.allowances = [
            Allowance(meter, limit, now)
            for meter, limit in zip(METERS, limits.per_minute, strict=True)
        ]
        self.pace = Pace(now)
        self.day = DayQuota(limits.rpd)
        self._passed = NOTHING
        self._certain_at = -math.inf
        self._active: list[tuple[int, Allowance]] = []
        self._sort_out()

    def delay(self, amounts: Amounts, now: float) -> float:
        """Return the seconds until a request may pass; 0 if it may now, infinite if never."""
        wait = self.closed_until - now
        for index, allowance in self._active:
            if (seconds := allowance.delay(amounts[index], now)) > wait:
                wait = seconds
        if (seconds := self.pace.delay(now)) > wait:
            wait = seconds
        if (seconds := self.day.delay(now)) > wait:
            wait = seconds
        return wait if wait > 0 else 0.0

    def too_large(self, amounts: Amounts) -> tuple[Allowance, float] | None:
        """Return the allowance that a request can never pass, and what it would take of it."""
        for index, allowance in self._active:
            if amounts[index] > allowance.per_minute:
                return allowance, amounts[index]
        return None

    def reserve(self, amounts: Amounts, now: float) -> Passed:
        """Take a request's amounts before it is sent."""
        before = self._passed
        self._passed = (
            before[0] + amounts[0],
            before[1] + amounts[1],
            before[2] + amounts[2],
            before[3] + amounts[3],
        )
        for index, allowance in self._active:
            allowance.take(amounts[index], now)
        self.day.take(now)
        return Passed(amounts, self.pace.take(now), now, self._passed)

    def settle(self, passed: Passed, used: Amounts, now: float) -> None:
        """Correct a reservation by what was used; the request itself stays counted."""
        for index, allowance in self._active:
            if index:
                allowance.settle(used[index] - passed.amounts[index], now)

    def close(self, seconds: float, now: float) -> None:
        """Let nothing through for so long."""
        until = now + seconds
        if until > self.closed_until:
            self.pace.closed(until - max(self.closed_until, now))
            self.closed_until = until

    def hear(self, hints: Iterable[RateHint], passed: Passed, now: float) -> None:
        """Take in what an endpoint said of its limits beside an answer or a refusal."""
        for hint in hints:
            if not hint.certain:
                if hint.remaining is not None and hint.remaining < 1 and hint.reset is not None:
                    self.close(min(hint.reset, _LONGEST_GUESS), now)
            elif hint.window >= _DAY:
                if hint.meter == "requests" and hint.remaining is not None:
                    self.day.hear(hint.remaining, hint.reset, now)
            else:
                self._hear_rate(hint, passed, now)

    def refused(self, passed: Passed, now: float) -> bool:
        """Take in a refusal for the rate; return whether that begins an episode.

        Where the endpoint's own word on what is left explains it, that word is
        enough: only what it does not explain is found out.
        """
        if now - self._certain_at < _LONGEST_GUESS and any(
            one.mirror is not None and one.mirror.share(now) < 1 for one in self.allowances
        ):
            return False
        requests = self.allowances[0].per_minute / 60
        known = _UNKNOWN if requests == math.inf and self.is_limited else requests
        return self.pace.refused(passed.number, passed.sent_at, known, now)

    def adjust(self, limits: Limits, now: float) -> None:
        """Set those limits that are given; an infinite one lifts it."""
        for allowance, limit in zip(self.allowances, limits.per_minute, strict=True):
            if limit is not None:
                allowance.adjust(limit, now)
        if limits.rpd is not None:
            self.day.adjust(limits.rpd)
        self._sort_out()

    def _hear_rate(self, hint: RateHint, passed: Passed, now: float) -> None:
        index = METERS.index(hint.meter)
        allowance = self.allowances[index]
        known = allowance.bucket is not None
        if hint.limit is not None:
            allowance.learn(hint.limit * 60 / hint.window, passed.sent_at, now)
        if hint.remaining is not None:
            self._certain_at = now
            allowance.hear(
                hint.remaining,
                own=passed.amounts[index],
                sent_at=passed.sent_at,
                since=self._passed[index] - passed.before[index],
                now=now,
            )
        if known != (allowance.bucket is not None):
            self._sort_out()

    def _sort_out(self) -> None:
        self._active = [
            (index, one) for index, one in enumerate(self.allowances) if one.bucket is not None
        ]
        self.is_limited = bool(self._active)
        self.counts_tokens = any(index > 0 for index, _ in self._active)

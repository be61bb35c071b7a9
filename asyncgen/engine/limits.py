"""Rate limits as token buckets: plain arithmetic on a clock that is passed in.

A lane's limits are counted by up to four meters, in this order wherever a tuple
holds an amount for each: requests, tokens, input tokens, output tokens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from asyncgen.engine.mirror import Mirror

if TYPE_CHECKING:
    from asyncgen.records import Meter

__all__ = ["METERS", "NOTHING", "Allowance", "Amounts", "Bucket", "DayQuota", "Limits", "burst_of"]

METERS: tuple[Meter, ...] = ("requests", "tokens", "input_tokens", "output_tokens")

Amounts: TypeAlias = tuple[float, float, float, float]
"""What one request takes from each meter."""

NOTHING: Amounts = (0.0, 0.0, 0.0, 0.0)

_DAY = 86_400.0
_RECENT = 10.0
"""Seconds over which use is averaged."""

_GRAIN = 0.05
"""Seconds within which use counts as of one moment."""

_NEXT_TO_NOTHING = 1e-9
"""Seconds. What rounding leaves over; a clock may be too coarse to let that pass."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a user allows one endpoint with one key and model; ``None`` for no limit.

    Attributes:
        rpm: Requests per minute.
        tpm: Tokens per minute, input and output together.
        input_tpm: Input tokens per minute, where they are limited apart.
        output_tpm: Output tokens per minute, where they are limited apart.
        rpd: Requests per day.
    """

    rpm: float | None = None
    tpm: float | None = None
    input_tpm: float | None = None
    output_tpm: float | None = None
    rpd: float | None = None

    @property
    def per_minute(self) -> tuple[float | None, ...]:
        """The limits by meter."""
        return self.rpm, self.tpm, self.input_tpm, self.output_tpm


def burst_of(rate: float, meter: Meter) -> float:
    """Return how much may go at once after idling, for a rate in units a second.

    Providers check over windows as short as a second, and what leaves evenly may
    arrive in bunches. A quarter of a second leaves three quarters for the network,
    and is more than an event loop is late. Of requests ten are enough, but at a
    high rate they are not: there it is a tenth of a second.
    """
    if meter != "requests":
        return rate / 4
    return max(1.0, min(rate / 4, 10.0), rate / 10)


class Bucket:
    """A token bucket that refills continuously and may go into debt.

    An amount larger than the burst is let through when the bucket is full and
    leaves a debt, so that the mean rate holds for requests of any size.

    Args:
        rate: Refill, in units a second.
        burst: What the bucket holds when it is full.
        level: What it holds at first, at most ``burst``.
        now: The clock's reading, in seconds.
    """

    __slots__ = ("_read_at", "burst", "level", "rate")

    def __init__(self, rate: float, *, burst: float, level: float, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self.level = level
        self._read_at = now

    def delay(self, amount: float, now: float, share: float = 1.0) -> float:
        """Return the seconds until ``amount`` may be taken; 0 if it may be now.

        Args:
            amount: How much.
            now: The clock's reading, in seconds.
            share: How much of the rate there is at present, of 1.
        """
        self.refill(now, share)
        lacking = (amount if amount < self.burst else self.burst) - self.level
        if lacking <= 0:
            return 0.0
        seconds = lacking / (self.rate * share)
        return seconds if seconds > _NEXT_TO_NOTHING else 0.0

    def take(self, amount: float, now: float) -> None:
        """Take an amount, or give back a negative one."""
        self.refill(now)
        level = self.level - amount
        self.level = level if level < self.burst else self.burst

    def refill(self, now: float, share: float = 1.0) -> None:
        """Add what has come in since the last reading."""
        if now != self._read_at:
            level = self.level + (now - self._read_at) * self.rate * share
            self.level = level if level < self.burst else self.burst
            self._read_at = now

    def change(self, rate: float, burst: float, now: float) -> None:
        """Go on at another rate with what there is."""
        self.refill(now)
        self.rate, self.burst = rate, burst
        self.level = min(self.level, burst)


class Allowance:
    """One meter of one lane: the user's limit, the endpoint's, and what is left of both.

    Args:
        meter: What it counts.
        limit: The user's limit, in units a minute; ``None`` for none.
        now: The clock's reading, in seconds.
    """

    __slots__ = (
        "_began",
        "_heard",
        "_used",
        "_used_at",
        "bucket",
        "learned",
        "limit",
        "meter",
        "mirror",
    )

    def __init__(self, meter: Meter, limit: float | None, now: float) -> None:
        self.meter: Meter = meter
        self.limit = math.inf if limit is None else limit
        self.learned = math.inf
        self.mirror: Mirror | None = None
        self.bucket: Bucket | None = None
        self._heard = -math.inf
        self._used, self._used_at, self._began = 0.0, now, now
        self._renew(now)

    @property
    def per_minute(self) -> float:
        """The lower of both limits; infinite where there is none."""
        return min(self.limit, self.learned)

    def delay(self, amount: float, now: float) -> float:
        """Return the seconds until an amount may be taken; infinite if it never may."""
        bucket, mirror = self.bucket, self.mirror
        if bucket is None:
            return 0.0
        if amount > bucket.rate * 60 * (1 + _NEXT_TO_NOTHING):
            return math.inf
        if mirror is None:
            return bucket.delay(amount, now)
        share = mirror.share(now)
        seconds = bucket.delay(amount, now, share)
        if share < 1:
            # By then the mirror says more.
            seconds = min(seconds, seconds * share + 0.25)
        return seconds

    def take(self, amount: float, now: float) -> None:
        """Take an amount before the request is sent."""
        if self.bucket is not None:
            self.bucket.take(amount, now)
            self._count(amount, now)
            if self.mirror is not None:
                self.mirror.take(amount, now)

    def settle(self, amount: float, now: float) -> None:
        """Take what was used beyond what was expected; give back a negative amount."""
        if self.bucket is not None and amount:
            if self.mirror is not None:
                self.bucket.refill(now, self.mirror.share(now))
            self.bucket.take(amount, now)
            self._count(amount, now)

    def used(self, now: float) -> float:
        """Return the share of the limit that was used over the last seconds, of 1."""
        if self.bucket is None or now <= self._began:
            return 0.0
        self._fade(now)
        known = 1 - math.exp((self._began - now) / _RECENT)
        return self._used / (self.bucket.rate * _RECENT * known)

    def adjust(self, limit: float, now: float) -> None:
        """Set the user's limit, in units a minute; infinite for none."""
        self.limit = limit
        self._renew(now)

    def learn(self, per_minute: float, sent_at: float, now: float) -> None:
        """Believe the limit that an endpoint named when a request was sent at that moment."""
        if sent_at >= self._heard and per_minute > 0:
            self._heard = sent_at
            if per_minute != self.learned:
                self.learned = per_minute
                self._renew(now)

    def hear(
        self, remaining: float, *, own: float, sent_at: float, since: float, now: float
    ) -> None:
        """Believe what an endpoint says is left, see :meth:`Mirror.hear`."""
        if self.bucket is None:
            return
        if self.mirror is None:
            rate = (self.learned if self.learned < math.inf else self.limit) / 60
            self.mirror = Mirror(rate, now)
        self.mirror.hear(remaining, own=own, sent_at=sent_at, since=since, now=now)
        self.bucket.refill(now, self.mirror.share(now))
        self.bucket.level = min(self.bucket.level, max(self.mirror.level, 0.0))

    def _count(self, amount: float, now: float) -> None:
        if now - self._used_at >= _GRAIN:
            self._fade(now)
        self._used += amount

    def _fade(self, now: float) -> None:
        self._used *= math.exp((self._used_at - now) / _RECENT)
        self._used_at = now

    def _renew(self, now: float) -> None:
        if self.per_minute == math.inf:
            self.bucket = self.mirror = None
            return
        rate = self.per_minute / 60
        burst = burst_of(rate, self.meter)
        if self.bucket is None:
            level = 1.0 if self.meter == "requests" else burst / 2
            self.bucket = Bucket(rate, burst=burst, level=level, now=now)
        else:
            self.bucket.change(rate, burst, now)
        if self.mirror is not None and self.learned < math.inf:
            self.mirror.rate = self.learned / 60


class DayQuota:
    """Requests per day, counted from the first one on.

    A day's quota is not spread over the day: it is used as fast as the limits per
    minute allow, and then there is none before the day has passed.
    """

    __slots__ = ("_ends", "_left", "limit")

    def __init__(self, limit: float | None) -> None:
        self.limit = math.inf if limit is None else limit
        self._left = self.limit
        self._ends = -math.inf

    def delay(self, now: float) -> float:
        """Return the seconds until a request may go; 0 if one may now."""
        return 0.0 if self._left >= 1 or now >= self._ends else self._ends - now

    def take(self, now: float) -> None:
        """Count a request."""
        if now >= self._ends:
            self._left, self._ends = self.limit, now + _DAY
        self._left -= 1

    def hear(self, remaining: float, reset: float | None, now: float) -> None:
        """Believe an endpoint that says what is left of the day, and when it ends."""
        self._left = min(self._left, remaining)
        self._ends = now + (_DAY if reset is None else reset)

    def adjust(self, limit: float) -> None:
        """Set the limit; what was used stays used."""
        used = self.limit - self._left if self.limit < math.inf else 0.0
        self.limit, self._left = limit, limit - used

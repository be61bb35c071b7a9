"""Limits: buckets that refill continuously, and what they say of a request. The clock is passed in.

A bucket holds ``burst`` seconds' worth at most.  What costs more than a full bucket is let
through when it is full, and leaves a debt that refills first: so whatever the sizes, no time
of t seconds sees more than t seconds' worth, one burst and one request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from asyncgen.endpoints.simulated.options import Allowance

__all__ = ["Bucket", "BucketView", "Buckets", "LimitName", "Refusal", "Usage"]

LimitName = Literal["requests", "requests_day", "tokens", "input_tokens", "output_tokens"]

_DAY = 86400.0


class BucketView(Struct, frozen=True):
    """One limit as a client may see it.

    Attributes:
        name: Which.
        limit: Per minute, or per day for ``requests_day``.
        remaining: What may be used now.
        full_in: Seconds until all is there again that ever is.
        used: Sum since the first request.
        granted: What was allowed from then to the last use, without the burst at the beginning.
    """

    name: LimitName
    limit: float
    remaining: float
    full_in: float
    used: float
    granted: float


class Refusal(Struct, frozen=True):
    """Why a request must wait.

    Attributes:
        limit: The limit that it would exceed longest.
        seconds: Until it fits; ``None`` if it never will.
        asked: What it would take of that limit.
    """

    limit: BucketView
    seconds: float | None
    asked: float


class Usage(Struct, frozen=True):
    """Tokens that a request takes."""

    prompt: int
    cached: int
    output: int


class Bucket:
    """One limit: its level, and what went through it."""

    __slots__ = (
        *("_at", "_capacity", "_granted", "_granted_at_use", "_level", "_rate"),
        *("limit", "name", "used"),
    )

    def __init__(self, name: LimitName, now: float) -> None:
        self.name: LimitName = name
        self.limit = 0.0
        self.used = 0.0
        self._rate = 0.0
        self._capacity = 0.0
        self._level = 0.0
        self._granted = 0.0
        self._granted_at_use = 0.0
        self._at = now

    def set_limit(self, limit: float, allowance: Allowance, now: float) -> None:
        """Change the limit; the first time, the bucket is full."""
        fresh = self._capacity == 0.0
        self._refill(now)
        self.limit = limit
        period = _DAY if self.name == "requests_day" else 60.0
        self._rate = limit / period * (1.0 - allowance.taken)
        worth = limit if self.name == "requests_day" else self._rate * allowance.burst
        self._capacity = max(1.0, worth)
        self._level = self._capacity if fresh else min(self._level, self._capacity)

    def wait(self, amount: float, now: float) -> float | None:
        """Return the seconds until so much may be used: 0 for now, ``None`` for never."""
        self._refill(now)
        if amount > max(self.limit, self._capacity):
            return None
        missing = min(amount, self._capacity) - self._level
        # What rounding leaves missing is not worth a wait.
        return missing / self._rate if missing > 1e-9 * self._capacity else 0.0

    def take(self, amount: float) -> None:
        """Use so much; the level may fall below nothing."""
        self._level -= amount
        self._granted_at_use = self._granted
        self.used += amount

    def view(self, now: float) -> BucketView:
        """Return the limit as a client sees it."""
        self._refill(now)
        return BucketView(
            self.name,
            self.limit,
            max(0.0, self._level),
            (self._capacity - self._level) / self._rate,
            self.used,
            self._granted_at_use,
        )

    def begin(self, now: float) -> None:
        """Count what is granted from now on: the first request has come."""
        self._refill(now)
        self._granted = 0.0

    def _refill(self, now: float) -> None:
        gained = (now - self._at) * self._rate
        self._at = now
        self._granted += gained
        self._level = min(self._capacity, self._level + gained)


class Buckets:
    """All limits of one account."""

    def __init__(self, allowance: Allowance, now: float) -> None:
        self._buckets: dict[LimitName, Bucket] = {}
        self.allowance = allowance
        self.change(allowance, now)

    def change(self, allowance: Allowance, now: float) -> None:
        """Put other limits in force; a limit that stays keeps its level."""
        self.allowance = allowance
        limits: dict[LimitName, float | None] = {
            "requests": allowance.rpm,
            "requests_day": allowance.rpd,
            "tokens": allowance.tpm,
            "input_tokens": allowance.itpm,
            "output_tokens": allowance.otpm,
        }
        for name, limit in limits.items():
            if limit is None:
                self._buckets.pop(name, None)
            else:
                bucket = self._buckets.setdefault(name, Bucket(name, now))
                bucket.set_limit(limit, allowance, now)

    def begin(self, now: float) -> None:
        """Reckon the shares of the limits from now on."""
        for bucket in self._buckets.values():
            bucket.begin(now)

    def admit(self, usage: Usage, now: float) -> Refusal | None:
        """Take a request's share of every limit, or of none and say which it would exceed."""
        if not self._buckets:
            return None
        longest: tuple[float, Bucket] | None = None
        amounts: list[tuple[Bucket, float]] = []
        for bucket in self._buckets.values():
            amount = _amount(bucket.name, usage)
            amounts.append((bucket, amount))
            wait = bucket.wait(amount, now)
            if wait is None:
                return Refusal(bucket.view(now), None, amount)
            if wait > 0 and (longest is None or wait > longest[0]):
                longest = wait, bucket
        if longest is not None:
            seconds, bucket = longest
            return Refusal(bucket.view(now), seconds, _amount(bucket.name, usage))
        for bucket, amount in amounts:
            bucket.take(amount)
        return None

    def views(self, now: float) -> tuple[BucketView, ...]:
        """Return every limit as a client sees it."""
        return tuple(bucket.view(now) for bucket in self._buckets.values())


def _amount(name: LimitName, usage: Usage) -> float:
    if name == "tokens":
        return usage.prompt + usage.output
    if name == "input_tokens":
        return usage.prompt - usage.cached
    return usage.output if name == "output_tokens" else 1

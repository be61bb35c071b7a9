"""Rate limits as token buckets: plain arithmetic on a clock that is passed in."""

from __future__ import annotations

from dataclasses import dataclass

from asyncgen.errors import EndpointRefusedError

__all__ = ["Bucket", "Cost", "RateLimits"]

_BURST_SECONDS = 1.0
_LARGEST_BURST = 10.0
"""Requests. Providers check over windows of a second or ten: a larger burst fails early."""

_NEXT_TO_NOTHING = 1e-9
"""Seconds. What rounding leaves over; a clock may be too coarse to let that pass."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request takes from the limits: itself, and its tokens in and out."""

    requests: int
    tokens: int


class Bucket:
    """A token bucket that refills continuously and may go into debt.

    An amount larger than the burst is let through when the bucket is full and
    leaves a debt, so that the mean rate holds for requests of any size.

    Args:
        per_minute: Refill rate, in units a minute.
        burst: What the bucket holds when it is full.
        level: What it holds at first, at most ``burst``.
        now: The clock's reading, in seconds.
    """

    def __init__(self, per_minute: float, *, burst: float, level: float, now: float) -> None:
        self.per_minute = per_minute
        self._rate = per_minute / 60
        self._burst = burst
        self._level = level
        self._read_at = now

    def delay(self, amount: float, now: float) -> float:
        """Return the seconds until ``amount`` may be taken; 0 if it may be now."""
        self._refill(now)
        seconds = (min(amount, self._burst) - self._level) / self._rate
        return seconds if seconds > _NEXT_TO_NOTHING else 0.0

    def take(self, amount: float, now: float) -> None:
        """Take an amount, or give back a negative one."""
        self._refill(now)
        self._level = min(self._burst, self._level - amount)

    def level(self, now: float) -> float:
        """Return what is in the bucket; negative is debt."""
        self._refill(now)
        return self._level

    def _refill(self, now: float) -> None:
        self._level = min(self._burst, self._level + (now - self._read_at) * self._rate)
        self._read_at = now


class RateLimits:
    """Requests and tokens per minute of one endpoint with one key and model.

    Args:
        rpm: Requests per minute, ``None`` for no limit.
        tpm: Tokens per minute, input and output together, ``None`` for no limit.
        now: The clock's reading, in seconds.
    """

    def __init__(self, *, rpm: float | None, tpm: float | None, now: float) -> None:
        self._requests = None if rpm is None else _requests(rpm, now)
        self._tokens = None if tpm is None else _tokens(tpm, now)
        self._closed_until = now

    def delay(self, cost: Cost, now: float) -> float:
        """Return the seconds until a request of this cost may be sent; 0 if it may be now.

        Raises:
            EndpointRefusedError: If it never may, being larger than a minute's tokens.
        """
        waits = [self._closed_until - now, 0.0]
        if self._requests is not None:
            waits.append(self._requests.delay(cost.requests, now))
        if self._tokens is not None:
            if cost.tokens > self._tokens.per_minute:
                raise EndpointRefusedError(
                    f"a request of about {cost.tokens} tokens can never pass a limit of "
                    f"{self._tokens.per_minute:g} tokens a minute: raise --tpm, or lower "
                    "max_output_tokens"
                )
            waits.append(self._tokens.delay(cost.tokens, now))
        return max(waits)

    def reserve(self, cost: Cost, now: float) -> None:
        """Take a request's cost before it is sent."""
        self._take(cost.requests, cost.tokens, now)

    def settle(self, reserved: Cost, used_tokens: int, now: float) -> None:
        """Correct a reservation by what was really used."""
        self._take(0, used_tokens - reserved.tokens, now)

    def close_until(self, moment: float) -> None:
        """Let nothing through before a moment of the clock (``Retry-After``)."""
        self._closed_until = max(self._closed_until, moment)

    def _take(self, requests: int, tokens: int, now: float) -> None:
        if self._requests is not None:
            self._requests.take(requests, now)
        if self._tokens is not None:
            self._tokens.take(tokens, now)


def _requests(per_minute: float, now: float) -> Bucket:
    burst = min(max(1.0, per_minute / 60 * _BURST_SECONDS), _LARGEST_BURST)
    return Bucket(per_minute, burst=burst, level=1.0, now=now)


def _tokens(per_minute: float, now: float) -> Bucket:
    # A request of more tokens than that goes when the bucket is full, and leaves a debt.
    return Bucket(per_minute, burst=per_minute / 60 * _BURST_SECONDS, level=0.0, now=now)

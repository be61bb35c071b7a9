"""What to do after a failed attempt: a verdict on values, no waiting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

from asyncgen.errors import (
    AsyncgenError,
    BadAnswerError,
    DisconnectedError,
    EndpointRefusedError,
    QuotaError,
    RateLimitedError,
    RequestRejectedError,
    RunPausedError,
    TimedOutError,
    TransientError,
    UnreachableError,
)

if TYPE_CHECKING:
    import random

    from asyncgen.records import Failures

__all__ = [
    "GiveUp",
    "Park",
    "RejectRequest",
    "Retire",
    "RetryBudget",
    "RetryLater",
    "RetryPolicy",
    "Situation",
    "Verdict",
    "counted",
    "verdict",
]


_PATIENCE = 10
"""Times ``max_attempts`` after which a request is given up whatever failed."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patiently to try again.

    Attributes:
        max_attempts: Attempts at one request, the first included. What fails while its
            endpoint fails as a whole, or is refused for the rate, is not counted.
        base: Ceiling of the first wait, in seconds; doubled for each further one.
        cap: Ceiling of any wait, in seconds.
        longest_wait: Seconds. An endpoint that asks for more is parked, and one that has not
            answered for so long, too.
        breaker: Failures in a row after which an endpoint gets nothing but probes.
        share: Retries per request, in the long run. Refusals for the rate are not counted.
        burst: Retries that may go beyond that share.
    """

    max_attempts: int = 8
    base: float = 0.5
    cap: float = 60.0
    longest_wait: float = 600.0
    breaker: int = 8
    share: float = 0.2
    burst: float = 100.0


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Try again after ``delay`` seconds; the whole endpoint waits at least ``floor``.

    Attributes:
        strikes: What of the request's attempts this used up.
    """

    delay: float
    floor: float
    strikes: int = 1


@dataclass(frozen=True, slots=True)
class Park:
    """Send this endpoint nothing for so long, ``None`` for the session; others go on."""

    seconds: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Retire:
    """Send this endpoint nothing more: it refuses for good, but others answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class RejectRequest:
    """This request will never be answered; others go on."""

    said: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Stop launching; the run ends with ``error`` once the air is clear."""

    error: AsyncgenError


Verdict = RetryLater | Park | Retire | RejectRequest | GiveUp


@dataclass(frozen=True, slots=True)
class Situation:
    """What a verdict depends on besides the error.

    Attributes:
        strikes: What earlier attempts used up.
        tries: Attempts at this request, the failed one included.
        has_answered: Whether this endpoint ever answered in this session.
        others_answer: Whether another endpoint did that still takes requests.
        others_untried: Whether another has neither answered nor failed yet.
        outage: Whether the endpoint fails as a whole: the request is not to blame.
    """

    strikes: int = 0
    tries: int = 1
    has_answered: bool = True
    others_answer: bool = False
    others_untried: bool = False
    outage: bool = False


def verdict(
    error: AsyncgenError, seen: Situation, policy: RetryPolicy, rng: random.Random
) -> Verdict:
    """Decide what follows a failed attempt.

    The wait has full jitter: uniform in ``[0, min(cap, base · 2^(attempt - 1))]``.
    ``Retry-After`` is a floor for the endpoint; jitter of up to a quarter of it comes
    on top, so that those who wait do not come back together.
    """
    match error:
        case RequestRejectedError():
            return RejectRequest(str(error))
        case EndpointRefusedError() if seen.others_answer:
            return Retire(str(error))
        case UnreachableError() if not (
            seen.has_answered or seen.others_answer or seen.others_untried
        ):
            return GiveUp(EndpointRefusedError(str(error)))
        case QuotaError():
            return Park(error.resets_in, str(error))
        case TransientError():
            return _after_transient(error, seen, policy, rng)
        case _:
            return GiveUp(error)


def _after_transient(
    error: TransientError, seen: Situation, policy: RetryPolicy, rng: random.Random
) -> Verdict:
    floor = error.retry_after or 0.0
    if floor > policy.longest_wait:
        return Park(floor, str(error))
    strikes = _strikes(error, seen)
    if (
        seen.strikes + strikes >= policy.max_attempts and strikes
    ) or seen.tries >= _PATIENCE * policy.max_attempts:
        return GiveUp(RunPausedError(f"gave up after {seen.tries} attempts: {error}"))
    # A float's exponent ends at 1023, patience need not.
    ceiling = min(policy.cap, policy.base * 2.0 ** min(seen.strikes, 1000))
    jitter = rng.uniform(0, max(floor / 4, 0.0 if floor else ceiling))
    return RetryLater(floor + jitter, floor, strikes)


def _strikes(error: TransientError, seen: Situation) -> int:
    if seen.outage or isinstance(error, RateLimitedError):
        # The request is not to blame. Gate, pace and breaker see to it that these are rare.
        return 0
    # An answer that timed out may have been paid for: half as many attempts.
    return 2 if isinstance(error, TimedOutError) and error.possibly_billed else 1


def counted(failures: Failures, error: AsyncgenError) -> Failures:
    """Return the failures of a request with one more."""
    kind = _kind(error)
    return msgspec.structs.replace(failures, **{kind: getattr(failures, kind) + 1})


def _kind(error: AsyncgenError) -> Literal["rate", "overload", "lost", "other"]:
    match error:
        case RateLimitedError():
            return "rate"
        case TimedOutError() | UnreachableError() | DisconnectedError() | BadAnswerError():
            return "lost"
        case TransientError():
            return "overload"
        case _:
            return "other"


class RetryBudget:
    """How many retries there may be: a share of the traffic, and a few beyond.

    Args:
        policy: Says both.
        now: The clock's reading, in seconds.
    """

    __slots__ = ("_at", "_burst", "_level", "_share")

    _TRICKLE = 1.0
    """Retries a second, however little traffic: nobody waits for ever."""

    def __init__(self, policy: RetryPolicy, now: float) -> None:
        self._share, self._burst = policy.share, policy.burst
        self._level, self._at = policy.burst, now

    def earn(self) -> None:
        """Count an attempt that is no retry."""
        if self._level < self._burst:
            self._level += self._share

    def delay(self, now: float) -> float:
        """Return the seconds until a retry may go, if nothing else goes."""
        self._level = min(self._burst, self._level + (now - self._at) * self._TRICKLE)
        self._at = now
        return max(0.0, (1.0 - self._level) / self._TRICKLE)

    def spend(self) -> None:
        """Count a retry."""
        self._level -= 1.0

"""What to do after a failed attempt: a verdict on values, no waiting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncgen.errors import (
    AsyncgenError,
    EndpointRefusedError,
    QuotaError,
    RequestRejectedError,
    RunPausedError,
    TransientError,
    UnreachableError,
)

if TYPE_CHECKING:
    import random

__all__ = ["GiveUp", "RejectRequest", "RetryLater", "RetryPolicy", "verdict"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patiently to try again.

    Attributes:
        max_attempts: Attempts at one request, the first included.
        base: Ceiling of the first wait, in seconds; doubled for each further one.
        cap: Ceiling of any wait, in seconds.
    """

    max_attempts: int = 8
    base: float = 0.5
    cap: float = 60.0


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Try again after ``delay`` seconds; the whole endpoint waits at least ``floor``."""

    delay: float
    floor: float


@dataclass(frozen=True, slots=True)
class RejectRequest:
    """This request will never be answered; others go on."""

    said: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Stop launching; the run ends with ``error`` once the air is clear."""

    error: AsyncgenError


def verdict(
    error: AsyncgenError,
    attempt: int,
    *,
    policy: RetryPolicy,
    has_answered: bool,
    rng: random.Random,
) -> RetryLater | RejectRequest | GiveUp:
    """Decide what follows a failed attempt.

    The wait has full jitter: uniform in ``[0, min(cap, base · 2^(attempt - 1))]``.
    ``Retry-After`` is a floor for the endpoint; the jitter comes on top, at least
    up to a quarter of it, so that those who wait do not come back together.

    Args:
        error: What the endpoint raised.
        attempt: Number of the failed attempt, from 1.
        policy: How patiently to try again.
        has_answered: Whether this endpoint ever answered in this session.
        rng: Source of the jitter.
    """
    match error:
        case RequestRejectedError():
            return RejectRequest(str(error))
        case UnreachableError() if not has_answered:
            return GiveUp(EndpointRefusedError(str(error)))
        case QuotaError():
            return GiveUp(RunPausedError(str(error)))
        case TransientError() if attempt < policy.max_attempts:
            # A float's exponent ends at 1023, patience need not.
            ceiling = min(policy.cap, policy.base * 2.0 ** min(attempt - 1, 1000))
            floor = error.retry_after or 0.0
            jitter = rng.uniform(0, max(floor / 4, ceiling))
            return RetryLater(delay=floor + jitter, floor=floor)
        case TransientError():
            return GiveUp(RunPausedError(f"gave up after {attempt} attempts: {error}"))
        case _:
            return GiveUp(error)

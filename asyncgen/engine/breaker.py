"""A circuit breaker: an endpoint that fails again and again is left alone, but for a probe."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

__all__ = ["Breaker"]

_SHORTEST, _LONGEST = 0.5, 30.0
"""Seconds between two probes."""

_SHARE = 0.1
"""Of the time that an outage has lasted, until the next probe: one of 20 s is seen to end
within two."""


class Breaker:
    """Opens after so many failures in a row, and closes at the first success.

    While it is open nothing is sent but one probe at a time.

    Args:
        failures: How many in a row open it.
        rng: Source of jitter.

    Attributes:
        since: Moment of the first of the present failures in a row; infinite if there is none.
    """

    __slots__ = ("_failures", "_in_a_row", "_probing", "_rng", "_until", "since")

    def __init__(self, failures: int, rng: random.Random) -> None:
        self._failures = failures
        self._rng = rng
        self._in_a_row = 0
        self._until = -math.inf
        self._probing = False
        self.since = math.inf

    @property
    def is_open(self) -> bool:
        """Whether at most a probe may be sent."""
        return self._in_a_row >= self._failures

    @property
    def until(self) -> float:
        """When the next probe may be sent."""
        return self._until

    def delay(self, now: float) -> float:
        """Return the seconds until an attempt may be made; infinite while a probe is out."""
        if self._in_a_row < self._failures:
            return 0.0
        return math.inf if self._probing else max(0.0, self._until - now)

    def sent(self) -> bool:
        """Count an attempt; return whether it is a probe."""
        if self.is_open:
            self._probing = True
        return self._probing

    def succeeded(self) -> None:
        """Close."""
        self._in_a_row, self._probing, self.since = 0, False, math.inf

    def failed(self, floor: float, now: float, *, probe: bool) -> None:
        """Count a failure of the endpoint as a whole.

        Args:
            floor: Seconds that the endpoint asked to wait.
            now: The clock's reading, in seconds.
            probe: Whether the attempt was a probe.
        """
        if probe:
            self._probing = False
        elif self.is_open:
            return
        self.since = min(self.since, now)
        self._in_a_row += 1
        rest = min(max(_SHARE * (now - self.since), _SHORTEST), _LONGEST)
        self._until = now + max(rest * self._rng.uniform(0.75, 1.0), floor)

    def ended(self, *, probe: bool) -> None:
        """Count an attempt that says nothing of the endpoint's health: it was dropped, say."""
        if probe:
            self._probing = False

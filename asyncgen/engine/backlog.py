"""Requests that wait for another attempt."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from asyncgen.engine.retry import RetryBudget

if TYPE_CHECKING:
    from asyncgen.engine.lane import Ask
    from asyncgen.engine.retry import RetryPolicy

__all__ = ["Backlog"]


@dataclass(slots=True, order=True)
class _Pending:
    """A request that waits for another attempt; the earliest comes first."""

    due: float
    tie: int
    ask: Ask = field(compare=False)


class Backlog:
    """The retries, by when they are due, and how many there may be.

    Args:
        policy: Says how many.
        now: The clock's reading, in seconds.
    """

    __slots__ = ("_budget", "_retries", "_tie")

    def __init__(self, policy: RetryPolicy, now: float) -> None:
        self._budget = RetryBudget(policy, now)
        self._retries: list[_Pending] = []
        self._tie = count()

    def __len__(self) -> int:
        return len(self._retries)

    def wait(self, now: float) -> float:
        """Return the seconds until a retry may go: infinite if there is none."""
        if not self._retries:
            return math.inf
        first = self._retries[0]
        wait = first.due - now
        return max(wait, self._budget.delay(now)) if first.ask.counted else wait

    def next(self) -> Ask:
        """Return what is due first, the same until it was sent."""
        return self._retries[0].ask

    def sent(self) -> None:
        """Take out what is due first."""
        if heapq.heappop(self._retries).ask.counted:
            self._budget.spend()

    def add(self, ask: Ask, due: float) -> None:
        """Take in a request that is to be tried again from a moment on."""
        heapq.heappush(self._retries, _Pending(due, next(self._tie), ask))

    def earn(self) -> None:
        """Count a request that is sent for the first time."""
        self._budget.earn()

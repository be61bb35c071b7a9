"""What is to be asked: retries that are due first, then what was held back, then what is new."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Protocol

from asyncgen.engine.lane import Ask
from asyncgen.engine.retry import RetryBudget

if TYPE_CHECKING:
    from asyncgen.engine.retry import RetryPolicy
    from asyncgen.records import Request

__all__ = ["Backlog", "Source"]


class Source(Protocol):
    """Where requests come from."""

    @property
    def finished(self) -> bool:
        """Whether no further request is wanted."""
        ...

    def next_request(self) -> Request | None:
        """Hand over the most urgent request; ``None`` if there is none at present."""
        ...


@dataclass(slots=True, order=True)
class _Pending:
    """A request that waits for another attempt; the earliest comes first."""

    due: float
    tie: int
    ask: Ask = field(compare=False)


class Backlog:
    """The requests that are on their way to an answer, but not in the air.

    Args:
        policy: Says how many retries there may be.
        now: The clock's reading, in seconds.
    """

    __slots__ = ("_budget", "_held", "_retries", "_tie")

    def __init__(self, policy: RetryPolicy, now: float) -> None:
        self._budget = RetryBudget(policy, now)
        self._retries: list[_Pending] = []
        self._held: Ask | None = None
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

    def retry(self) -> Ask:
        """Return the retry that is due first."""
        return self._retries[0].ask

    def fresh(self, source: Source) -> Ask | None:
        """Return a request that was never sent; it is held until it is."""
        if self._held is None and (request := source.next_request()) is not None:
            self._held = Ask(request, request.prompt.characters)
        return self._held

    def sent(self, ask: Ask) -> None:
        """Take out what :meth:`retry` or :meth:`fresh` returned."""
        if ask is self._held:
            self._held = None
            self._budget.earn()
            return
        heapq.heappop(self._retries)
        if ask.counted:
            self._budget.spend()

    def again(self, ask: Ask, due: float) -> None:
        """Take in a request that is to be tried again from a moment on."""
        heapq.heappush(self._retries, _Pending(due, next(self._tie), ask))

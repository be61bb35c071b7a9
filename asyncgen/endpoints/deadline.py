"""The time limits of one attempt, for a process that may be stopped in the middle of it."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncgen.errors import Phase

__all__ = ["Deadline"]

_LATE = 1.0
"""Seconds. A timer that comes so late was not late by itself: nothing ran meanwhile."""

_GRACE = 5.0
"""Seconds in which what has come meanwhile is read."""


class Deadline:
    """Cancels the task that started it when an attempt, or a phase of it, takes too long.

    After a standstill (Ctrl-Z, a frozen container) timers are due before the sockets are read;
    answers that were paid for are waiting there. Hence a timer that comes late is set once more.

    Args:
        total: Seconds for all of it.
        first_byte: Seconds until the first call of :meth:`progress`; ``None`` for no limit.
        stall: Seconds from one such call to the next; ``None`` for no limit.
    """

    __slots__ = (
        "_began",
        "_ends",
        "_expired",
        "_loop",
        "_phase",
        "_phase_ends",
        "_stall",
        "_task",
        "_timer",
    )

    def __init__(self, total: float, first_byte: float | None, stall: float | None) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("an attempt has a task of its own")
        self._loop = task.get_loop()
        self._task = task
        self._began = task.cancelling()
        self._stall = math.inf if stall is None else stall
        self._phase: Phase = "first_byte"
        self._expired: Phase | None = None
        now = self._loop.time()
        self._ends = now + total
        self._phase_ends = math.inf if first_byte is None else now + first_byte
        self._timer = self._loop.call_at(min(self._ends, self._phase_ends), self._look)

    def progress(self) -> None:
        """Say that a piece of the answer came, its head at first."""
        self._phase = "stalled"
        self._phase_ends = self._loop.time() + self._stall
        if self._phase_ends < self._timer.when():
            self._set(self._phase_ends)

    def close(self, error: BaseException | None) -> Phase | None:
        """End; return what took too long, if ``error`` is the cancellation that came of it."""
        self._timer.cancel()
        if self._expired is None or not isinstance(error, asyncio.CancelledError):
            return None
        # Where somebody else has cancelled the task as well, that goes on.
        return self._expired if self._task.uncancel() <= self._began else None

    def _look(self) -> None:
        """End the attempt if its time is up; whatever moved since the timer was set."""
        now, due = self._loop.time(), min(self._ends, self._phase_ends)
        if now - self._timer.when() > _LATE:
            self._ends = max(self._ends, now + _GRACE)
            self._phase_ends = max(self._phase_ends, now + _GRACE)
            due = min(self._ends, self._phase_ends)
        if now < due:
            self._set(due)
        else:
            self._expired = "total" if due == self._ends else self._phase
            self._task.cancel()

    def _set(self, due: float) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_at(due, self._look)

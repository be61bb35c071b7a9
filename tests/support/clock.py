"""An event loop on whose clock nothing takes time but waiting."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

__all__ = ["DeadlockError", "VirtualLoop", "run_virtually"]

T = TypeVar("T")


class DeadlockError(AssertionError):
    """Raised when every task waits for something that no timer and no task will bring."""


class _JumpingSelector(selectors.DefaultSelector):
    """Never sleeps: what it should wait for has passed when it returns."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events or timeout == 0:
            return events
        if timeout is None:
            raise DeadlockError("everything waits, and nothing is under way")
        self.now += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its clock stands still while anything can run, then jumps to the next timer."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the seconds since the loop was made."""
        return self._jumping.now

    def leap(self, seconds: float) -> None:
        """Let time pass in which nothing runs, as when the process is stopped or frozen."""
        self._jumping.now += seconds


def run_virtually(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function to its end in virtual time.

    Raises:
        DeadlockError: If it would wait for ever.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())

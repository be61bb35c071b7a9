"""Work on an event loop until it is done or a signal ends it, with a display beside it."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Protocol

import anyio

from asyncgen.cli.signals import ending, is_impatient
from asyncgen.errors import AsyncgenError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asyncgen.survey.session import Session

__all__ = ["Display", "until_interrupted"]


class Display(Protocol):
    """What shows the work while it is done."""

    def say(self, message: str) -> None:
        """Show what is going on besides the work; an empty message takes it back."""
        ...

    async def refresh(self) -> None:
        """Show the state again and again, until cancelled."""
        ...

    def close(self) -> None:
        """Show the state a last time."""
        ...


async def _nothing(_stack: AsyncExitStack, _stop: Callable[[], None]) -> None:
    """Open nothing."""


def until_interrupted(
    session: Session,
    ask: Callable[[], Awaitable[None]],
    display: Display,
    *,
    beside: Callable[[AsyncExitStack, Callable[[], None]], Awaitable[None]] = _nothing,
) -> int | None:
    """Do the work on an event loop; return the signal that ended it early, if one did.

    Args:
        session: Stopped at the first signal; what is in the air is waited for until the second.
        ask: The work.
        display: Shows it.
        beside: Opens what else is there meanwhile; it is given what to call to stop the work.

    Raises:
        AsyncgenError: If the work failed.
    """
    try:
        import uvloop  # the extra 'speed'
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(_Interruptible(session, display).work(ask, beside))


class _Interruptible:
    """The tasks of one session: the work, the display and the signals."""

    def __init__(self, session: Session, display: Display) -> None:
        self._session = session
        self._display = display
        self._received: int | None = None
        self._problem: AsyncgenError | None = None

    async def work(
        self,
        ask: Callable[[], Awaitable[None]],
        beside: Callable[[AsyncExitStack, Callable[[], None]], Awaitable[None]],
    ) -> int | None:
        async with AsyncExitStack() as stack, anyio.create_task_group() as tasks:
            scope = tasks.cancel_scope
            await beside(stack, lambda: self._stop(scope))
            tasks.start_soon(self._watch_signals, scope)
            tasks.start_soon(self._display.refresh)
            try:
                await ask()
            except AsyncgenError as error:
                self._problem = error
            scope.cancel()
        self._display.close()
        if self._problem is not None:
            raise self._problem
        return self._received

    def _stop(self, scope: anyio.CancelScope) -> None:
        if self._received is None:
            self._interrupt(signal.SIGINT, scope)

    async def _watch_signals(self, scope: anyio.CancelScope) -> None:
        with anyio.open_signal_receiver(*ending()) as signals:
            async for number in signals:
                self._interrupt(number, scope)

    def _interrupt(self, number: int, scope: anyio.CancelScope) -> None:
        """First time: launch nothing more, wait for what is in the air. Second: drop it."""
        if self._received is not None and not is_impatient(number):
            return
        if self._received is not None or self._session.engine is None:
            self._received = self._received or number
            self._session.stopped = True
            scope.cancel()
            return
        self._received = number
        self._session.stop()
        self._display.say("finishing what is in the air; once more to drop it")

"""The filter's kernels, loaded or compiled beside the event loop before the first fold."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Kernels"]

_LOAD_AFTER = 0.3
"""Seconds. What an endpoint refuses at once need not wait for Numba to load."""


class Kernels:
    """Loads the kernels in a thread, once for a session, and then what they work on.

    Loading takes half a second, compiling them on a machine's first run ten, a
    million texts to compare with several: in the loop's own thread that would
    hold up all that is in the air.

    Args:
        prepare: Called in that thread when they are there.
    """

    def __init__(self, prepare: Callable[[], None]) -> None:
        self._prepare = prepare
        self._loaded: asyncio.Future[None] | None = None
        self._turn = asyncio.Lock()

    async def load_soon(self) -> None:
        """Begin a moment after the first requests were sent."""
        await asyncio.sleep(_LOAD_AFTER)
        self._begin()

    async def loaded(self) -> None:
        """Return when they are there; who comes first returns first."""
        # Not twice at a time: those who wait must not be overtaken by those who come later.
        async with self._turn:
            await asyncio.shield(self._begin())

    def _begin(self) -> asyncio.Future[None]:
        if self._loaded is None:
            loop = asyncio.get_running_loop()
            self._loaded = loop.create_future()
            load = threading.Thread(
                target=_load, args=(loop, self._loaded, self._prepare), daemon=True
            )
            load.start()
        return self._loaded


def _load(
    loop: asyncio.AbstractEventLoop, loaded: asyncio.Future[None], prepare: Callable[[], None]
) -> None:
    from asyncgen_kernels import warm_up

    try:
        warm_up()
        prepare()
    finally:
        # The loop may be closed by now: then nobody waits any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, loaded)


def _settle(loaded: asyncio.Future[None]) -> None:
    if not loaded.done():
        loaded.set_result(None)

"""The provider's own process: serve, say so in one JSON line, and go when the parent goes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import msgspec
import orjson

from asyncgen.endpoints.simulated.options import SimulatedOptions
from asyncgen.endpoints.simulated.server import simulated_here
from asyncgen.errors import AsyncgenError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["fastest_loop", "main"]


def main() -> None:
    """Serve until the parent goes or SIGTERM comes; the options are the only argument, as JSON."""
    # Ctrl-C reaches every process of the terminal; the parent still has requests to drain.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, name="parent-watch", daemon=True).start()
    options = msgspec.json.decode(sys.argv[1], type=SimulatedOptions)
    try:
        with asyncio.Runner(loop_factory=fastest_loop()) as runner:
            runner.run(_serve(options))
    except AsyncgenError as error:
        _tell({"error": str(error)})
        sys.exit(1)


def fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the maker of uvloop's event loops where it is installed, else ``None``."""
    try:
        import uvloop  # the extra 'speed'
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(options: SimulatedOptions) -> None:
    async with simulated_here(options) as provider:
        _tell({"port": provider.port})
        # SIGTERM ends the process the plain way: there is no state to save.
        await asyncio.Event().wait()


def _die_with_parent() -> None:
    """Wait for the end of standard input, which comes when the parent is gone, even killed."""
    while os.read(0, 1024):
        pass
    os._exit(0)


def _tell(content: dict[str, object]) -> None:
    os.write(1, orjson.dumps(content) + b"\n")

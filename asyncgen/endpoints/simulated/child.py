"""The provider's own process: serve, say so in one JSON line, and go when the parent goes."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import msgspec

from asyncgen.endpoints.owned_process import live_with_parent, send_report
from asyncgen.endpoints.simulated.options import SimulatedOptions
from asyncgen.endpoints.simulated.server import simulated_here
from asyncgen.errors import AsyncgenError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["fastest_loop", "main"]


def main() -> None:
    """Serve until the parent goes or SIGTERM comes; the options are the only argument, as JSON."""
    live_with_parent()
    options = msgspec.json.decode(sys.argv[1], type=SimulatedOptions)
    try:
        with asyncio.Runner(loop_factory=fastest_loop()) as runner:
            runner.run(_serve(options))
    except AsyncgenError as error:
        send_report({"error": str(error)})
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
        send_report({"port": provider.port})
        # SIGTERM ends the process the plain way: there is no state to save.
        await asyncio.Event().wait()

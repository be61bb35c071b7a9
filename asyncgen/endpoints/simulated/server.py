"""The simulated provider in this process: real sockets, and a hand on the limits."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncgen.endpoints.simulated.options import check_options
from asyncgen.endpoints.simulated.places import Places
from asyncgen.endpoints.simulated.protocol import Connection
from asyncgen.endpoints.simulated.provider import Provider
from asyncgen.endpoints.simulated.request_log import RequestLog
from asyncgen.errors import LocalServerError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from asyncgen.endpoints.simulated.options import Allowance, Outage, SimulatedOptions
    from asyncgen.endpoints.simulated.verdict import Verdict

__all__ = ["SimulatedProvider", "base_url_of", "simulated_here"]

_BACKLOG = 4096


@dataclass(frozen=True, slots=True)
class SimulatedProvider:
    """A provider that is serving from this process's event loop.

    Attributes:
        base_url: What to give an OpenAI client; Anthropic ones take it without ``/v1``.
    """

    base_url: str
    port: int
    _provider: Provider
    _loop: asyncio.AbstractEventLoop

    @property
    def allowance(self) -> Allowance:
        """The limits in force."""
        return self._provider.allowance

    def verdict(self) -> Verdict:
        """Return what the provider thinks of its client so far."""
        return self._provider.verdict(self._loop.time())

    def change_limits(self, allowance: Allowance) -> None:
        """Put other limits in force at once.

        Raises:
            SettingsError: If one of them is none.
        """
        self._provider.change_limits(allowance, self._loop.time())

    def start_outage(self, seconds: float, kind: Outage = "503") -> None:
        """Fail every request for some time from now on."""
        self._provider.start_outage(seconds, kind, self._loop.time())


@asynccontextmanager
async def simulated_here(options: SimulatedOptions) -> AsyncGenerator[SimulatedProvider]:
    """Serve from this event loop for as long as the block runs.

    Raises:
        SettingsError: If the options contradict themselves, or the log cannot be written.
        LocalServerError: If the address cannot be listened on.
    """
    check_options(options)
    loop = asyncio.get_running_loop()
    provider = Provider(options, loop.time())
    places: Places[Connection] = Places(options.latency.knee)
    connections: set[Connection] = set()
    with ExitStack() as stack:
        log = stack.enter_context(RequestLog(options.log)) if options.log else None
        try:
            server = await loop.create_server(
                lambda: Connection(provider, places, connections, log),
                options.host,
                options.port,
                backlog=_BACKLOG,
            )
        except OSError as error:
            raise LocalServerError(
                f"cannot listen on {options.host}:{options.port}: {error.strerror or error}"
            ) from error
        port: int = server.sockets[0].getsockname()[1]
        try:
            yield SimulatedProvider(base_url_of(options.host, port), port, provider, loop)
        finally:
            server.close()
            for connection in tuple(connections):
                connection.abort()
            await asyncio.sleep(0)  # those that were broken off hear of it, and log it


def base_url_of(host: str, port: int) -> str:
    """Return the base URL for OpenAI clients."""
    return f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"

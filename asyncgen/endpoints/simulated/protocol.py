"""Moving bytes: one connection, one request at a time, one timer each. Decisions are elsewhere."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from typing import TYPE_CHECKING, cast

from asyncgen.endpoints.simulated.admin import other_route
from asyncgen.endpoints.simulated.dialects import PATHS
from asyncgen.endpoints.simulated.http import MalformedRequest, RequestReader, response

if TYPE_CHECKING:
    from asyncgen.endpoints.simulated.http import HttpRequest
    from asyncgen.endpoints.simulated.places import Places
    from asyncgen.endpoints.simulated.plans import Plan
    from asyncgen.endpoints.simulated.provider import Provider
    from asyncgen.endpoints.simulated.request_log import RequestLog

__all__ = ["Connection"]

_RESET = struct.pack("ii", 1, 0)  # linger for 0 s: closing sends RST


class Connection(asyncio.Protocol):
    """One client's connection.

    Args:
        provider: Decides.
        places: Who may compute.
        connections: All that are open; this one enters and leaves it.
        log: Where each request is written when it has ended, if anywhere.
    """

    def __init__(
        self,
        provider: Provider,
        places: Places[Connection],
        connections: set[Connection],
        log: RequestLog | None = None,
    ) -> None:
        self._provider = provider
        self._places = places
        self._connections = connections
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._reader = RequestReader()
        self._transport: asyncio.Transport | None = None
        self._plan: Plan | None = None
        self._came = 0.0  # Unix time
        self._closes = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # A stream server gives no other; uvloop's own is a subclass only by its word.
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Read on; answer if nothing else is being answered."""
        self._reader.feed(data)
        if self._plan is None:
            self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's form
        """Give up what is under way: nobody reads it any more."""
        self._connections.discard(self)
        self._transport = None
        if self._plan is not None:
            self._end(self._plan, delivered=False)

    def start(self) -> None:
        """Compute: the time that it takes begins."""
        if self._plan is not None:
            self._timer = self._loop.call_later(self._plan.seconds, self._computed)

    def abort(self) -> None:
        """Break the connection off."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def _close(self) -> None:
        """Close when all is written; what else the client has asked is not answered."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _go_on(self) -> None:
        while self._plan is None and self._transport is not None:
            request = self._reader.next()
            if request is None:
                if self._reader.wants_continue():
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            if isinstance(request, MalformedRequest):
                self._transport.write(response(400, request.problem.encode(), kind="text/plain"))
                self._close()
                return
            self._begin(request, self._transport)

    def _begin(self, request: HttpRequest, transport: asyncio.Transport) -> None:
        self._closes = request.closes
        api = PATHS.get(request.path) if request.method == "POST" else None
        now = self._loop.time()
        if api is None:
            transport.write(other_route(self._provider, request, now))
            if self._closes:
                self._close()
            return
        self._came = time.time()
        plan = self._plan = self._provider.receive(api, request.body, now, self._came)
        if not plan.computes:
            self._send()
        elif self._places.enter(self):
            self.start()

    def _computed(self) -> None:
        self._send()
        self._go_on()

    def _send(self) -> None:
        """Write the answer, and end as planned."""
        plan, transport = self._plan, self._transport
        if plan is None or transport is None:
            return
        if plan.ending == "silence":
            transport.write(plan.data)
            self._leave()
            return
        # On record before it is sent: this process may be killed in between.
        self._end(plan, delivered=True)
        transport.write(plan.data)
        if plan.ending == "reset":
            connected: socket.socket = transport.get_extra_info("socket")
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.abort()
        elif plan.ending == "close" or self._closes:
            self._close()

    def _end(self, plan: Plan, *, delivered: bool) -> None:
        self._plan = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._leave()
        outcome = self._provider.finish(plan, self._loop.time(), delivered=delivered)
        if self._log is not None:
            self._log.write(plan.key, self._came, time.time(), outcome)

    def _leave(self) -> None:
        following = self._places.leave(self)
        if following is not None:
            following.start()

"""The listening end: moves lines, and knows nothing of what they mean."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from asyncgen.control.place import SOCKET, short_path

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

__all__ = ["serving"]

_LONGEST_LINE = 65_536
"""Bytes. A command has a few hundred."""

_MOST_CLIENTS = 16
"""Beyond that, the one that came first and says nothing is cut off."""


@asynccontextmanager
async def serving(folder: Path, answer: Callable[[bytes], bytes]) -> AsyncGenerator[None]:
    """Answer lines at the folder's socket for as long as the block runs.

    The caller holds the folder: a socket that is there was left by a process that died.

    Args:
        folder: Where the socket is made, for its owner alone.
        answer: Called with each line, its end taken off; returns the line to send back.

    Raises:
        OSError: If no socket can be made there.
    """
    path = folder / SOCKET
    path.unlink(missing_ok=True)
    clients: dict[asyncio.Transport, None] = {}
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            with short_path(folder) as short:
                listener.bind(short)
            # Nobody can connect yet: that begins with listening.
            path.chmod(0o600)
            server = await asyncio.get_running_loop().create_unix_server(
                lambda: _Client(answer, clients), sock=listener
            )
            try:
                yield
            finally:
                server.close()
                for client in tuple(clients):
                    client.close()
        finally:
            path.unlink(missing_ok=True)


class _Client(asyncio.Protocol):
    """One client: a line is answered at a time, and others get their turn between two.

    Args:
        answer: As :func:`serving` has it.
        clients: All that are connected, the oldest first.
    """

    def __init__(
        self, answer: Callable[[bytes], bytes], clients: dict[asyncio.Transport, None]
    ) -> None:
        self._answer = answer
        self._clients = clients
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # It is one, though uvloop's does not derive from it.
        self._transport = cast("asyncio.Transport", transport)
        self._clients[self._transport] = None
        if len(self._clients) > _MOST_CLIENTS:
            next(iter(self._clients)).abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio calls it so
        if self._transport is not None:
            self._clients.pop(self._transport, None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._transport is not None:
            self._transport.pause_reading()
            self._next(self._transport)

    def pause_writing(self) -> None:
        """Drop a client that asks and does not read."""
        if self._transport is not None:
            self._transport.abort()

    def _next(self, transport: asyncio.Transport) -> None:
        if transport.is_closing():
            return
        line, end, rest = self._buffer.partition(b"\n")
        if end:
            self._buffer = rest
            transport.write(self._answer(line) + b"\n")
            asyncio.get_running_loop().call_soon(self._next, transport)
        elif len(line) > _LONGEST_LINE:
            transport.abort()
        else:
            transport.resume_reading()

"""HTTP by aiohttp: its session, its time limits, its proxies, its exceptions in our words."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from asyncgen.endpoints.bodies import one_line
from asyncgen.endpoints.deadline import Deadline
from asyncgen.errors import (
    DisconnectedError,
    EndpointRefusedError,
    SettingsError,
    TimedOutError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from asyncgen.errors import Phase

__all__ = ["Timeouts", "attempt", "open_session"]

_KEEP_ALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""Seconds, seconds and a count, where the system knows them: a dead connection ends after two
minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait, in seconds; ``None`` for as long as ``total`` allows.

    Attributes:
        total: For one whole attempt.
        connect: Until a connection stands, TLS included.
        first_byte: From the request to the first byte of the answer, which services send when
            all of it is made.
        stall: Between two pieces of the answer.
    """

    total: float = 300.0
    connect: float = 10.0
    first_byte: float | None = None
    stall: float | None = 120.0


def open_session(
    base_url: str, headers: Mapping[str, str], timeouts: Timeouts
) -> aiohttp.ClientSession:
    """Open a session for one service; one connection for each request in flight.

    Raises:
        SettingsError: If the environment names a proxy of a kind that cannot be used.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, socket_factory=_kept_alive),
        # The other limits are kept by `attempt`.
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=timeouts.connect),
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        # Not trust_env: it looks for proxies and a netrc file on two other threads, each request.
        proxy=_proxy_for(base_url),
    )


def _proxy_for(base_url: str) -> str | None:
    """Return the proxy that the environment names for a URL."""
    parts = urlsplit(base_url)
    if parts.hostname is None or proxy_bypass(parts.hostname):
        return None
    proxy = getproxies().get(parts.scheme)
    if proxy is not None and urlsplit(proxy).scheme not in {"http", "https"}:
        raise SettingsError(
            f"${parts.scheme}_proxy: only http and https proxies can be used; unset it, or name "
            "the host in $no_proxy"
        )
    return proxy


def _kept_alive(address: tuple[Any, ...]) -> socket.socket:
    """Return a socket that notices when the other end, or the way there, is gone.

    While an answer is made nothing is sent either way, for minutes: routers forget such a
    connection, and after a sleep there may be none left.
    """
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE.items():
        if hasattr(socket, name):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return made


class attempt:  # noqa: N801 - reads as a word where it is used
    """One attempt at a URL: its time limits, and aiohttp's exceptions in our words."""

    __slots__ = ("_deadline", "_timeouts", "_url")

    def __init__(self, url: str, timeouts: Timeouts) -> None:
        self._url = url
        self._timeouts = timeouts

    def __enter__(self) -> Self:
        timeouts = self._timeouts
        self._deadline = Deadline(timeouts.total, timeouts.first_byte, timeouts.stall)
        return self

    async def read(self, response: aiohttp.ClientResponse) -> bytes:
        """Return the body of an answer whose head has come."""
        content, pieces = response.content, list[bytes]()
        while not content.at_eof():
            if not content.is_eof():
                self._deadline.progress()
            pieces.append(await content.readany())
        return b"".join(pieces)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        late = self._deadline.close(error)
        if error is None:
            return
        ours = self._timed_out(late, error) or _failed(self._url, error)
        if ours is not None:
            raise ours from error

    def _timed_out(self, late: Phase | None, error: BaseException) -> TimedOutError | None:
        timeouts = self._timeouts
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            late = "connect"
        match late:
            case None:
                return None
            case "connect":
                problem = f"no connection within {timeouts.connect:g} s"
            case "first_byte":
                problem = f"no first byte within {timeouts.first_byte or 0:g} s"
            case "stalled":
                problem = f"the answer stalled for {timeouts.stall or 0:g} s"
            case "total":
                problem = f"no answer within {timeouts.total:g} s"
        return TimedOutError(f"{self._url}: {problem}", phase=late)


def _failed(
    url: str, error: BaseException
) -> UnreachableError | EndpointRefusedError | DisconnectedError | None:
    host = urlsplit(url).hostname
    match error:
        case aiohttp.ClientConnectorDNSError():
            return UnreachableError(f"{url}: unknown host '{host}'")
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return EndpointRefusedError(
                f"{url}: TLS failed: {one_line(error)}; check the scheme, or the CA "
                "bundle in $SSL_CERT_FILE"
            )
        case aiohttp.ClientConnectorError():
            return UnreachableError(f"{url}: {_said(error.os_error)}; is the server running there?")
        case aiohttp.InvalidURL() | UnicodeError():
            return EndpointRefusedError(f"{url}: not a URL")
        case aiohttp.ClientError():
            said = getattr(error, "message", "") or error
            problem = one_line(said) or type(error).__name__
            return DisconnectedError(f"{url}: {problem}")
        case _:
            return None


def _said(error: OSError) -> str:
    """Return the system's words for an error; asyncio hides them behind its own."""
    said = os.strerror(error.errno).lower() if error.errno else one_line(error)
    return said or "the connection was closed while it was made"

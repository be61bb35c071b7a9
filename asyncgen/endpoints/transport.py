"""HTTP by aiohttp: its session, its time limits, its proxies, its exceptions in our words."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from asyncgen.endpoints.bodies import one_line
from asyncgen.errors import (
    AsyncgenError,
    EndpointRefusedError,
    SettingsError,
    TimedOutError,
    TransientError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FAILURES", "Timeouts", "await_rest", "in_our_words", "open_session"]

FAILURES = (aiohttp.ClientError, TimeoutError, UnicodeError)
"""What aiohttp raises where it could not ask."""


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
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
        timeout=aiohttp.ClientTimeout(
            total=timeouts.total, sock_connect=timeouts.connect, sock_read=timeouts.first_byte
        ),
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


def await_rest(response: aiohttp.ClientResponse, stall: float | None) -> None:
    """From the headers on, let a response pause for ``stall`` seconds."""
    connection = response.connection
    # None once all of it has come.
    if connection is not None and connection.protocol is not None:
        connection.protocol.read_timeout = stall
        connection.protocol.start_timeout()


def in_our_words(
    error: aiohttp.ClientError | TimeoutError | UnicodeError,
    url: str,
    timeouts: Timeouts,
    *,
    begun: bool,
) -> AsyncgenError:
    """Turn one of :data:`FAILURES` into ours, at the seam and nowhere else.

    Args:
        error: As aiohttp raised it.
        url: Of the service.
        timeouts: That held.
        begun: Whether the headers of the answer had come.
    """
    match error:
        case aiohttp.ConnectionTimeoutError():
            problem = f"{url}: no connection within {timeouts.connect:g} s"
            return TimedOutError(problem, phase="connect")
        case aiohttp.SocketTimeoutError() if begun:
            problem = f"{url}: the answer stalled for {timeouts.stall or 0:g} s"
            return TimedOutError(problem, phase="stalled")
        case aiohttp.SocketTimeoutError():
            problem = f"{url}: no first byte within {timeouts.first_byte or 0:g} s"
            return TimedOutError(problem, phase="first_byte")
        case TimeoutError():
            problem = f"{url}: no answer within {timeouts.total:g} s"
            return TimedOutError(problem, phase="total")
        case _:
            return _failed(url, error)


def _failed(url: str, error: aiohttp.ClientError | UnicodeError) -> AsyncgenError:
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
        case _:
            said = getattr(error, "message", "") or error
            problem = one_line(said) or type(error).__name__
            return TransientError(f"{url}: {problem}", possibly_billed=True)


def _said(error: OSError) -> str:
    """Return the system's words for an error; asyncio hides them behind its own."""
    said = os.strerror(error.errno).lower() if error.errno else one_line(error)
    return said or "the connection was closed while it was made"

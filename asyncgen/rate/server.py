"""The page and its requests over HTTP; all of them need the token.

The token is the first part of every path, so that the page's own requests carry it without
cookies. A request without it learns nothing but that.
"""

from __future__ import annotations

import hmac
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import msgspec
from aiohttp import web

from asyncgen.errors import LocalServerError, RunFolderError
from asyncgen.rate.page import HEADERS, rating_page

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from typing import TypeAlias

    from aiohttp.typedefs import Middleware

    from asyncgen.rate.desk import Desk
    from asyncgen.rate.sheet import Turn

    Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

__all__ = ["Served", "serving"]

T = TypeVar("T")

_LARGEST = 16_384
"""Bytes of a request's body."""


class Served(msgspec.Struct, frozen=True):
    """Where the page is."""

    url: str
    port: int


class _Coming(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rater: str


class _Rated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rater: str
    response: int
    level: str


class _Undone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rater: str
    response: int


@asynccontextmanager
async def serving(desk: Desk, token: str, host: str, port: int) -> AsyncGenerator[Served]:
    """Serve the page for as long as the block runs, and yield where.

    Args:
        desk: Answers the page's requests.
        token: Whoever has it may rate.
        host: Address to listen on.
        port: 0 takes a free one.

    Raises:
        LocalServerError: If the address cannot be listened on.
    """
    runner = web.AppRunner(_application(desk, token), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            reason = error.strerror or str(error)
            raise LocalServerError(
                f"cannot listen on {host}:{port}: {reason}; choose another with --port"
            ) from error
        taken = int(runner.addresses[0][1])
        # A wildcard is no address to go to.
        name = socket.gethostname() if host in {"0.0.0.0", "::"} else host  # noqa: S104 - asked for
        yield Served(f"http://{f'[{name}]' if ':' in name else name}:{taken}/{token}/", taken)
    finally:
        await runner.cleanup()


def _application(desk: Desk, token: str) -> web.Application:
    page = rating_page().encode()
    app = web.Application(middlewares=[_guard(token)], client_max_size=_LARGEST)
    app.on_response_prepare.append(_with_headers)

    async def show(_request: web.Request) -> web.Response:
        return web.Response(body=page, content_type="text/html", charset="utf-8")

    async def begin(request: web.Request) -> web.Response:
        return await _answer(request, _Coming, lambda one: desk.begin(one.rater))

    async def rate(request: web.Request) -> web.Response:
        return await _answer(
            request, _Rated, lambda one: desk.rate(one.rater, one.response, one.level)
        )

    async def undo(request: web.Request) -> web.Response:
        return await _answer(request, _Undone, lambda one: desk.undo(one.rater, one.response))

    app.router.add_get("/{token}/", show)
    app.router.add_post("/{token}/begin", begin)
    app.router.add_post("/{token}/rate", rate)
    app.router.add_post("/{token}/undo", undo)
    return app


def _guard(token: str) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.path.split("/", 2)[1]
        if not hmac.compare_digest(given.encode(), token.encode()):
            return _refusal(403, "the address lacks the token; open the one that was printed")
        try:
            return await handler(request)
        except web.HTTPException as error:
            return _refusal(error.status, error.reason)

    return guard


async def _with_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


async def _answer(request: web.Request, kind: type[T], act: Callable[[T], Turn]) -> web.Response:
    body = await request.read()
    try:
        asked = msgspec.json.decode(body, type=kind)
        # A commit waits for the disk, a few milliseconds; raters are people.
        result = act(asked)
    except (msgspec.MsgspecError, ValueError) as error:
        return _refusal(400, str(error))
    except RunFolderError as error:
        return _refusal(503, str(error))
    return web.Response(body=msgspec.json.encode(result), content_type="application/json")


def _refusal(status: int, problem: str) -> web.Response:
    return web.Response(
        body=msgspec.json.encode({"error": problem}),
        status=status,
        content_type="application/json",
    )

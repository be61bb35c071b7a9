"""One attempt at a request over a real connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from msgspec import structs
from support.server import ModelServer, Reply

from asyncgen.endpoints.http import HttpEndpoint
from asyncgen.endpoints.http_options import HttpOptions
from asyncgen.endpoints.transport import Timeouts
from asyncgen.records import Prompt, Request, Sampling

if TYPE_CHECKING:
    from asyncgen.errors import AsyncgenError
    from asyncgen.records import Completion
    from asyncgen.records import Reply as Heard

__all__ = ["ask", "error_body", "failure", "question", "saying", "send"]


TIMEOUTS = {"total", "connect", "first_byte", "stall"}


def saying(text: str) -> ModelServer:
    """Return a server that always answers the same."""
    return ModelServer(lambda _body, _number: Reply(text))


def question(fixed: str = "Be brief.", variable: str = "Name a river.", **sampling: Any) -> Request:
    """Return a request."""
    return Request("generation", "0", Prompt(fixed, variable), Sampling(**sampling))


def send(url: str, request: Request | None = None, **options: Any) -> Completion:
    """Open an endpoint, make one attempt, close it; return the answer alone."""
    return ask(url, request, **options).completion


def ask(url: str, request: Request | None = None, **options: Any) -> Heard:
    """Open an endpoint, make one attempt, close it.

    Options are those of the endpoint; those of its timeouts by their own names.
    """
    request = request or question()
    api = options.pop("api", request.prompt.api)
    asked = structs.replace(request, prompt=structs.replace(request.prompt, api=api))

    timeouts = {name: options.pop(name) for name in TIMEOUTS & options.keys()}

    async def main() -> Heard:
        settings: dict[str, Any] = {"model": "test-model", **options}
        if timeouts:
            settings["timeouts"] = Timeouts(**timeouts)
        async with HttpEndpoint(HttpOptions(base_url=url, api=api, **settings)) as endpoint:
            return await endpoint.send(asked)

    return asyncio.run(main())


def failure(
    url: str, expected: type[AsyncgenError], request: Request | None = None, **options: Any
) -> Any:
    """Make an attempt that fails in an expected way; return the error, which is one line."""
    with pytest.raises(expected) as caught:
        send(url, request, **options)
    assert type(caught.value) is expected
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


def error_body(message: str, **fields: Any) -> bytes:
    """Return an error as OpenAI-compatible services write it."""
    return orjson.dumps({"error": {"message": message, **fields}})

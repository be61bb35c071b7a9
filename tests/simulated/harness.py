"""A simulated provider in the test's own loop, and an aiohttp client for it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import orjson

from asyncgen.endpoints.simulated import Latency, SimulatedOptions, simulated_here

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from asyncgen.endpoints.simulated import SimulatedProvider

__all__ = ["Caller", "Heard", "against", "chat", "options"]

T = TypeVar("T")


def options(**changes: Any) -> SimulatedOptions:
    """Return options under which nothing takes time, unless told otherwise."""
    settings: dict[str, Any] = {"latency": Latency(first=0.0), **changes}
    return SimulatedOptions(**settings)


def chat(said: str, **fields: Any) -> bytes:
    """Return the body of a chat request."""
    messages = [{"role": "user", "content": said}]
    return orjson.dumps({"model": "simulated", "messages": messages, **fields})


@dataclass(frozen=True)
class Heard:
    """A response as it came."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """What its JSON stands for."""
        return orjson.loads(self.content)


@dataclass(frozen=True)
class Caller:
    """A provider and a session to ask it."""

    provider: SimulatedProvider
    session: aiohttp.ClientSession

    async def post(self, path: str, content: bytes) -> Heard:
        """Post to a path below the host."""
        url = f"http://127.0.0.1:{self.provider.port}{path}"
        async with self.session.post(url, data=content) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Heard(response.status, headers, await response.read())

    async def ask(self, said: str, **fields: Any) -> Heard:
        """Ask one chat completion."""
        return await self.post("/v1/chat/completions", chat(said, **fields))

    async def get(self, path: str) -> Heard:
        """Get a path below the host."""
        async with self.session.get(f"http://127.0.0.1:{self.provider.port}{path}") as response:
            return Heard(response.status, dict(response.headers), await response.read())


def against(simulated: SimulatedOptions, ask: Callable[[Caller], Awaitable[T]]) -> T:
    """Serve, run a client, stop; over real sockets."""

    async def main() -> T:
        async with _calling(simulated) as caller:
            return await ask(caller)

    return asyncio.run(main())


@asynccontextmanager
async def _calling(simulated: SimulatedOptions) -> AsyncGenerator[Caller]:
    async with (
        simulated_here(simulated) as provider,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        yield Caller(provider, session)

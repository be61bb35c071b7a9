"""The embedded model as an endpoint: fetched, started and stopped for one run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread

from asyncgen.endpoints.embedded.model import ModelSource, find_model, fingerprint
from asyncgen.endpoints.embedded.options import ServerOptions
from asyncgen.endpoints.embedded.process import embedded_server
from asyncgen.endpoints.http import HttpEndpoint
from asyncgen.endpoints.http_options import HttpOptions
from asyncgen.endpoints.prices import FREE
from asyncgen.endpoints.transport import Timeouts
from asyncgen.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack

    from asyncgen.endpoints.embedded.process import EmbeddedServer
    from asyncgen.records import Reply, Request
    from asyncgen.settings import Settings

__all__ = ["EmbeddedEndpoint", "open_embedded"]

LABEL = "local"
"""What provenance calls the endpoint: its port differs from session to session."""


class EmbeddedEndpoint(HttpEndpoint):
    """Talks to a server of ours; when it cannot be reached, it is known to be dead."""

    def __init__(self, server: EmbeddedServer, settings: Settings, identity: str) -> None:
        super().__init__(
            HttpOptions(
                base_url=server.base_url,
                name=LABEL,
                model=server.model,
                timeouts=Timeouts(
                    total=settings.timeout, connect=settings.connect_timeout, stall=None
                ),
                label=LABEL,
                identity=identity,
                paid=False,
                restricts_choices=True,
            ),
            prices=FREE,
        )
        self._server = server

    async def send(self, request: Request) -> Reply:
        """Make one attempt.

        Raises:
            LocalServerError: If the server died; with the end of its log.
        """
        try:
            return await super().send(request)
        except UnreachableError as error:
            raise self._server.death() from error


async def open_embedded(
    stack: AsyncExitStack, settings: Settings, server_log: Path, say: Callable[[str], None]
) -> EmbeddedEndpoint:
    """Find or fetch the model, start its server and open it; the stack stops it.

    Raises:
        ModelFileError: If the model is missing or damaged, or cannot be fetched.
        MissingExtraError: If no runtime is installed.
        LocalServerError: If the server does not become ready.
    """
    source = ModelSource(
        path=Path(settings.model_path) if settings.model_path else None, hub=settings.hub or None
    )
    model = await anyio.to_thread.run_sync(find_model, source, _Reporter(say))
    say(f"loading {model.name}")
    options = ServerOptions() if settings.slots is None else ServerOptions(slots=settings.slots)
    server = await stack.enter_async_context(embedded_server(model, options, server_log))
    say(f"{model.name} is ready ({server.runtime}, {options.slots} slots)")
    identity = f"{LABEL} {model.name} {await anyio.to_thread.run_sync(fingerprint, model.path)}"
    return await stack.enter_async_context(EmbeddedEndpoint(server, settings, identity))


class _Reporter:
    """Says how far a download is, at most once a second."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said_at = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._said_at >= 1 or done == total:
            self._said_at = now
            self._say(f"fetching the model: {done / 1e6:.0f} of {total / 1e6:.0f} MB")

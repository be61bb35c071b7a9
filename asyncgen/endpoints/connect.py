"""From settings to open endpoints; the embedded model is started and stopped with them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from asyncgen.endpoints.openai import OpenAIEndpoint, OpenAIOptions
from asyncgen.endpoints.prices import price_list

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack
    from pathlib import Path

    from asyncgen.endpoints.base import Endpoint
    from asyncgen.settings import Settings

__all__ = ["open_endpoints"]


async def open_endpoints(
    stack: AsyncExitStack, settings: Settings, server_log: Path, say: Callable[[str], None]
) -> list[Endpoint]:
    """Open the endpoints that the settings name; the stack closes them.

    Args:
        stack: Owns what is opened.
        settings: Of the run.
        server_log: Where the embedded model's server writes.
        say: Told what is going on, for the person who waits.

    Raises:
        InputError: If the embedded model cannot be had, or a key is unusable.
        LocalServerError: If its server does not start.
    """
    if settings.is_embedded:
        from asyncgen.endpoints.embedded.endpoint import open_embedded

        return [await open_embedded(stack, settings, server_log, say)]
    return [await stack.enter_async_context(_hosted(settings, url)) for url in settings.endpoint]


def _hosted(settings: Settings, base_url: str) -> OpenAIEndpoint:
    host = urlsplit(base_url).hostname or ""
    local = host == "localhost" or host.startswith("127.") or host == "::1"
    return OpenAIEndpoint(
        OpenAIOptions(
            base_url=base_url,
            model=settings.model,
            api_key_env=settings.api_key_env,
            timeout=settings.timeout,
            connect_timeout=settings.connect_timeout,
        ),
        # A server on this machine has no price list, and need not wait for one to load.
        price=None if local else price_list(base_url),
    )

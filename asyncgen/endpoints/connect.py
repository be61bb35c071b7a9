"""From settings to open endpoints; the embedded model is started and stopped with them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from asyncgen.endpoints.http import HttpEndpoint, HttpOptions
from asyncgen.endpoints.prices import fixed_prices, public_prices
from asyncgen.endpoints.transport import Timeouts

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack
    from pathlib import Path

    from asyncgen.endpoints.base import Endpoint
    from asyncgen.endpoints.prices import PriceList
    from asyncgen.settings import EndpointSettings, Settings

__all__ = ["open_endpoints", "prices_of", "timeouts_of"]


async def open_endpoints(
    stack: AsyncExitStack, settings: Settings, server_log: Path, say: Callable[[str], None]
) -> list[Endpoint]:
    """Open the endpoints that the settings name, in the order of their lanes.

    Args:
        stack: Owns what is opened, and closes it.
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
    timeouts = timeouts_of(settings)
    return [await stack.enter_async_context(_hosted(lane, timeouts)) for lane in settings.lanes()]


def timeouts_of(settings: Settings) -> Timeouts:
    """Return how long the settings wait for what."""
    return Timeouts(
        total=settings.timeout,
        connect=settings.connect_timeout,
        first_byte=settings.first_byte_timeout,
        stall=settings.stall_timeout,
    )


def _hosted(lane: EndpointSettings, timeouts: Timeouts) -> HttpEndpoint:
    return HttpEndpoint(
        HttpOptions(
            base_url=lane.url,
            model=lane.model,
            api=lane.api or "chat",
            api_key_env=lane.api_key_env,
            timeouts=timeouts,
            headers=lane.headers,
        ),
        prices=prices_of(lane),
    )


def prices_of(lane: EndpointSettings) -> PriceList | None:
    """Return what an endpoint costs, ``None`` where that is not known."""
    if lane.price is not None:
        return fixed_prices(lane.price)
    host = urlsplit(lane.url).hostname or ""
    if host == "localhost" or host.startswith("127.") or host == "::1":
        # A server on this machine has no price list, and need not wait for one to load.
        return None
    return public_prices(lane.url, lane.model)

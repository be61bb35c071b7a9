"""From settings to open endpoints; the embedded model is started and stopped with them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from asyncgen.endpoints.http import HttpEndpoint
from asyncgen.endpoints.http_options import HttpOptions
from asyncgen.endpoints.prices import FREE, fixed_prices, public_prices
from asyncgen.endpoints.transport import Timeouts
from asyncgen.settings import EMBEDDED, SIMULATED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AsyncExitStack
    from pathlib import Path

    from asyncgen.endpoints.base import Endpoint
    from asyncgen.endpoints.prices import PriceList
    from asyncgen.settings import EndpointSettings, Settings

__all__ = ["lane_names", "open_endpoints", "prices_of", "timeouts_of"]


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
    timeouts, lanes = timeouts_of(settings), settings.lanes()
    opened: list[Endpoint] = []
    for lane, name in zip(lanes, lane_names(lanes), strict=True):
        if lane.url == EMBEDDED:
            from asyncgen.endpoints.embedded.endpoint import open_embedded

            opened.append(await open_embedded(stack, settings, server_log, say))
        elif lane.url == SIMULATED:
            opened.append(await _open_simulated(stack, lane, name, timeouts, server_log))
        else:
            opened.append(await stack.enter_async_context(_hosted(lane, name, timeouts)))
    return opened


async def _open_simulated(
    stack: AsyncExitStack, lane: EndpointSettings, name: str, timeouts: Timeouts, server_log: Path
) -> Endpoint:
    """Start a simulated provider as it is by default, and open it; the stack stops it."""
    from asyncgen.endpoints.simulated import SimulatedOptions, simulated_server

    server = await stack.enter_async_context(simulated_server(SimulatedOptions(), server_log))
    options = HttpOptions(
        base_url=server.base_url,
        name=name,
        model=lane.model,
        api=lane.api or "chat",
        timeouts=timeouts,
        label=SIMULATED,
        # Whatever model it plays: a trial must not pass for the real one later.
        identity=f"{SIMULATED} {lane.model}",
        paid=False,
    )
    return await stack.enter_async_context(HttpEndpoint(options, prices=prices_of(lane)))


def timeouts_of(settings: Settings) -> Timeouts:
    """Return how long the settings wait for what."""
    return Timeouts(
        total=settings.timeout,
        connect=settings.connect_timeout,
        first_byte=settings.first_byte_timeout,
        stall=settings.stall_timeout,
    )


def lane_names(lanes: Sequence[EndpointSettings]) -> list[str]:
    """Name each lane by its URL, and what tells it from the others there: key, model, number."""
    told = [
        (lane.url, f"{lane.url} (${lane.api_key_env})", f"{lane.url} ({lane.model})")
        for lane in lanes
    ]
    for names in zip(*told, strict=True):
        if len(set(names)) == len(names):
            return list(names)
    return [f"{lane.url} ({number})" for number, lane in enumerate(lanes, start=1)]


def _hosted(lane: EndpointSettings, name: str, timeouts: Timeouts) -> HttpEndpoint:
    return HttpEndpoint(
        HttpOptions(
            base_url=lane.url,
            name=name,
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
    if lane.url in {EMBEDDED, SIMULATED}:
        return FREE
    host = urlsplit(lane.url).hostname or ""
    if host == "localhost" or host.startswith("127.") or host == "::1":
        # A server on this machine has no price list, and need not wait for one to load.
        return None
    return public_prices(lane.url, lane.model)

"""An endpoint under rising load: level by level, until it refuses or gets no faster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncgen.bench.levels import knee, most_requests, reason_to_stop
from asyncgen.errors import RunPausedError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncgen.bench.levels import Level
    from asyncgen.bench.load import Bounds, FirstRefusal, Load
    from asyncgen.endpoints.base import Endpoint
    from asyncgen.records import RateHint, Request

__all__ = ["Climb", "EndpointReport", "at_most"]


@dataclass(frozen=True, slots=True)
class EndpointReport:
    """What was measured.

    Attributes:
        endpoint: Its name.
        levels: In the order in which they rose.
        knee: The smallest level within 10 % of the best throughput, see
            :func:`asyncgen.bench.levels.knee`.
        first_refusal: The first for the rate.
        hints: The last that was said of each limit.
        requests: Attempts in all, the one before the first level included.
        cost: US dollars, what was lost but may have been billed at its worst; ``None`` where
            no price is known.
        stopped: ``levels`` (all were measured), ``rate_limited``, ``saturated``, ``failing``,
            ``max_requests``, ``max_cost``, ``refused`` or ``interrupted``.
    """

    endpoint: str
    levels: tuple[Level, ...]
    knee: int | None
    first_refusal: FirstRefusal | None
    hints: tuple[RateHint, ...]
    requests: int
    cost: float | None
    stopped: str


class Climb:
    """Measures an endpoint; what there is can be told at any time.

    Args:
        endpoint: Open.
        levels: Requests in flight, rising.
        load: Asks the endpoint.
    """

    def __init__(self, endpoint: Endpoint, levels: tuple[int, ...], load: Load) -> None:
        self._endpoint = endpoint
        self._wanted = levels
        self._load = load
        self._levels: list[Level] = []
        self._stopped: str | None = None

    async def run(self, tell: Callable[[Level], None]) -> None:
        """Rise until there is a reason to stop.

        Args:
            tell: Called with each level when it is over.

        Raises:
            EndpointRefusedError: If it refuses for good, or nothing answers there.
            RunPausedError: If no quota is left, or nothing was answered.
            LocalServerError: If it was a server of ours, and died.
        """
        load = self._load
        await load.first()
        for in_flight in self._wanted:
            level = await load.level(in_flight)
            if level.requests:
                self._levels.append(level)
                tell(level)
                self._stopped = reason_to_stop(self._levels)
            self._stopped = load.stopped or self._stopped
            if self._stopped is not None:
                break
        else:
            self._stopped = "levels"
        if load.problem is not None:
            raise load.problem
        if load.said and load.first_refusal is None and not any(x.answered for x in self._levels):
            raise RunPausedError(f"nothing was answered: {load.said}")

    def report(self) -> EndpointReport:
        """Return what was measured so far, the level under way included."""
        load, levels = self._load, self._levels
        unfinished = load.unfinished()
        if unfinished is not None:
            levels = [*levels, unfinished]
        return EndpointReport(
            endpoint=self._endpoint.name,
            levels=tuple(levels),
            knee=knee(levels),
            first_refusal=load.first_refusal,
            hints=tuple(load.hints.values()),
            requests=load.asked,
            cost=load.purse.spent if load.purse.known else None,
            stopped=self._stopped or load.stopped or "interrupted",
        )


def at_most(
    endpoint: Endpoint, request: Request, levels: tuple[int, ...], bounds: Bounds
) -> tuple[int, float | None]:
    """Return how many requests there may be, and what they may cost in US dollars.

    Raises:
        SettingsError: If the cost is bounded, but no price is known, or one request may cost more.
    """
    worst, limit = endpoint.worst_cost(request), bounds.max_cost
    if limit is not None and worst is not None and worst > limit:
        raise SettingsError(f"--max-cost {limit:g}: one request may cost ${worst:.2g}")
    if worst is None and limit is not None:
        raise SettingsError(
            f"--max-cost: no price is known for {endpoint.name}; say it in a settings file, under "
            "[[endpoints]]: price = { input = …, output = … }"
        )
    count = 1 + sum(most_requests(level, bounds.seconds) for level in levels)
    count = min(count, bounds.max_requests or count)
    cost = None if worst is None else count * worst
    if cost is not None and limit is not None:
        cost = min(cost, limit)
    return count, cost

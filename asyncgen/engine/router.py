"""Where a request goes: a plain function over the lanes as they stand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.errors import EndpointRefusedError, RunPausedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.engine.budget import Budget
    from asyncgen.engine.lane import Ask, Track
    from asyncgen.engine.limits import Amounts

__all__ = ["Route", "in_words", "pick", "priced"]

_FLAGS = {
    "requests": "--rpm",
    "tokens": "--tpm",
    "input_tokens": "--input-tpm",
    "output_tokens": "--output-tpm",
}


class Route(Struct, frozen=True):
    """A lane that can take a request now, and what that takes."""

    track: Track
    amounts: Amounts
    worst: float


def pick(
    tracks: Sequence[Track], ask: Ask, budget: Budget, longest_wait: float, now: float
) -> Route | float:
    """Return the lane that takes a request now, or the seconds until one can.

    Of several that can, the one with the fewest open attempts for its weight, then
    the one that got least so far. The seconds are infinite where only an answer
    can bring the change.

    Raises:
        RunPausedError: If no lane is left, or the budget is used up.
        EndpointRefusedError: If the request is too large for every lane, or has no price.
    """
    best: Route | None = None
    best_load = (math.inf, math.inf)
    soonest = math.inf
    worst = dearest = 0.0
    for track in tracks:
        if track.parked_until - now > longest_wait:
            continue
        if budget.is_capped:
            worst = priced(track, ask)
            if not budget.fits(worst):
                dearest = max(dearest, worst)
                continue
        amounts = track.amounts(ask)
        delay = track.delay(ask, amounts, now)
        if delay > longest_wait and track.rest(now):
            continue
        if delay > 0:
            soonest = min(soonest, delay)
            continue
        load = (track.in_flight / track.weight, track.sent / track.weight)
        if load < best_load:
            best, best_load = Route(track, amounts, worst), load
    if best is None and soonest == math.inf:
        _check_hope(tracks, ask, longest_wait, now)
        if dearest > 0 and budget.nothing_in_air:
            raise budget.exhausted(dearest)
    return best or soonest


def priced(track: Track, ask: Ask) -> float:
    """Return the US dollars that an attempt may cost at the most.

    Raises:
        EndpointRefusedError: If the endpoint has no price.
    """
    worst = track.endpoint.worst_cost(ask.request)
    if worst is None:
        raise _unpriced(track)
    return worst


def _unpriced(track: Track) -> EndpointRefusedError:
    return EndpointRefusedError(
        f"{track.endpoint.name}: --max-cost needs a price, and none is known for its model: give "
        "one in the settings file as price = { input = …, output = … } of [[endpoints]], in US "
        "dollars per million tokens"
    )


def _check_hope(tracks: Sequence[Track], ask: Ask, longest_wait: float, now: float) -> None:
    """See whether an answer could help at all."""
    alive = [track for track in tracks if track.parked_until - now <= longest_wait]
    if not alive:
        raise RunPausedError("; ".join(_gone(track, now) for track in tracks))
    found = [track.gate.too_large(track.amounts(ask)) for track in alive]
    too_large = [one for one in found if one is not None]
    if len(too_large) == len(alive):
        allowance, amount = too_large[0]
        raise EndpointRefusedError(
            f"a request of about {amount:.0f} {allowance.meter.replace('_', ' ')} can never pass "
            f"a limit of {allowance.per_minute:g} {allowance.meter.replace('_', ' ')} a minute: "
            f"raise {_FLAGS[allowance.meter]}, or lower max_output_tokens"
        )


def _gone(track: Track, now: float) -> str:
    left = track.parked_until - now
    when = "" if left == math.inf else f" (again in {in_words(left)})"
    return f"{track.why}{when}"


def in_words(seconds: float) -> str:
    """Return a duration as one reads it: 40 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"

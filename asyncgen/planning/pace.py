"""How long work takes under limits, and which of them decides."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from asyncgen.planning.loads import Kind, Load
    from asyncgen.planning.work import Work
    from asyncgen.settings import EndpointSettings, Settings

__all__ = [
    "Ceilings",
    "Factor",
    "ceilings_of",
    "judge_ceilings_of",
    "limiting",
    "seconds_by_factor",
    "total",
]

Factor: TypeAlias = Literal["rpm", "tpm", "input_tpm", "output_tpm", "rpd", "max_in_flight"]
"""What a run waits for, by the setting that would change it."""

_MINUTE = 60.0
_DAY = 86_400.0


class Ceilings(Struct, frozen=True, kw_only=True):
    """The limits of all endpoints together; infinite where one of them has none."""

    rpm: float = math.inf
    tpm: float = math.inf
    input_tpm: float = math.inf
    output_tpm: float = math.inf
    rpd: float = math.inf
    max_in_flight: int = 64


def ceilings_of(settings: Settings) -> Ceilings:
    """Return the limits of a run, those of a judge apart left out."""
    return _together(settings, [one for one in settings.lanes() if one.stages != ("judging",)])


def judge_ceilings_of(settings: Settings) -> Ceilings | None:
    """Return the limits of a judge; ``None`` if there is none but the run's own endpoints."""
    lanes = [one for one in settings.lanes() if one.stages == ("judging",)]
    return _together(settings, lanes) if lanes else None


def _together(settings: Settings, lanes: Sequence[EndpointSettings]) -> Ceilings:

    def together(limit: Callable[[EndpointSettings], float | None]) -> float:
        return sum(math.inf if (value := limit(lane)) is None else value for lane in lanes)

    own = together(lambda lane: lane.max_in_flight)
    return Ceilings(
        rpm=together(lambda lane: lane.rpm),
        tpm=together(lambda lane: lane.tpm),
        input_tpm=together(lambda lane: lane.input_tpm),
        output_tpm=together(lambda lane: lane.output_tpm),
        rpd=together(lambda lane: lane.rpd),
        max_in_flight=int(min(settings.max_in_flight, own)),
    )


def seconds_by_factor(
    work: Work, loads: Mapping[Kind, Load], ceilings: Ceilings
) -> dict[Factor, float]:
    """Return how long work would take if there were one limit only, for each of them.

    A day's requests go as fast as the other limits let them; only then is waited for the next.
    """
    requests = sum(work.values())
    shown = total(work, loads, "input_tokens")
    made = total(work, loads, "output_tokens")
    days = max(0, math.ceil(requests / ceilings.rpd) - 1)
    return {
        "rpm": requests / ceilings.rpm * _MINUTE,
        "tpm": (shown + made) / ceilings.tpm * _MINUTE,
        "input_tpm": shown / ceilings.input_tpm * _MINUTE,
        "output_tpm": made / ceilings.output_tpm * _MINUTE,
        "rpd": days * _DAY,
        "max_in_flight": total(work, loads, "seconds") / ceilings.max_in_flight,
    }


def limiting(seconds: Mapping[Factor, float]) -> tuple[Factor | None, float]:
    """Return the slowest factor and its seconds; no factor where there is nothing to do."""
    factor = max(seconds, key=seconds.__getitem__)
    return (factor, seconds[factor]) if seconds[factor] > 0 else (None, 0.0)


def total(
    work: Work,
    loads: Mapping[Kind, Load],
    of: Literal["input_tokens", "output_tokens", "seconds"],
) -> float:
    """Return the sum of what requests take."""
    return sum(count * float(getattr(loads[kind], of)) for kind, count in work.items())

"""What the engine is doing, as values; and what may be changed while it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Needed at run time: what another process says of its engine is read back into these.
from asyncgen.records import Meter, Usage  # noqa: TC001

__all__ = ["Adjustment", "EngineSnapshot", "LaneSnapshot", "LaneState", "LimitSnapshot"]

LaneState = Literal["open", "waiting", "parked", "broken"]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A change of limits while the engine works; ``None`` leaves one as it is.

    An infinite limit lifts it. ``max_cost`` holds for the run, the others for one
    lane or for all.

    Attributes:
        lane: Name of the endpoint; ``None`` for all. ``max_in_flight`` then is the
            run's, not each lane's.
    """

    lane: str | None = None
    rpm: float | None = None
    tpm: float | None = None
    input_tpm: float | None = None
    output_tpm: float | None = None
    rpd: float | None = None
    max_in_flight: int | None = None
    max_cost: float | None = None


@dataclass(frozen=True, slots=True)
class LimitSnapshot:
    """One limit of a lane.

    Attributes:
        per_minute: What is allowed, by the user or the endpoint.
        learned: Whether the endpoint named it.
        left: What the endpoint says is left, ``None`` if it says nothing.
        used: Share of the limit that was used over the last seconds, of 1.
    """

    meter: Meter
    per_minute: float
    learned: bool
    left: float | None
    used: float


@dataclass(frozen=True, slots=True)
class LaneSnapshot:
    """One lane.

    Attributes:
        window: Attempts that may be open at a time, at present.
        state: "open", "waiting" for its limits or a time it asked for, "parked" for long or for
            the session, "broken" while it fails as a whole.
        until: Seconds until that ends, as far as is known.
        why: What it said last, unless it is open.
        pace: Requests per minute that it was found to accept, ``None`` if it never refused.
        rate_limited: Refusals for the rate.
    """

    name: str
    in_flight: int
    window: int
    state: LaneState
    until: float | None
    why: str
    limits: tuple[LimitSnapshot, ...]
    pace: float | None
    answered: int
    retried: int
    rate_limited: int


@dataclass(frozen=True, slots=True)
class EngineSnapshot:
    """What the engine has done in this session.

    Attributes:
        backing_off: Requests that wait for another attempt.
        answered: Requests that endpoints answered.
        recalled: Requests that were not sent, for the answer was known.
        possibly_billed: Attempts without an answer that may cost money all the same.
        spent: US dollars, of earlier sessions and those attempts too.
        in_air: US dollars that attempts under way may cost at the worst.
        lost: US dollars that those attempts without an answer may have cost.
        max_cost: US dollars allowed, ``None`` for no limit.
    """

    in_flight: int
    backing_off: int
    answered: int
    retried: int
    rate_limited: int
    recalled: int
    possibly_billed: int
    usage: Usage
    spent: float
    in_air: float
    lost: float
    max_cost: float | None
    lanes: tuple[LaneSnapshot, ...]

"""Lanes that serve the same stages: a request of one of these may go to any of them.

A team has a queue of its own, so that one that is slow or closed holds up no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from asyncgen.engine.backlog import Backlog
from asyncgen.records import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.engine.lane import Lane, Track
    from asyncgen.engine.retry import RetryPolicy

__all__ = ["Team", "teams_of"]


@dataclass(frozen=True, slots=True)
class Team:
    """Some lanes at work.

    Attributes:
        stages: What they serve; ``None`` where all lanes serve all stages.
        backlog: Their requests that wait for another attempt.
    """

    stages: frozenset[Stage] | None
    tracks: tuple[Track, ...]
    backlog: Backlog

    def serves(self, stage: Stage) -> bool:
        """Whether requests of a stage are its own."""
        return self.stages is None or stage in self.stages

    @property
    def identities(self) -> tuple[str, ...]:
        """The models that may answer, most wanted first."""
        return tuple(dict.fromkeys(one.endpoint.identity for one in self.tracks))


def teams_of(
    lanes: Sequence[Lane], tracks: Sequence[Track], policy: RetryPolicy, now: float
) -> tuple[Team, ...]:
    """Divide lanes by what they serve, the last stages first: what is nearly done comes first.

    Args:
        lanes: All of them.
        tracks: These at work, in the same order.
        policy: Says how many retries there may be.
        now: The clock's reading, in seconds.
    """
    if all(lane.stages is None for lane in lanes):
        return (Team(None, tuple(tracks), Backlog(policy, now)),)
    stages: dict[tuple[Track, ...], set[Stage]] = {}
    for stage in reversed(get_args(Stage)):
        serving = tuple(
            track
            for lane, track in zip(lanes, tracks, strict=True)
            if lane.stages is None or stage in lane.stages
        )
        if serving:
            stages.setdefault(serving, set()).add(stage)
    return tuple(
        Team(frozenset(named), serving, Backlog(policy, now)) for serving, named in stages.items()
    )

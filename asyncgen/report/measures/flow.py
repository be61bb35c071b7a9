"""What was in the air, came back and was tried again while a run was at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from asyncgen.records import Answer, Failures
    from asyncgen.settings import Settings

__all__ = ["Failed", "Flow", "Limits", "Pause", "flow"]

_PAUSE = 60.0
"""Seconds with nothing in the air that count as a pause: a session's end, or an outage."""

_BINS = 80
_WIDTHS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
"""Seconds; the narrowest that makes no more bins is taken."""


class Pause(Struct, frozen=True):
    """Where nothing was in the air: after so many seconds at work, for so many seconds."""

    at: float
    seconds: float


class Limits(Struct, frozen=True):
    """What the settings allow, all endpoints together; ``None`` where one has no limit."""

    in_flight: float | None
    requests_per_minute: float | None
    tokens_per_minute: float | None


class Failed(Struct, frozen=True):
    """Attempts that failed before an answer, by why, as :class:`asyncgen.records.Failures` tells.

    Counted when the last attempt began, for each bin.
    """

    rate: tuple[float, ...]
    overload: tuple[float, ...]
    lost: tuple[float, ...]
    other: tuple[float, ...]

    @property
    def total(self) -> float:
        """All of them."""
        return sum(map(sum, (self.rate, self.overload, self.lost, self.other)))


class Flow(Struct, frozen=True, kw_only=True):
    """A run over the time that it was at work, pauses cut out.

    Attributes:
        width: Seconds that a bin is wide.
        seconds: Middle of each bin, in seconds at work.
        in_flight: Requests in the air, on average: of attempts that brought an answer.
        answers: Answers per minute.
        tokens: Tokens per minute, input and output, counted when the answer comes.
        failed: Attempts that brought no answer.
        began: Unix time of the first request.
        worked: Seconds at work.
    """

    width: float
    seconds: tuple[float, ...]
    in_flight: tuple[float, ...]
    answers: tuple[float, ...]
    tokens: tuple[float, ...]
    failed: Failed
    pauses: tuple[Pause, ...]
    limits: Limits
    began: float
    worked: float


def flow(answers: Sequence[Answer], settings: Settings) -> Flow | None:
    """Derive a run's flow from when its answers began and how long they took.

    Answers from a shared cache have the times of another run, and are left out. ``None`` if no
    answer is left that has a time.
    """
    completions = [answer.completion for answer in answers]
    timed = sorted(
        (one for one in completions if one.started_at > 0 and not one.recalled),
        key=lambda one: one.started_at,
    )
    if not timed:
        return None
    start = np.array([one.started_at for one in timed])
    end = start + np.array([max(one.seconds, 0.0) for one in timed])
    tokens = np.array([one.usage.input_tokens + one.usage.output_tokens for one in timed])
    start, end, pauses, began = _without_pauses(start, end)
    worked = max(float(end.max()), 1e-3)
    width = next((one for one in _WIDTHS if worked / one <= _BINS), worked / _BINS)
    edges = np.arange(0.0, worked + width, width)
    if len(edges) > 2 and worked <= edges[-2]:
        edges = edges[:-1]
    # The last bin is as wide as the work in it: a rate over time that was not worked is too low.
    spans = np.minimum(edges[1:], worked) - edges[:-1]
    busy = _busy_until(np.minimum(edges, worked), start, end)
    return Flow(
        width=float(width),
        seconds=_plain(edges[:-1] + spans / 2),
        in_flight=_plain(np.diff(busy) / spans),
        answers=_plain(60 * _counted(end, edges) / spans),
        tokens=_plain(60 * _counted(end, edges, tokens) / spans),
        failed=_failed([one.failures for one in timed], start, edges),
        pauses=pauses,
        limits=_limits(settings),
        began=began,
        worked=worked,
    )


def _failed(
    failures: Sequence[Failures], start: NDArray[np.float64], edges: NDArray[np.float64]
) -> Failed:
    return Failed(
        *(
            _plain(_counted(start, edges, np.array([getattr(one, kind) for one in failures])))
            for kind in Failed.__struct_fields__
        )
    )


def _without_pauses(
    start: NDArray[np.float64], end: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[Pause, ...], float]:
    """Move what comes after a pause up to what was before it, and all of it to 0.

    Starts must ascend.
    """
    began = float(start[0])
    start, end = start - began, end - began
    silent_from = np.maximum.accumulate(end)
    gaps = np.concatenate(([0.0], start[1:] - silent_from[:-1]))
    gaps[gaps < _PAUSE] = 0.0
    cut = np.cumsum(gaps)
    pauses = tuple(
        Pause(float(start[place] - cut[place]), float(gaps[place]))
        for place in np.flatnonzero(gaps).tolist()
    )
    return start - cut, end - cut, pauses, began


def _busy_until(
    moments: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the seconds that all requests together were in the air until each moment."""
    return _elapsed(moments, start) - _elapsed(moments, end)


def _elapsed(moments: NDArray[np.float64], events: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each moment the sum of the times since the events before it."""
    events = np.sort(events)
    sums = np.concatenate(([0.0], np.cumsum(events)))
    before = np.searchsorted(events, moments)
    return before * moments - sums[before]


def _counted(
    moments: NDArray[np.float64],
    edges: NDArray[np.float64],
    weights: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    places = np.minimum(np.searchsorted(edges, moments, side="right") - 1, len(edges) - 2)
    return np.bincount(places, weights, minlength=len(edges) - 1).astype(np.float64)


def _plain(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(np.maximum(values, 0.0).round(3).tolist())


def _limits(settings: Settings) -> Limits:
    lanes = settings.lanes()
    return Limits(
        float(settings.max_in_flight),
        _sum([lane.rpm for lane in lanes]),
        _sum([lane.tpm for lane in lanes]),
    )


def _sum(limits: Sequence[float | None]) -> float | None:
    given = [one for one in limits if one is not None]
    return sum(given) if given and len(given) == len(limits) else None

"""How many attempts may be open at one endpoint: a window that finds its size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Window"]

_FIRST = 16
_OCTAVE_SAMPLES = 24
_FEWEST_SAMPLES = 32
_WORTHWHILE = 0.3
"""Of twice the attempts, at least 1.23 times the throughput: else the knee is passed."""

_FREE = 0.8
"""Latency has hardly grown: there is room."""

_PROBE = 1.5
"""By how much the window is narrowed to see whether that costs throughput."""

_HEADROOM = 1.1
"""Beyond the knee, so that a server is never idle for want of a request."""

_STEP = 1.15
_CAUTIOUS_STEP = 1.05
_CUT = 0.7
_CALM = 1.0
"""Seconds without growth after an overload."""

_PROBE_REST = 5.0
"""Seconds between two probes, at least."""

_USED = 0.8


@dataclass(frozen=True, slots=True)
class _Level:
    """A window that was tried and the latency it had."""

    width: float
    latency: float

    def gain(self, wider: _Level) -> float:
        """Return the elasticity of throughput from here to a wider window: 1 all, 0 none.

        By Little's law the throughput of a full window is its width over the
        latency. Of two windows that are hardly different only latency can be told.
        """
        if wider.width < 1.05 * self.width:
            return 1.0 if wider.latency < 1.5 * self.latency else 0.0
        return 1 - math.log(wider.latency / self.latency) / math.log(wider.width / self.width)


class Window:
    """The number of attempts that may be open at a time.

    It begins with a slow start: one more for each answer, so doubled in a round,
    while throughput gains by it. Where latency grows as fast as the window, the
    requests queue at the server: the window goes back to the knee and is probed
    downwards until that costs throughput. A refusal for the rate cuts it once per episode.
    Answers to what was sent before a change say nothing of what the change brought.

    Args:
        ceiling: The largest window.
        now: The clock's reading, in seconds.
    """

    __slots__ = (
        "_calm_until",
        "_cut_at",
        "_full",
        "_full_at",
        "_high",
        "_is_opening",
        "_octaves",
        "_phase",
        "_probed_at",
        "_reference",
        "_samples",
        "_since",
        "_unsure",
        "ceiling",
        "limit",
    )

    def __init__(self, ceiling: int, now: float) -> None:
        self.ceiling = ceiling
        self.limit = float(min(_FIRST, ceiling))
        self._phase: Literal["start", "hold", "probe"] = "start"
        self._reference: _Level | None = None
        self._unsure = False
        self._high = _Level(1.0, 1.0)
        self._is_opening = False
        self._octaves: dict[int, list[tuple[int, float]]] = {}
        self._calm_until = self._cut_at = self._probed_at = self._full_at = -math.inf
        self._restart(now)

    @property
    def is_starting(self) -> bool:
        """Whether the slow start still widens it."""
        return self._phase == "start" and self.limit < self.ceiling

    def launched(self, in_flight: int, now: float) -> None:
        """Count an attempt that is sent, with which so many are open."""
        if in_flight >= _USED * self.limit:
            self._full_at = now

    def landed(self, sent_at: float, latency: float, width: int, now: float) -> None:
        """Take in an answer.

        Args:
            sent_at: When its attempt was sent.
            latency: Seconds per unit of work, comparable between answers.
            width: Attempts that were open when it was sent, this one included.
            now: The clock's reading, in seconds.
        """
        if self._phase == "start":
            if self._full_at >= sent_at and now >= self._calm_until:
                self.limit = min(self.limit + 1, self.ceiling)
            self._rise(latency, width, now)
        elif self._is_opening:
            # What was sent at once connected at once, too: that is not the server's usual latency.
            self._is_opening = False
            self._restart(now)
        elif sent_at >= self._since:
            self._samples.append(latency)
            self._full += self._full_at >= sent_at
            if len(self._samples) >= max(_FEWEST_SAMPLES, 2 * self.limit):
                self._judge(now)

    def trust(self, now: float) -> None:
        """Open to the ceiling: a limit is known, and its gate keeps the rate."""
        if self._phase == "start" and self.limit < self.ceiling:
            self._phase, self._is_opening = "hold", True
            self._set(self.ceiling, now)

    def congested(self, sent_at: float, floor: float, now: float) -> None:
        """Narrow the window after a refusal for the rate, once per episode.

        Args:
            sent_at: When the refused attempt was sent.
            floor: What is needed at the accepted rate: it is not cut below that.
            now: The clock's reading, in seconds.
        """
        if sent_at < self._cut_at:
            return
        self._cut_at = now
        self._phase, self._reference, self._unsure = "hold", None, False
        self._set(min(self.limit, max(self.limit * _CUT, floor)), now)
        self._calm_until = now + _CALM

    def overloaded(self, now: float) -> None:
        """Pause growth: the server has too much to do, whoever asks."""
        self._calm_until = max(self._calm_until, now + _CALM)

    def adjust(self, ceiling: int, now: float) -> None:
        """Set another ceiling; where the old one was reached, the slow start goes on."""
        if self.limit >= self.ceiling < ceiling:
            self._phase, self._reference = "start", None
            self._octaves.clear()
        self.ceiling = ceiling
        if self.limit > ceiling:
            self._set(ceiling, now)

    def _rise(self, latency: float, width: int, now: float) -> None:
        """Compare each octave of widths in the slow start with the one before."""
        samples = self._octaves.setdefault(width.bit_length(), [])
        samples.append((width, latency))
        if len(samples) == _OCTAVE_SAMPLES:
            here = _Level(fmean(one for one, _ in samples), _typical([one for _, one in samples]))
            before, self._reference = self._reference, here
            if before is not None and before.gain(here) < _WORTHWHILE:
                self._settle(here, before, now)
            elif 2 * here.width > self.ceiling:
                self._phase = "hold"
                self._restart(now)

    def _judge(self, now: float) -> None:
        """Decide by a round of answers how to go on."""
        here = _Level(self.limit, _typical(self._samples))
        used = self._full >= _USED * len(self._samples)
        if self._phase == "probe":
            self._after_probe(here, now)
        elif used and now >= self._calm_until:
            self._hold(here, now)
        else:
            self._restart(now)

    def _hold(self, here: _Level, now: float) -> None:
        reference = self._reference
        if reference is None:
            if self.limit >= self.ceiling and self.limit > _FIRST:
                # It was opened without a look at what that brings.
                self._probe(here, now)
            else:
                self._reference = here
                self._set(max(self.limit * _CAUTIOUS_STEP, self.limit + 1), now)
            return
        gain = reference.gain(here)
        stale = self._unsure or gain < _WORTHWHILE / 2 or self.limit > 1.6 * reference.width
        if gain >= _FREE and not self._unsure:
            self._set(max(self.limit * _STEP, self.limit + 1), now)
        elif stale and now - self._probed_at >= _PROBE_REST:
            if self.limit >= 2:
                self._probe(here, now)
            else:
                # No narrower one can tell whether it is the server or a passing trouble.
                self._reference, self._unsure = None, False
                self._restart(now)
        else:
            self._restart(now)

    def _probe(self, here: _Level, now: float) -> None:
        self._high, self._phase, self._probed_at = here, "probe", now
        self._set(max(self.limit / _PROBE, 1.0), now)

    def _after_probe(self, low: _Level, now: float) -> None:
        high = self._high
        if low.gain(high) < _WORTHWHILE and low.width > 1:
            self._settle(high, low, now)
        else:
            self._phase, self._reference, self._unsure = "hold", low, False
            self._set(high.width, now)

    def _settle(self, high: _Level, low: _Level, now: float) -> None:
        """Go to where the throughput of the wider window is had at the narrower's latency."""
        knee = high.width / high.latency * low.latency
        # Not below what was tried: the rest is a passing trouble in the one or the other.
        self._set(min(max(knee * _HEADROOM, low.width), high.width), now)
        # Two widths that are hardly apart say little: the new one is probed at once.
        self._unsure = high.width >= 2
        self._phase, self._reference, self._probed_at = "hold", low, -math.inf

    def _set(self, limit: float, now: float) -> None:
        self.limit = max(1.0, min(limit, self.ceiling))
        self._restart(now)

    def _restart(self, now: float) -> None:
        self._since = now
        self._samples: list[float] = []
        self._full = 0


def _typical(latencies: Sequence[float]) -> float:
    """Return the mean, to which stragglers count as three times the median at most."""
    most = 3 * median(latencies)
    return max(fmean(min(one, most) for one in latencies), 1e-9)

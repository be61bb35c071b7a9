"""A rate learned from refusals, for endpoints that name no limit."""

from __future__ import annotations

from collections import deque

from asyncgen.engine.limits import Bucket, burst_of

__all__ = ["Pace"]

_BELOW = 0.97
"""What is taken of a rate that was found: the endpoint's bucket fills a little again."""

_FEW = 8
"""Requests. Fewer between two refusals do not make a rate."""

_FIRST_STEP, _LARGEST_STEP, _STEP_GROWTH = 0.01, 0.25, 1.5
_DWELL = 5.0
"""Seconds between two steps upwards."""

_ASSUMED_BURST = 1.0
"""Seconds of its rate that an endpoint is thought to let through at once."""


class Pace:
    """Requests per second that an endpoint accepts, found from where it refuses.

    At a refusal the endpoint's bucket is empty. So what it accepted from one
    refusal to the next, divided by the time between, is its rate, whatever it
    holds at most. Before the first refusal it also gave away what it held, which is
    taken for a second of its rate.

    From there on the rate is probed upwards in small steps, first 1 %, growing
    while nothing is refused, and only while it is used.
    """

    __slots__ = (
        "_accepted",
        "_bucket",
        "_closed",
        "_episode_end",
        "_history",
        "_mark",
        "_mark_at",
        "_next_step",
        "_refused",
        "_sent",
        "_sent_at_step",
        "_span",
        "_step",
        "cap",
    )

    def __init__(self, now: float) -> None:
        self.cap: float | None = None
        self._bucket: Bucket | None = None
        self._sent = 0
        self._mark, self._mark_at = 0, now
        self._refused = 0
        self._closed = 0.0
        self._episode_end = 0
        self._accepted, self._span = 0, 0.0
        self._step, self._next_step, self._sent_at_step = _FIRST_STEP, now, 0
        self._history: deque[tuple[float, int]] = deque([(now, 0)], maxlen=6)

    def delay(self, now: float) -> float:
        """Return the seconds until a request may go; 0 if one may now."""
        return 0.0 if self._bucket is None else self._bucket.delay(1.0, now)

    def take(self, now: float) -> int:
        """Count a request that goes now; return its number."""
        self._sent += 1
        if now - self._history[-1][0] >= 1:
            self._history.append((now, self._sent))
        if self._bucket is not None:
            self._bucket.take(1.0, now)
            if now >= self._next_step:
                self._probe(self._bucket.rate, now)
        return self._sent

    def refused(self, number: int, sent_at: float, now: float) -> bool:
        """Take in that a request was refused; return whether that begins a new episode.

        What was sent before the last cut and is refused only now belongs to the
        old one: it corrects the count.
        """
        if number <= self._episode_end:
            if number <= self._mark:
                self._accepted -= 1
                self._cut(now)
            else:
                self._refused += 1
            return False
        first = self.cap is None
        self._accepted = number - 1 - self._mark - self._refused
        held_up = max(0.0, self._closed - _ASSUMED_BURST)
        self._span = sent_at - self._mark_at - held_up + (_ASSUMED_BURST if first else 0.0)
        self._mark, self._mark_at = number, sent_at
        self._refused, self._closed = 0, 0.0
        self._episode_end = self._sent
        self._cut(now, first=first)
        return True

    def closed(self, seconds: float) -> None:
        """Count a time in which nothing is sent, that being asked for."""
        self._closed += seconds

    def too_steep(self, now: float) -> None:
        """Go back to half of what was sent over the last seconds, and rise from there."""
        since, sent = self._history[0]
        recent = (self._sent - sent) / max(now - since, 1.0)
        self._set(max(recent / 2, 0.1), now)
        self._episode_end = self._sent
        self._step = 0.05

    def _cut(self, now: float, *, first: bool = False) -> None:
        if self._accepted >= _FEW and self._span > 0.1:
            found = self._accepted / self._span * _BELOW
        else:
            recent = (self._sent - self._history[0][1]) / max(now - self._history[0][0], 1.0)
            found = 0.7 * (recent if self.cap is None else self.cap)
        if self.cap is not None and not first:
            found = min(found, self.cap)
        self._set(max(found, 1 / 60), now)
        self._step = _FIRST_STEP

    def _set(self, cap: float, now: float) -> None:
        self.cap = cap
        burst = burst_of(cap, "requests")
        if self._bucket is None:
            self._bucket = Bucket(cap, burst=burst, level=1.0, now=now)
        else:
            self._bucket.change(cap, burst, now)
        self._next_step, self._sent_at_step = now + _DWELL, self._sent

    def _probe(self, cap: float, now: float) -> None:
        elapsed = now - self._next_step + _DWELL
        step = self._step
        if self._sent - self._sent_at_step >= 0.8 * cap * elapsed:
            self._set(cap * (1 + step), now)
            self._step = min(step * _STEP_GROWTH, _LARGEST_STEP)
        else:
            self._next_step, self._sent_at_step = now + _DWELL, self._sent

"""A rate learned from refusals, for endpoints that name no limit."""

from __future__ import annotations

import math
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

_SOON = 10.0
"""Seconds between two refusals of which the second is no accident."""

_CUTS = 4
"""Cuts that may follow each other without a step upwards between them."""

_LAST, _BORNE = 100, 10
"""Of so many requests so many may be refused, where cuts do not help."""

_GRAIN, _MOMENTS = 0.5, 64
"""Seconds between the moments that are remembered, and how many are."""

_ASSUMED_BURST = 1.0
"""Seconds of its rate that an endpoint is thought to let through at once."""


class Pace:
    """Requests per second that an endpoint accepts, found from where it refuses.

    At a refusal the endpoint's bucket is empty. So what it accepted from one
    refusal to the next, divided by the time between, is its rate, whatever it
    holds at most. At any other moment it held at most what it lets through at
    once, which is taken for a second of its rate: what it accepted since then,
    divided by the time and that second, is its rate or less. The largest of these
    is believed.

    From there on the rate is probed upwards in small steps, first 1 %, growing
    while nothing is refused, and only while it is used.

    Some endpoints refuse now and then whatever the rate: cuts follow each other
    and do not help. Then refusals are borne with, and the rate is let grow, until
    too many of the last requests are refused.
    """

    __slots__ = (
        "_accepted",
        "_bearing",
        "_before_cuts",
        "_bucket",
        "_closed",
        "_cuts",
        "_episode_end",
        "_history",
        "_mark",
        "_mark_at",
        "_next_step",
        "_recent",
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
        self._mark, self._mark_at = 0, -math.inf
        self._refused = 0
        self._closed = 0.0
        self._episode_end = 0
        self._accepted, self._span = 0, 0.0
        self._step, self._next_step, self._sent_at_step = _FIRST_STEP, now, 0
        self._bearing, self._cuts = False, 0
        self._before_cuts: float | None = None
        self._recent: deque[int] = deque()
        self._history: deque[tuple[float, int]] = deque([(now, 0)], maxlen=_MOMENTS)

    def delay(self, now: float) -> float:
        """Return the seconds until a request may go; 0 if one may now."""
        return 0.0 if self._bucket is None else self._bucket.delay(1.0, now)

    def take(self, now: float) -> int:
        """Count a request that goes now; return its number."""
        self._sent += 1
        if now - self._history[-1][0] >= _GRAIN:
            self._history.append((now, self._sent))
        if self._bucket is not None:
            self._bucket.take(1.0, now)
            if now >= self._next_step:
                self._probe(self._bucket.rate, now)
        return self._sent

    def refused(self, number: int, sent_at: float, known: float, now: float) -> bool:
        """Take in that a request was refused; return whether that begins a new episode.

        What was sent before the last cut and is refused only now belongs to the
        old one: it corrects the count.

        Args:
            number: Its number, by :meth:`take`.
            sent_at: When it was sent.
            known: Requests per second that are allowed as far as is known.
            now: The clock's reading, in seconds.
        """
        self._recent.append(number)
        while self._recent[0] <= number - _LAST:
            self._recent.popleft()
        if self._bearing:
            return self._bear(number, sent_at, now)
        if number <= self._episode_end:
            if number <= self._mark:
                self._accepted -= 1
                self._cut(known, now)
            else:
                self._refused += 1
            return False
        since_last = sent_at - self._mark_at
        self._accepted, self._span = self._best(number, sent_at)
        self._episode_end = self._sent
        # Under a known limit a single refusal is a matter of a jittery network.
        if known == math.inf or self.cap is not None or since_last < _SOON:
            if self._is_senseless(known, now):
                return False
            self._cut(known, now)
        if self._accepted < _FEW and self._mark:
            self._refused += 1
            return True
        self._mark, self._mark_at = number, sent_at
        self._refused, self._closed = 0, 0.0
        self._history.clear()
        self._history.append((now, self._sent))
        return True

    def _is_senseless(self, known: float, now: float) -> bool:
        """Whether cuts have followed each other without help; if so, bear with refusals."""
        if self._cuts == 0:
            self._before_cuts = self.cap
        self._cuts += 1
        if self._cuts <= _CUTS or len(self._recent) > _BORNE:
            return False
        self._bearing, self._cuts = True, 0
        if known < math.inf:
            self.cap = self._bucket = None
        else:
            self._set(max(self._before_cuts or 0.0, self.cap or 0.0, 1.0), now)
        return True

    def _bear(self, number: int, sent_at: float, now: float) -> bool:
        """Take in a refusal while they are borne with; return whether that ends here."""
        if len(self._recent) <= _BORNE:
            return False
        moment, sent = self._history[max(0, len(self._history) - 4)]
        accepted = max(number - sent - len(self._recent), 1)
        self._bearing = False
        self._mark, self._mark_at = number, sent_at
        self._refused, self._closed = 0, 0.0
        self._episode_end = self._sent
        self._set(max(accepted / max(now - moment, 1.0), 1 / 60), now)
        self._step = _FIRST_STEP
        return True

    def _best(self, number: int, sent_at: float) -> tuple[int, float]:
        """Return how many were accepted in which time, where that is the highest rate."""
        found: list[tuple[int, float]] = []
        if self._mark:
            held_up = max(0.0, self._closed - _ASSUMED_BURST)
            found.append(
                (number - 1 - self._mark - self._refused, sent_at - self._mark_at - held_up)
            )
        for moment, sent in self._history:
            if moment <= sent_at:
                accepted = number - 1 - sent - self._refused
                found.append((accepted, sent_at - moment + _ASSUMED_BURST))
        return max(found, key=lambda one: one[0] / max(one[1], 0.1), default=(0, 1.0))

    def closed(self, seconds: float) -> None:
        """Count a time in which nothing is sent, that being asked for."""
        self._closed += seconds

    def too_steep(self, now: float) -> None:
        """Go back to half of what was sent over the last seconds, and rise from there."""
        since, sent = self._history[max(0, len(self._history) - 5)]
        recent = (self._sent - sent) / max(now - since, 1.0)
        self._set(max(recent / 2, 0.1), now)
        self._episode_end = self._sent
        self._step = 0.05

    def _cut(self, known: float, now: float) -> None:
        if self._accepted >= _FEW and self._span > 0.1:
            found = self._accepted / self._span * _BELOW
        elif self.cap is not None:
            found = self.cap * (0.7 if known == math.inf else _BELOW)
        elif known < math.inf:
            found = known * _BELOW
        else:
            found = 0.7 * self._accepted / self._span
        if self.cap is not None:
            found = min(found, self.cap)
        self._set(max(found, 1 / 60), now)
        self._step = _FIRST_STEP

    @property
    def _dwell(self) -> float:
        return _DWELL / 5 if self._bearing else _DWELL

    def _set(self, cap: float, now: float) -> None:
        self.cap = cap
        burst = burst_of(cap, "requests")
        if self._bucket is None:
            self._bucket = Bucket(cap, burst=burst, level=1.0, now=now)
        else:
            self._bucket.change(cap, burst, now)
        self._next_step, self._sent_at_step = now + self._dwell, self._sent

    def _probe(self, cap: float, now: float) -> None:
        elapsed = now - self._next_step + self._dwell
        step = _LARGEST_STEP if self._bearing else self._step
        self._cuts = 0
        if self._sent - self._sent_at_step >= 0.8 * cap * elapsed:
            self._set(cap * (1 + step), now)
            self._step = min(step * _STEP_GROWTH, _LARGEST_STEP)
        else:
            self._next_step, self._sent_at_step = now + self._dwell, self._sent

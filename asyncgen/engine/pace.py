"""A rate learned from refusals, for endpoints that name no limit."""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import deque

from asyncgen.engine.limits import Bucket, burst_of

__all__ = ["Pace"]

_BELOW = 0.97
"""What is taken of a rate that was found: the endpoint's bucket fills a little again."""

_FEW = 8
"""Requests. Fewer between two refusals do not make a rate."""

_FIRST_STEP, _UNSURE_STEP, _LARGEST_STEP, _STEP_GROWTH = 0.01, 0.1, 0.25, 1.5
_DWELL = 5.0
"""Seconds between two steps upwards."""

_SOON = 10.0
"""Seconds between two refusals of which the second is no accident."""

_CUTS, _PROVEN = 3, 0.985
"""Cuts at less than that share of a rate that was accepted, before they are taken for senseless."""

_DENSE = 20
"""Of so many requests two must be refused before a rate is believed to be limited at all."""

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

    Some endpoints refuse now and then whatever the rate: also at rates below those
    that were accepted before. Then refusals are borne with, and the rate is let
    grow, until too many of the last requests are refused.
    """

    __slots__ = (
        "_accepted",
        "_bearing",
        "_bucket",
        "_ceiling",
        "_closed",
        "_cuts",
        "_episode_end",
        "_forgiven",
        "_held_up",
        "_history",
        "_mark",
        "_mark_at",
        "_next_step",
        "_numbers",
        "_proven",
        "_recent",
        "_sent",
        "_sent_at_step",
        "_span",
        "_step",
        "_top",
        "_top_at",
        "cap",
    )

    def __init__(self, now: float) -> None:
        self.cap: float | None = None
        self._bucket: Bucket | None = None
        self._sent = 0
        # Counting begins at the end of the episode before the present one.
        self._mark, self._mark_at = 0, now
        self._held_up = self._closed = 0.0
        # The present episode: its last refusal, what had been sent when it began, what of all
        # since the mark was refused, and what was accepted in which time.
        self._top, self._top_at = 0, -math.inf
        self._episode_end = 0
        self._numbers: list[int] = []
        self._accepted, self._span = 0, 1.0
        self._ceiling = math.inf
        self._forgiven = False
        self._bearing, self._cuts, self._proven = False, 0, 0.0
        self._recent: deque[int] = deque()
        self._step, self._next_step, self._sent_at_step = _FIRST_STEP, now, 0
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
        insort(self._numbers, number)
        if self.cap is None and (len(self._recent) < 2 or number - self._recent[-2] > _DENSE):
            return False
        begins = number > self._episode_end
        if begins:
            self._begin(number, sent_at, known)
        elif number > self._top:
            self._top, self._top_at = number, sent_at
        self._accepted, self._span = self._best()
        if self._forgiven:
            return begins
        if begins and self._is_senseless(known, now):
            return False
        self._cut(known, now)
        return begins

    def _begin(self, number: int, sent_at: float, known: float) -> None:
        """Begin an episode; what went before it is counted from the end of the last one."""
        # Under a known limit a single refusal is a matter of a jittery network.
        alone = self.cap is None and sent_at - self._top_at >= _SOON
        self._forgiven = known < math.inf and alone
        if self._top and self._accepted >= _FEW:
            self._mark, self._mark_at, self._held_up = self._top, self._top_at, 0.0
            del self._numbers[: bisect_right(self._numbers, self._mark)]
        self._held_up += max(0.0, self._closed - _ASSUMED_BURST)
        self._closed = 0.0
        self._episode_end = self._sent
        self._ceiling = math.inf if self.cap is None else self.cap
        self._top, self._top_at = number, sent_at

    def _best(self) -> tuple[int, float]:
        """Return how many were accepted in which time, where that is the highest rate."""
        top, refused = self._top, bisect_right(self._numbers, self._top)
        found = [(1, 1.0)]
        if self._mark:
            lasted = self._top_at - self._mark_at - self._held_up
            found.append((top - self._mark - refused, max(lasted, 0.1)))
        for moment, sent in self._history:
            if moment <= self._top_at and self._mark <= sent < top:
                between = refused - bisect_right(self._numbers, sent)
                found.append((top - sent - between, self._top_at - moment + _ASSUMED_BURST))
        return max(found, key=lambda one: one[0] / one[1])

    def _is_senseless(self, known: float, now: float) -> bool:
        """Whether refusals come although higher rates were accepted; if so, bear with them."""
        found = self._accepted / self._span
        if self.cap is not None and self.cap < _PROVEN * self._proven:
            self._cuts += 1
        if self._accepted >= _FEW:
            self._proven = max(self._proven, found)
        if self._cuts <= _CUTS or len(self._recent) > _BORNE:
            return False
        self._bearing, self._cuts = True, 0
        if known < math.inf:
            self.cap = self._bucket = None
        else:
            self._set(max(self._proven, self.cap or 0.0), now)
        return True

    def _bear(self, number: int, sent_at: float, now: float) -> bool:
        """Take in a refusal while they are borne with; return whether that ends here."""
        if len(self._recent) <= _BORNE:
            return False
        moment, sent = self._history[max(0, len(self._history) - 4)]
        accepted = max(number - sent - len(self._recent), 1)
        self._bearing = False
        self._mark = self._top = number
        self._mark_at = self._top_at = sent_at
        self._numbers.clear()
        self._closed = self._held_up = 0.0
        self._episode_end = self._sent
        self._proven = accepted / max(now - moment, 1.0)
        self._set(max(self._proven, 1 / 60), now)
        self._step = _FIRST_STEP
        return True

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
        if self._accepted >= _FEW:
            found = self._accepted / self._span * _BELOW
        elif self._ceiling < math.inf:
            found = self._ceiling * (0.7 if known == math.inf else _BELOW)
        elif known < math.inf:
            found = known * _BELOW
        else:
            found = 0.7 * self._accepted / self._span
        self._set(max(min(found, self._ceiling), 1 / 60), now)
        # Of few requests a rate is known roughly only.
        self._step = min(max(2 / max(self._accepted, 1), _FIRST_STEP), _UNSURE_STEP)

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
        if self._sent - self._sent_at_step >= 0.8 * cap * elapsed:
            self._set(cap * (1 + step), now)
            self._step = min(step * _STEP_GROWTH, _LARGEST_STEP)
        else:
            self._next_step, self._sent_at_step = now + self._dwell, self._sent

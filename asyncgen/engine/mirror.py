"""What an endpoint says is left of a limit, carried on between its words."""

from __future__ import annotations

import math

__all__ = ["Mirror"]


class Mirror:
    """What an endpoint still allows by its own word, carried on between its words.

    Its word is old when it arrives: since the request was sent, the endpoint's
    bucket was refilled, further requests of ours were taken from it, and maybe of
    others who use the same key. How fast those others take is learned from how
    much less there is, word by word, than was foreseen.

    Below ``shallow`` the rate we allow ourselves shrinks in proportion. So it comes
    to rest where what we take and what others take is what comes in.
    """

    __slots__ = ("_at", "_newest", "_since", "_surprise", "level", "others", "rate", "top")

    _SETTLING = 0.25
    """Seconds over which surprises are added up."""

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self.level = math.inf
        self.top = 0.0
        self.others = 0.0
        self._at = self._since = now
        self._newest = -math.inf
        self._surprise = 0.0

    def hear(
        self, remaining: float, *, own: float, sent_at: float, since: float, now: float
    ) -> None:
        """Take in the endpoint's word.

        Args:
            remaining: What it says is left.
            own: What the request took that it answered.
            sent_at: When that request was sent.
            since: What of ours was sent after it.
            now: The clock's reading, in seconds.
        """
        if sent_at < self._newest:
            return
        self._newest = sent_at
        self.top = max(self.top, remaining + own)
        net = self.rate - self.others
        seen = min(remaining + net * (now - sent_at) - since, self.top)
        if self.level < math.inf:
            self._surprise += self.read(now) - seen
        self.level, self._at = seen, now
        if now - self._since >= self._SETTLING:
            faster = self.others + 0.5 * self._surprise / (now - self._since)
            self.others = min(max(faster, 0.0), self.rate)
            self._since, self._surprise = now, 0.0

    def read(self, now: float) -> float:
        """Return what there should be now."""
        if self.level == math.inf:
            return math.inf
        grown = self.level + (now - self._at) * (self.rate - self.others)
        return grown if grown < self.top else self.top

    def take(self, amount: float, now: float) -> None:
        """Foresee what a request will take."""
        self.level, self._at = self.read(now) - amount, now

    def share(self, now: float) -> float:
        """Return how much of the rate we may use, of 1."""
        shallow = (self.rate if self.rate < self.top else self.top) / 4
        level = self.read(now)
        return 1.0 if level >= shallow else max(0.02, level / shallow)

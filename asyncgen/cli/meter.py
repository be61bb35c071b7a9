"""Rates over the last few seconds, and the time that is left: arithmetic on samples."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

__all__ = ["Meter", "Rates", "Sample"]

_WINDOW = 20.0
"""Seconds that a rate looks back."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Totals at a moment of the clock, in seconds."""

    moment: float
    answered: int
    tokens: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Per second; ``eta`` in seconds, ``None`` while it cannot be told."""

    requests: float
    tokens: float
    eta: float | None


class Meter:
    """Keeps the samples of the last seconds, and the first of the session."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque()
        self._first: Sample | None = None

    def add(self, sample: Sample) -> None:
        """Take in the totals of now; call it with rising moments."""
        self._first = self._first or sample
        self._samples.append(sample)
        while sample.moment - self._samples[0].moment > _WINDOW:
            self._samples.popleft()

    def rates(self, target: int) -> Rates:
        """Return the rates, and the time until ``target`` tasks at the session's mean rate."""
        if self._first is None or len(self._samples) < 2:
            return Rates(0.0, 0.0, None)
        oldest, newest = self._samples[0], self._samples[-1]
        seconds = max(newest.moment - oldest.moment, 1e-9)
        made = newest.tasks - self._first.tasks
        elapsed = newest.moment - self._first.moment
        missing = max(0, target - newest.tasks)
        return Rates(
            requests=(newest.answered - oldest.answered) / seconds,
            tokens=(newest.tokens - oldest.tokens) / seconds,
            eta=missing * elapsed / made if made else None,
        )

"""Whether asking on is of use: how much of what comes back is accepted, and when that dries up."""

from __future__ import annotations

from array import array
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from asyncgen.pipeline.fold import Fold

__all__ = ["Saturation", "Span", "Yield", "saturation_of"]

_SPANS = 10
"""Rows of a curve."""


class Span(Struct, frozen=True):
    """Some answers in a row, or some kept instructions in a row.

    Attributes:
        first, last: Their places, from 1.
        offered: Candidates that came with them; an answer without any counts as one.
        accepted: How many of those were kept.
    """

    first: int
    last: int
    offered: int
    accepted: int

    @property
    def steps(self) -> int:
        """How many answers or instructions these are."""
        return self.last - self.first + 1

    @property
    def share(self) -> float:
        """Accepted of offered, in [0, 1]."""
        return self.accepted / self.offered if self.offered else 0.0


class Saturation(Struct, frozen=True, kw_only=True):
    """That, and how, a run dried up.

    Attributes:
        of: What came to too little: candidates that are kept as instructions, answer by answer,
            or kept instructions that end with a valid instance, one by one.
        bound: The share of :attr:`recent` below which that is.
        recent: The last ones, as many as the window of the settings holds.
        curve: All of them, in a few spans.
    """

    of: Literal["instructions", "tasks"]
    bound: float
    recent: Span
    curve: tuple[Span, ...]

    @property
    def lower(self) -> float:
        """A bound with which the run goes on: half of what came of the last, 0 if nothing did."""
        return float(f"{self.recent.share / 2:.1g}")

    def __str__(self) -> str:
        recent = self.recent
        if self.of == "instructions":
            what = f"{recent.offered:,} candidates, in {recent.steps:,} answers, were new"
        else:
            what = f"{recent.offered:,} tasks ended with a valid instance"
        return (
            f"saturated: {recent.accepted:,} of the last {what} ({recent.share:.1%}, below the "
            f"bound of {self.bound:.2%})"
        )


class Yield:
    """How much was accepted of what was offered, step by step.

    Args:
        window: How many of the last steps count.
        bound: The share accepted in them below which it is dry; 0 for never.

    Attributes:
        dry: Whether it came to that. Nothing may be added any more.
    """

    def __init__(self, window: int, bound: float) -> None:
        self.bound = bound
        self.dry = False
        self._window = window
        self._offered = array("L")
        self._accepted = array("L")
        self._recent = [0, 0]

    def add(self, offered: int, accepted: int) -> None:
        """Take a step in; one that offers nothing counts as one that offers what is no good."""
        steps = (self._offered, max(1, offered)), (self._accepted, accepted)
        for place, (counts, count) in enumerate(steps):
            counts.append(count)
            self._recent[place] += count
            if len(self) > self._window:
                self._recent[place] -= counts[-1 - self._window]
        of, made = self._recent
        self.dry = len(self) >= self._window and made < self.bound * of

    def recent(self) -> Span:
        """Return the steps that count."""
        return self._span(max(0, len(self) - self._window), len(self))

    def curve(self) -> tuple[Span, ...]:
        """Return all steps in at most ten spans, about equally long."""
        number = min(_SPANS, len(self))
        ends = [len(self) * part // number for part in range(number + 1)] if number else []
        return tuple(self._span(*pair) for pair in pairwise(ends))

    def _span(self, start: int, end: int) -> Span:
        return Span(start + 1, end, sum(self._offered[start:end]), sum(self._accepted[start:end]))

    def __len__(self) -> int:
        return len(self._offered)


def saturation_of(fold: Fold) -> Saturation | None:
    """Return how a run dried up; ``None`` if it did not."""
    if fold.instructions.dry:
        return _saturation("instructions", fold.instructions)
    return _saturation("tasks", fold.tasks) if fold.tasks.dry else None


def _saturation(of: Literal["instructions", "tasks"], made: Yield) -> Saturation:
    return Saturation(of=of, bound=made.bound, recent=made.recent(), curve=made.curve())

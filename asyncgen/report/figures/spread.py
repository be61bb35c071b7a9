"""What figures of several runs share: counts when alone, shares when compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.report.figures.axes import Axis

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["peak", "shares", "sharing"]


def shares(counts: Sequence[int]) -> tuple[float, ...]:
    """Return each count's share of them all."""
    total = sum(counts) or 1
    return tuple(count / total for count in counts)


def peak(groups: Sequence[Sequence[float]]) -> float:
    """Return the highest of all values; 1 where there is none."""
    return max((value for group in groups for value in group), default=0) or 1


def sharing(what: str, high: float, *, several: bool) -> Axis:
    """Return the upright axis of a histogram."""
    if several:
        return Axis(label=f"share of {what}", high=high, form="percent")
    return Axis(label=what, high=high, whole=True)

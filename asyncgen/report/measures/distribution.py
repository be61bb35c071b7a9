"""How values of one kind are spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Distribution", "Summary", "binned", "distribution", "summary"]


_HAIR = 1e-12


class Distribution(Struct, frozen=True):
    """Values in ascending order."""

    values: tuple[float, ...]


class Summary(Struct, frozen=True):
    """A distribution in five numbers; all zero if there are no values."""

    count: int
    mean: float
    median: float
    p90: float
    highest: float


def distribution(values: Iterable[float]) -> Distribution:
    """Return values as a distribution."""
    return Distribution(tuple(sorted(values)))


def summary(spread: Distribution) -> Summary:
    """Sum a distribution up."""
    values = np.asarray(spread.values, np.float64)
    if not values.size:
        return Summary(0, 0.0, 0.0, 0.0, 0.0)
    median, ninth = np.quantile(values, (0.5, 0.9))
    return Summary(
        values.size, float(values.mean()), float(median), float(ninth), float(values[-1])
    )


def binned(
    spread: Distribution, edges: tuple[float, ...], *, up_to: bool = False
) -> tuple[int, ...]:
    """Count values between edges.

    The last bin takes everything beyond the last edge too, the first what lies before the first.

    Args:
        spread: The values.
        edges: In ascending order.
        up_to: A value on an edge belongs to the bin before it, not to the one after: what
            equals a threshold has not passed it.
    """
    values = np.asarray(spread.values, np.float64)
    side: Literal["left", "right"] = "left" if up_to else "right"
    # Edges and values are quotients: equal ones may differ in their last digit.
    nudged = values - _HAIR if up_to else values + _HAIR
    places = np.searchsorted(np.asarray(edges), nudged, side=side) - 1
    counts = np.bincount(np.clip(places, 0, len(edges) - 2), minlength=len(edges) - 1)
    return tuple(counts.tolist())

"""How a cost rises with the pool."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Step", "exponent"]


class Step(NamedTuple):
    """Microseconds a decision at one size of the pool."""

    pool: int
    us_per_decision: float


def exponent(steps: Sequence[Step]) -> float | None:
    """Return b where the cost rises as the pool's size to the power of b, from end to end.

    ``None`` where the pool does not grow.
    """
    if len(steps) < 2:
        return None
    first, last = steps[0], steps[-1]
    return math.log(last.us_per_decision / first.us_per_decision) / math.log(last.pool / first.pool)

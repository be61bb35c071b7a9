"""What a run may cost: what is in the air counts at its worst, so the cap is never exceeded."""

from __future__ import annotations

import math

from asyncgen.errors import RunPausedError

__all__ = ["Budget"]

_ROUNDING = 1e-9
"""US dollars. What adding up many small amounts may be off by."""


class Budget:
    """US dollars: spent, in the air at the worst, and the cap on both together.

    Args:
        cap: The most that may be spent; ``None`` for no limit.
        spent: What was spent before.

    Attributes:
        spent: What was spent so far, lost answers that may have been billed included.
        lost: Of that, what lost answers may have cost.
        in_air: What attempts that are open may cost at the worst.
    """

    __slots__ = ("cap", "in_air", "lost", "spent")

    def __init__(self, cap: float | None, spent: float = 0.0) -> None:
        self.cap = math.inf if cap is None else cap
        self.spent = spent
        self.lost = 0.0
        self.in_air = 0.0

    @property
    def is_capped(self) -> bool:
        """Whether there is a cap."""
        return self.cap < math.inf

    @property
    def nothing_in_air(self) -> bool:
        """Whether no attempt is open that could cost less than was reserved for it."""
        return self.in_air <= 0

    def fits(self, worst: float) -> bool:
        """Whether an attempt that may cost so much may be sent now."""
        return self.spent + self.in_air + worst <= self.cap + _ROUNDING

    def reserve(self, worst: float) -> None:
        """Count an attempt that is sent."""
        self.in_air += worst

    def settle(self, worst: float, cost: float) -> None:
        """Count what an attempt cost in the end."""
        left = self.in_air - worst
        self.in_air = left if left > _ROUNDING else 0.0
        self.spent += cost

    def lose(self, worst: float) -> None:
        """Count an attempt whose answer was lost, but may have been billed."""
        self.settle(worst, worst)
        self.lost += worst

    def exhausted(self, worst: float) -> RunPausedError:
        """Return the error that ends a run whose next attempt does not fit."""
        return RunPausedError(
            f"spent ${self.spent:.4f} of the ${self.cap:.2f} allowed, and the next request may "
            f"cost ${worst:.4f}: raise --max-cost to go on"
        )

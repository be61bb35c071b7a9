"""Money that may be spent: what is in the air counts at its worst."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Purse"]


@dataclass(slots=True)
class Purse:
    """US dollars.

    Attributes:
        limit: What may be spent; ``None`` for any amount.
        spent: What answers cost, and at the worst what was lost but may have been billed.
        in_the_air: What requests under way may cost at the worst.
        known: Whether all that was asked so far had a price.
    """

    limit: float | None = None
    spent: float = 0.0
    in_the_air: float = 0.0
    known: bool = True

    def take(self, worst: float | None) -> bool:
        """Set aside what a request may cost; return whether there was so much left."""
        self.known = self.known and worst is not None
        at_worst = self.spent + self.in_the_air + (worst or 0.0)
        if self.limit is not None and at_worst > self.limit:
            return False
        self.in_the_air += worst or 0.0
        return True

    def settle(self, worst: float | None, cost: float | None) -> None:
        """Exchange what was set aside for a request for what it cost."""
        self.in_the_air -= worst or 0.0
        self.spent += cost or 0.0

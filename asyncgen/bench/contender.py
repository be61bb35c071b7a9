"""What one way to compare candidates with a pool costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Contender", "Mode", "Name", "contender"]

Name = Literal["asyncgen", "rapidfuzz", "rouge_score"]
Mode = Literal["decision", "scan_single", "scan_batch", "cdist", "extractOne", "score"]


@dataclass(frozen=True, slots=True)
class Contender:
    """The cost of comparing one candidate with the whole pool.

    Attributes:
        name: Whose code it is.
        mode: What of it.
        us_per_candidate: Microseconds.
        ns_per_pair: Nanoseconds for a candidate and one entry.
        candidates: How many were compared.
        entries: With how many each; where not with the whole pool, its cost is in proportion.
    """

    name: Name
    mode: Mode
    us_per_candidate: float
    ns_per_pair: float
    candidates: int
    entries: int


def contender(
    name: Name, mode: Mode, *, seconds: float, candidates: int, entries: int, pool: int
) -> Contender:
    """Tell the cost from what was measured.

    Args:
        name: Whose code it is.
        mode: What of it.
        seconds: For all candidates.
        candidates: How many were compared.
        entries: With how many each.
        pool: How many there are.
    """
    nanoseconds = seconds / (candidates * entries) * 1e9
    return Contender(name, mode, nanoseconds * pool / 1000, nanoseconds, candidates, entries)

"""Which tasks are for validation: whole families, as near to the wanted share as they allow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncgen.dataset.chance import rank
from asyncgen.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Division", "divide"]


@dataclass(frozen=True, slots=True)
class Division:
    """A dataset in two.

    Attributes:
        held_out: For each task whether it is for validation.
        families: How many there are.
        largest: Rows of the largest one.
    """

    held_out: list[bool]
    families: int
    largest: int


def divide(
    names: Sequence[str], family: Sequence[int], rows: Sequence[int], share: float, seed: int
) -> Division:
    """Hold out families in a random order, each that still fits into the share.

    Where none fits, the smallest is held out.

    Args:
        names: Ids of the tasks.
        family: The family of each, by the place of its first member.
        rows: How many rows each makes.
        share: Of the rows, in (0, 1).
        seed: Keys the order.

    Raises:
        ExportError: If all are of one family.
    """
    size: Counter[int] = Counter()
    for one, count in zip(family, rows, strict=True):
        size[one] += count
    if len(size) < 2:
        raise ExportError(
            f"all {len(names):,} tasks are of one family, which cannot be split; "
            "raise --family-bound, or leave --validation out"
        )
    order = sorted(size, key=lambda one: rank(seed, "split", names[one]))
    left = share * sum(rows)
    chosen: set[int] = set()
    for one in order:
        if size[one] <= left:
            chosen.add(one)
            left -= size[one]
    chosen = chosen or {min(order, key=size.__getitem__)}
    return Division([one in chosen for one in family], len(size), max(size.values()))

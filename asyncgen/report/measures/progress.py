"""How a run changed from its first candidate to its last."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.pipeline.fold import Fold
    from asyncgen.report.measures.nearness import Near

__all__ = ["Stretch", "stretches"]

_POINTS = 40
"""Stretches that a run is divided into, at the most."""

_LEAST = 20
"""Candidates in a stretch, at the least: a share of fewer says little."""


class Stretch(Struct, frozen=True, kw_only=True):
    """Candidates that followed one another.

    Attributes:
        until: How many candidates there were at its end.
        kept: How many of its own were kept.
        candidates: How many it has.
        to_seed, to_kept: Mean ROUGE-L of those kept, to their nearest seed and to the nearest
            instruction kept before; ``None`` if none was kept.
    """

    until: int
    candidates: int
    kept: int
    to_seed: float | None
    to_kept: float | None

    @property
    def acceptance(self) -> float:
        """The share that was kept."""
        return self.kept / self.candidates


def stretches(fold: Fold, to_seed: Sequence[Near], to_kept: Sequence[Near]) -> tuple[Stretch, ...]:
    """Divide a run's candidates into equal stretches.

    Args:
        fold: The run.
        to_seed: The nearest seed of each of its drafts.
        to_kept: The nearest of what was kept before each.
    """
    drafts = [
        (draft.provenance.ordinal, draft.provenance.position, place)
        for place, draft in enumerate(fold.drafts)
    ]
    dropped = [
        (one.ordinal, one.position, None) for one in fold.rejections if one.stage == "generation"
    ]
    candidates = sorted([*drafts, *dropped], key=lambda one: one[:2])
    length = max(_LEAST, math.ceil(len(candidates) / _POINTS))
    made: list[Stretch] = []
    for start in range(0, len(candidates), length):
        part = candidates[start : start + length]
        kept = [place for _, _, place in part if place is not None]
        made.append(
            Stretch(
                until=start + len(part),
                candidates=len(part),
                kept=len(kept),
                to_seed=_mean([to_seed[place].score for place in kept]),
                to_kept=_mean([to_kept[place].score for place in kept]),
            )
        )
    return tuple(made)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None

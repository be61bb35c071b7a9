"""What a run brings in: the dataset and what was dropped on the way to it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncgen.pipeline.draft import Draft
    from asyncgen.pipeline.fold import Fold
    from asyncgen.records import Rejection, Task

__all__ = ["Harvest", "all_rejections", "finished", "harvest"]


@dataclass(frozen=True, slots=True)
class Harvest:
    """The dataset in its order, and the rejections up to its last task in theirs."""

    tasks: list[Task]
    rejections: list[Rejection]


def harvest(fold: Fold, target: int) -> Harvest:
    """Return the dataset as far as it is known, with everything that was dropped up to its end."""
    chosen = finished(fold, target)
    neighbours = fold.neighbours(chosen)
    tasks = [draft.task(near) for draft, near in zip(chosen, neighbours, strict=True)]

    # Instances are answered in any order: by origin, the order is that of the dataset.
    rejections = sorted(fold.rejections, key=_origin)
    # What comes behind hangs on what was in the air when the run ended.
    end = chosen[-1] if len(chosen) == target else fold.counted[-1] if fold.tasks.dry else None
    if end is not None:
        last = (end.provenance.ordinal, end.provenance.position)
        rejections = [one for one in rejections if _origin(one) <= last]
    return Harvest(tasks, rejections)


def finished(fold: Fold, target: int) -> list[Draft]:
    """Return the first ``target`` valid tasks, as far as they are known.

    A task counts only once all before it are settled, so that the result is a
    prefix of the same dataset at any moment of the run. What was made beyond
    the last task is surplus: it stays in the journal.
    """
    return list(islice((draft for draft in fold.counted if draft.instances), target))


def all_rejections(fold: Fold) -> list[Rejection]:
    """Return everything that was dropped so far, also behind the last task."""
    # Instances are answered in any order: by origin, the order is that of the dataset.
    return sorted(fold.rejections, key=_origin)


def _origin(rejection: Rejection) -> tuple[int, int]:
    return rejection.ordinal, rejection.position

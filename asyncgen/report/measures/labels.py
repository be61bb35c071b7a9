"""Classification tasks and the labels that their instances give."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.pipeline.draft import Draft

__all__ = ["Labels", "labels"]

_LONGEST = 80
"""Characters of a label that are told; a model may take a page for one."""


class Labels(Struct, frozen=True, kw_only=True):
    """What classification tasks answer.

    Attributes:
        tasks: Classification tasks.
        of: All tasks.
        instances: Instances of the former.
        counts: Labels by how many instances give them, most frequent first.
        per_task: How many tasks have so many different labels, by that number.
    """

    tasks: int
    of: int
    instances: int
    counts: tuple[tuple[str, int], ...]
    per_task: tuple[tuple[int, int], ...]


def labels(tasks: Sequence[Draft]) -> Labels:
    """Count the labels of finished tasks, upper and lower case being the same."""
    classifying = [task for task in tasks if task.is_classification]
    counts: Counter[str] = Counter()
    spelt: dict[str, str] = {}
    per_task: Counter[int] = Counter()
    for task in classifying:
        given = [_label(one.output) for one in task.instances or ()]
        per_task[len({label.casefold() for label in given})] += 1
        for label in given:
            counts[spelt.setdefault(label.casefold(), label)] += 1
    return Labels(
        tasks=len(classifying),
        of=len(tasks),
        instances=counts.total(),
        counts=tuple(counts.most_common()),
        per_task=tuple(sorted(per_task.items())),
    )


def _label(output: str) -> str:
    label = " ".join(output.split()).rstrip(".")
    return label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…"

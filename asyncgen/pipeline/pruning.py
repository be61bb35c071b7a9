"""Which of a task's instances are kept: the paper's stage four."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from asyncgen.pipeline.rules import repeats_itself

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asyncgen.pipeline.parsing import ParsedInstances
    from asyncgen.records import Instance, Reason

__all__ = ["prune"]

_TEMPLATE = re.compile(r"(?:^|\n)[ \t]*(?:Task|Input|Output|Label|Classification)[ \t]*\d*:")


def prune(
    parsed: ParsedInstances, *, instruction: str, at_most: int
) -> tuple[tuple[Instance, ...], list[tuple[Reason, Instance]]]:
    """Return the instances worth keeping, in their order, and the others with the reason.

    Args:
        parsed: What the answer held.
        instruction: The task's; an output that only says it again is none.
        at_most: How many to keep.
    """
    kept: list[Instance] = []
    dropped: list[tuple[Reason, Instance]] = []
    candidates = list(parsed.instances)
    if parsed.last_is_cut:
        dropped.append(("instance_cut_off", candidates.pop()))

    for instance in candidates:
        reason = _fault(instance, instruction) or _repeats(instance, kept)
        if reason is None:
            kept.append(instance)
        else:
            dropped.append((reason, instance))

    keep = 0 if _conflict(kept) else at_most
    beyond: Reason = "too_many_instances" if keep else "conflicting_outputs"
    dropped.extend((beyond, instance) for instance in kept[keep:])
    return tuple(kept[:keep]), dropped


def _fault(instance: Instance, instruction: str) -> Reason | None:
    text_in, text_out = instance.input, instance.output
    if not text_out:
        return "output_empty"
    if text_in == text_out or _same_words(text_out, instruction):
        return "output_equals_input"
    if text_in.endswith(":") or text_out.endswith(":"):
        return "ends_with_colon"
    if _TEMPLATE.search(text_out) or _TEMPLATE.search(text_in):
        return "output_leaks_template"
    if repeats_itself(text_out) or repeats_itself(text_in):
        return "output_repetitive"
    return None


def _same_words(one: str, other: str) -> bool:
    return one.lower().split() == other.lower().split()


def _repeats(instance: Instance, kept: Sequence[Instance]) -> Reason | None:
    return "instance_duplicate" if instance in kept else None


def _conflict(instances: Iterable[Instance]) -> bool:
    """Whether one input has several outputs: then none of them can be trusted."""
    outputs: dict[str, str] = {}
    return any(
        outputs.setdefault(instance.input, instance.output) != instance.output
        for instance in instances
    )

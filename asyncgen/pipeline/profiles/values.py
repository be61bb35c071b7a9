"""What a profile is made of: plain functions, and the values that they take and return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asyncgen.records import Completion, Instance, Reason

__all__ = [
    "InstanceRule",
    "InstructionRule",
    "Items",
    "Numbering",
    "ParsedInstances",
    "Profile",
    "first_offence",
]

InstructionRule: TypeAlias = "tuple[Reason, Callable[[str], str | None]]"
"""A reason, and what finds it: from a text to what in it offends, ``None`` if nothing does."""

InstanceRule: TypeAlias = "tuple[Reason, Callable[[Instance, str], str | None]]"
"""The same of an instance and the instruction of its task."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """How the list that a model goes on with is numbered.

    Attributes:
        first: Number of the first new item.
        continues: Whether the answer goes on right behind that number.
    """

    first: int
    continues: bool


@dataclass(frozen=True, slots=True)
class Items:
    """The items of an answer as they were written, and how many at its end are lost to a cut."""

    texts: tuple[str, ...]
    lost: int = 0


@dataclass(frozen=True, slots=True)
class ParsedInstances:
    """Instances as they were written; ``last_is_cut`` if the answer broke off in the last one."""

    instances: tuple[Instance, ...]
    last_is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How a run makes tasks of answers. It says nothing of how they were asked for.

    Attributes:
        split: From the answer to a generation request to its items.
        normalise: From an item to the instruction that is judged, and kept.
        instruction_rules: What an instruction must pass, in the order in which they are asked.
        read_decision: From the answer to a classification request and a bias to yes, in nats,
            to whether it is one; ``None`` if it does not say.
        asks_again: Whether a task of which an answer did not say is asked about once more.
        read_instances: From the answer to an instance request, and whether its task is a
            classification task, to the instances in it.
        instance_rules: What an instance must pass, in order.
        conflict: Whether instances contradict each other; then all of them go.
        choose: From the instances that are left, how many may stay and a key for chance to
            those that do, in their order in the dataset.
    """

    split: Callable[[Completion, Numbering], Items]
    normalise: Callable[[str], str]
    instruction_rules: tuple[InstructionRule, ...]
    read_decision: Callable[[Completion, float], bool | None]
    asks_again: bool
    read_instances: Callable[[Completion, bool], ParsedInstances]
    instance_rules: tuple[InstanceRule, ...]
    conflict: Callable[[Sequence[Instance]], bool]
    choose: Callable[[Sequence[Instance], int, str], list[Instance]]


def first_offence(rules: Sequence[InstructionRule], text: str) -> tuple[Reason, str] | None:
    """Return the first broken rule's reason and what offends, or ``None``."""
    for reason, rule in rules:
        offence = rule(text)
        if offence is not None:
            return reason, offence
    return None

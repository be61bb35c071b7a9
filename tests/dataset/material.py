"""Tasks as a run makes them, with texts that encodings stumble over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncgen.records import Instance, Provenance, SeedTask, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AWKWARD", "example_task", "many", "seed_task"]

AWKWARD = '“Köln” \U0001f30a {input}\r\n\ttab \u2028 日本 \\ "quoted" 100 % \u200d'
"""Quotes, an emoji, braces, line ends of every sort, ideographs, a backslash, a joiner."""


def example_task(
    name: str = "task_0_0",
    instruction: str = "Name a river.",
    instances: Sequence[tuple[str, str]] = (("", "The Rhine."),),
    **changes: Any,
) -> Task:
    provenance = Provenance(ordinal=0, position=0, demonstrations=(), model="m", endpoint="e")
    given: dict[str, Any] = {
        "id": name,
        "instruction": instruction,
        "is_classification": False,
        "instances": tuple(Instance(*instance) for instance in instances),
        "most_similar": None,
        "provenance": provenance,
        **changes,
    }
    return Task(**given)


def many(count: int) -> list[Task]:
    """Return tasks that do not resemble each other, of one, two and three instances."""
    return [
        example_task(
            f"task_{number}_0",
            f"alpha{number} beta{number} gamma{number} delta{number}",
            [(f"in {number} {place}", f"out {number} {place}") for place in range(1 + number % 3)],
        )
        for number in range(count)
    ]


def seed_task(name: str = "seed_1", instruction: str = "Sort the words.") -> SeedTask:
    instances = (Instance("b a", "a b"),)
    return SeedTask(
        id=name, instruction=instruction, instances=instances, is_classification=False, name="sort"
    )

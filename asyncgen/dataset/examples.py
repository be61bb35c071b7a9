"""What is exported: tasks of either origin, and their instances one by one."""

from __future__ import annotations

from dataclasses import dataclass

from asyncgen.records import SeedTask, Task

__all__ = ["Example", "Origin", "examples_of", "task_row"]

Origin = Task | SeedTask
"""A task that a model made, or one that a person wrote."""


@dataclass(frozen=True, slots=True)
class Example:
    """One instance of a task: a row of most formats.

    Attributes:
        task: Id of its task.
        number: Its place among the instances of its task, from 0.
        input: Empty where none is needed.
        is_seed: Whether a person wrote it.
    """

    task: str
    number: int
    instruction: str
    input: str
    output: str
    is_classification: bool
    is_seed: bool

    @property
    def question(self) -> str:
        """What is asked: the instruction, then a blank line and the input if there is one."""
        return f"{self.instruction}\n\n{self.input}" if self.input else self.instruction


def examples_of(task: Origin) -> list[Example]:
    """Return the instances of a task, in their order."""
    return [
        Example(
            task=task.id,
            number=number,
            instruction=task.instruction,
            input=instance.input,
            output=instance.output,
            is_classification=task.is_classification,
            is_seed=isinstance(task, SeedTask),
        )
        for number, instance in enumerate(task.instances)
    ]


def task_row(task: Origin) -> dict[str, object]:
    """Return a whole task with the fields of ``dataset.jsonl``; a seed has ``None`` for some."""
    import msgspec

    row = {name: getattr(task, name, None) for name in Task.__struct_fields__}
    plain: dict[str, object] = msgspec.to_builtins(row)
    return plain

"""Tasks for users' everyday applications that people wrote, in the form of the original's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from asyncgen.errors import CorpusError
from asyncgen.evaluate.question import Question
from asyncgen.pipeline.seeds import packaged
from asyncgen.records import Instance  # noqa: TC001 - msgspec reads annotations at run time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from asyncgen.records import Completion

__all__ = ["OWN_TASKS", "Response", "UserTask", "ask_tasks", "read_user_tasks", "responses_of"]

OWN_TASKS = "evaluation_tasks.jsonl"
"""The package's own, in its seeds."""


class UserTask(Struct, frozen=True, kw_only=True):
    """One line of the file; other fields are passed over.

    Attributes:
        motivation_app: The application that it was thought of for.
    """

    id: str
    instruction: str
    instances: tuple[Instance, ...]
    motivation_app: str = ""


class Response(Struct, frozen=True, kw_only=True):
    """One line of ``responses.jsonl``: what one model said to one task, for people to rate."""

    id: str
    motivation_app: str
    instruction: str
    input: str
    reference: str
    model: str
    response: str


def read_user_tasks(path: Path | None = None) -> list[UserTask]:
    """Read a file of tasks, JSON lines; the package's own if none is named.

    Raises:
        CorpusError: If it cannot be read, or a line is no task.
    """
    path = packaged(OWN_TASKS) if path is None else path
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise CorpusError(str(path), f"cannot be read ({error.strerror})") from error
    tasks: dict[str, UserTask] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            task = msgspec.json.decode(line, type=UserTask)
        except msgspec.MsgspecError as error:
            raise CorpusError(str(path), f"not a task: {error}", line=number) from error
        problem = _problem(task, tasks)
        if problem:
            raise CorpusError(str(path), problem, line=number)
        tasks[task.id] = task
    if not tasks:
        raise CorpusError(str(path), "holds no task")
    return list(tasks.values())


def ask_tasks(path: Path | None = None) -> tuple[list[UserTask], list[Question]]:
    """Return tasks, and how the paper asks each: its first instance.

    Raises:
        CorpusError: If they cannot be read.
    """
    tasks = read_user_tasks(path)
    return tasks, [_question(task) for task in tasks]


def responses_of(
    tasks: Sequence[UserTask], model: str, answers: Mapping[str, Completion]
) -> list[Response]:
    """Return a model's answers beside their tasks; one that will never come is empty."""
    return [_response(task, model, answers[task.id]) for task in tasks]


def _question(task: UserTask) -> Question:
    instance = task.instances[0]
    # As in the original's published predictions: 208 tasks with an input, 44 without.
    given = instance.input.strip()
    instruction = task.instruction.strip()
    own = f"{instruction}\n\nInput: {given}\nOutput:" if given else f"{instruction}\nOutput:"
    return Question(id=task.id, shared="", own=own, references=(instance.output.strip(),))


def _response(task: UserTask, model: str, completion: Completion) -> Response:
    instance = task.instances[0]
    failed = completion.finish_reason in {"error", "content_filter"}
    return Response(
        id=task.id,
        motivation_app=task.motivation_app,
        instruction=task.instruction,
        input=instance.input,
        reference=instance.output,
        model=model,
        response="" if failed else completion.text.strip(),
    )


def _problem(task: UserTask, known: Mapping[str, UserTask]) -> str:
    if task.id in known:
        return f"id {task.id!r} is there twice"
    if not task.instruction.strip():
        return "the instruction is empty"
    if not task.instances or not task.instances[0].output.strip():
        return "the task has no instance with an output"
    return ""

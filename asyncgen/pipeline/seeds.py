"""Reading seed tasks and few-shot blocks."""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF8
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import msgspec
import orjson

from asyncgen.errors import SeedError
from asyncgen.records import Instance, SeedTask

__all__ = [
    "Decision",
    "FewShot",
    "WorkedTask",
    "digest",
    "packaged",
    "read_block",
    "read_few_shot",
    "read_seed_tasks",
]

T = TypeVar("T")


class Decision(msgspec.Struct, frozen=True):
    """A few-shot example of the classification stage."""

    instruction: str
    is_classification: bool


class WorkedTask(msgspec.Struct, frozen=True):
    """A few-shot example of the instance stage."""

    instruction: str
    instances: tuple[Instance, ...]


@dataclass(frozen=True, slots=True)
class FewShot:
    """The fixed examples that the later stages show."""

    decisions: tuple[Decision, ...]
    input_first: tuple[WorkedTask, ...]
    output_first: tuple[WorkedTask, ...]


def packaged(name: str) -> Path:
    """Return a file of the package's own seeds.

    Raises:
        FileNotFoundError: If neither the package nor the folder beside it holds it.
    """
    package = Path(str(files("asyncgen")))
    candidates = (package / "_seeds" / name, package.parent / "seeds" / name)
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(f"neither {candidates[0]} nor {candidates[1]} exists")


def read_seed_tasks(path: Path, *, at_least: int) -> list[SeedTask]:
    """Read seed tasks, one JSON object a line, in the original's schema.

    Raises:
        SeedError: If the file is unreadable, a line malformed, an id or an
            instruction given twice, or there are fewer than ``at_least`` tasks.
    """
    seen: dict[str, int] = {}
    tasks: list[SeedTask] = []
    for number, task in _read_lines(path, SeedTask):
        problem = _problem(task, seen)
        if problem:
            raise SeedError(path, problem, line=number)
        seen[task.id] = seen[task.instruction] = number
        tasks.append(task)

    if len(tasks) < at_least:
        raise SeedError(
            path,
            f"{len(tasks)} seed tasks, but a prompt shows {at_least}: add tasks, "
            "or lower 'demonstrations'",
        )
    return tasks


def read_few_shot() -> FewShot:
    """Read the package's own few-shot examples."""
    return FewShot(
        decisions=read_block("classification_decisions.jsonl", Decision),
        input_first=read_block("input_first.jsonl", WorkedTask),
        output_first=read_block("output_first.jsonl", WorkedTask),
    )


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal.

    Raises:
        SeedError: If it cannot be read.
    """
    return hashlib.sha256(_content(path)).hexdigest()


def read_block(name: str, kind: type[T]) -> tuple[T, ...]:
    """Read a file of the package's own."""
    return tuple(value for _, value in _read_lines(packaged(name), kind))


def _read_lines(path: Path, kind: type[T]) -> list[tuple[int, T]]:
    values: list[tuple[int, T]] = []
    for number, line in enumerate(_content(path).removeprefix(BOM_UTF8).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            values.append((number, msgspec.convert(orjson.loads(line), kind)))
        except orjson.JSONDecodeError as error:
            raise SeedError(path, f"not JSON: {error}", line=number) from error
        except msgspec.ValidationError as error:
            raise SeedError(path, str(error), line=number) from error
    return values


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SeedError(path, f"cannot be read ({error.strerror})") from error


def _problem(task: SeedTask, seen: dict[str, int]) -> str:
    if not task.instruction.strip():
        return "the instruction is empty"
    if not task.instances:
        return "the task has no instance"
    for text in (task.id, task.instruction):
        if text in seen:
            return f"{text!r} stands on line {seen[text]} already"
    return ""

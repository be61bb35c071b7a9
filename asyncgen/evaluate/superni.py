"""Tasks of Super-NaturalInstructions: their files, and how the paper asks them.

Wang et al. (2022), "Super-NaturalInstructions: Generalization via Declarative Instructions on
1600+ NLP Tasks"; the form of the prompt is that of its Tk-Instruct, which Self-Instruct uses too
(Wang et al., 2023, section 4.3): the definition, examples if there are to be any, the input.
"""

from __future__ import annotations

import string
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from asyncgen.errors import CorpusError, SettingsError
from asyncgen.evaluate.question import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Example",
    "SuperNiInstance",
    "SuperNiTask",
    "chosen_names",
    "questions_of",
    "read_tasks",
]


class Example(Struct, frozen=True):
    """A worked example of a task."""

    input: str
    output: str


class SuperNiInstance(Struct, frozen=True):
    """One input of a task and the outputs that are right."""

    input: str
    output: tuple[str, ...]
    id: str = ""


class SuperNiTask(Struct, frozen=True, kw_only=True):
    """A task.

    Attributes:
        name: Of its file.
        category: The first of those that the file names.
        definition: What is to be done.
        examples: Positive examples.
    """

    name: str
    category: str
    definition: str
    examples: tuple[Example, ...]
    instances: tuple[SuperNiInstance, ...]


class _File(Struct, rename={"categories": "Categories", "definition": "Definition"}):
    """What is read of a file."""

    definition: tuple[str, ...] | str
    instances: tuple[dict[str, Any], ...] = msgspec.field(name="Instances")
    categories: tuple[str, ...] = ()
    examples: tuple[dict[str, Any], ...] = msgspec.field(name="Positive Examples", default=())


def chosen_names(tasks: str) -> list[str]:
    """Return the task names in a list "a,b", or in a file with one a line.

    Raises:
        SettingsError: If the file cannot be read, or none is named.
    """
    path = Path(tasks)
    try:
        text = path.read_text("utf-8") if path.is_file() else tasks.replace(",", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--tasks {tasks}: cannot be read ({error})") from error
    names = [line.strip().removesuffix(".json") for line in text.splitlines() if line.strip()]
    if not names:
        raise SettingsError(f"--tasks {tasks}: names no task")
    return list(dict.fromkeys(names))


def read_tasks(folder: Path, names: Sequence[str] = ()) -> list[SuperNiTask]:
    """Read task files, ``NAME.json`` each.

    Args:
        folder: Where they are.
        names: Which; all there are in alphabetical order if none is named.

    Raises:
        CorpusError: If one is missing, unreadable or no task.
    """
    if not folder.is_dir():
        raise CorpusError(str(folder), "not a folder of SuperNI tasks")
    paths = [folder / f"{name}.json" for name in names] or sorted(folder.glob("*.json"))
    if not paths:
        raise CorpusError(str(folder), "holds no task (files named *.json)")
    return [_read_task(path) for path in paths]


def questions_of(tasks: Sequence[SuperNiTask], *, examples: int, instances: int) -> list[Question]:
    """Return what is asked: the first instances of each task.

    Args:
        tasks: Of which.
        examples: Positive examples shown; 0 as in the paper's zero-shot evaluation.
        instances: Of each task, 100 in the paper: the files begin with those chosen for tests.

    Raises:
        CorpusError: If two instances have one id, or a task has too few examples.
    """
    questions: dict[str, Question] = {}
    for task in tasks:
        if len(task.examples) < examples:
            raise CorpusError(
                task.name, f"has {len(task.examples)} positive examples, not {examples}"
            )
        shared = _definition(task) + "".join(
            _example(number, one) for number, one in enumerate(task.examples[:examples], start=1)
        )
        for number, instance in enumerate(task.instances[:instances], start=1):
            key = instance.id or f"{task.name}-{number}"
            if key in questions:
                raise CorpusError(task.name, f"instance id {key!r} is there twice")
            questions[key] = Question(
                id=key,
                shared=shared,
                own=_last(instance.input),
                references=instance.output,
                task=task.name,
                category=task.category,
            )
    return list(questions.values())


def _definition(task: SuperNiTask) -> str:
    return f"Definition: {_closed(task.definition.strip())}\n\n"


def _example(number: int, example: Example) -> str:
    said, answered = _closed(example.input.strip()), _closed(example.output.strip())
    return f" Positive Example {number} -\nInput: {said}\n Output: {answered}\n\n"


def _last(given: str) -> str:
    # Tk-Instruct's text ends in a blank; what it sends to GPT-3 is stripped.
    return f"Now complete the following example -\nInput: {_closed(given.strip())}\nOutput:"


def _closed(text: str) -> str:
    """Return a text with a full stop, unless it ends in a punctuation mark."""
    return text if text[-1:] and text[-1] in string.punctuation else f"{text}."


def _read_task(path: Path) -> SuperNiTask:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
        return SuperNiTask(
            name=path.stem,
            category=found.categories[0] if found.categories else "",
            definition=_text(found.definition),
            examples=tuple(
                Example(_text(one["input"]), _text(one["output"])) for one in found.examples
            ),
            instances=tuple(_instance(one) for one in found.instances),
        )
    except OSError as error:
        raise CorpusError(str(path), f"cannot be read ({error.strerror})") from error
    except msgspec.MsgspecError as error:
        raise CorpusError(str(path), f"not a SuperNI task: {error}") from error
    except KeyError as error:
        raise CorpusError(str(path), f"not a SuperNI task: {error} is missing") from error


def _instance(fields: dict[str, Any]) -> SuperNiInstance:
    output = fields["output"]
    listed = [output] if isinstance(output, str) else output
    return msgspec.convert({**fields, "output": listed}, SuperNiInstance)


def _text(value: Any) -> str:
    """Return a text that may stand in a list of one."""
    return msgspec.convert(value if isinstance(value, str) else value[0], str)

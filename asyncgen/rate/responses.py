"""Files of responses: what models answered to tasks, one row for each task and model.

Two kinds of rows are read, told apart by their fields: `id`, `instruction`, `input`, `reference`,
`model`, `response`; and those of the original's released predictions, `instruction`, `input`,
`target`, `response`, which know neither a task's id nor the model: the first follows from what is
asked, the second is the file's name.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct

from asyncgen.corpus.fields import listed
from asyncgen.corpus.lines import lines_of
from asyncgen.corpus.source import STANDARD, Source
from asyncgen.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["RatedTask", "Response", "Study", "read_responses"]

_FIELDS = ("id", "instruction", "input", "reference", "model", "response")
_ORIGINAL = ("instruction", "input", "target", "response")


class RatedTask(Struct, frozen=True, kw_only=True):
    """What was asked, and what a good response is like.

    Attributes:
        application: Where somebody would ask this, if that is known.
    """

    id: str
    instruction: str
    input: str
    reference: str
    application: str = ""


class Response(Struct, frozen=True, kw_only=True):
    """What one model answered to one task."""

    task: str
    model: str
    text: str


class Study(Struct, frozen=True, kw_only=True):
    """Tasks and the responses to them; each task and model stands once."""

    tasks: tuple[RatedTask, ...]
    responses: tuple[Response, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """The models, in the order in which they come."""
        return tuple(dict.fromkeys(one.model for one in self.responses))


def read_responses(paths: Sequence[Path]) -> Study:
    """Read files of responses, as one study.

    Raises:
        CorpusError: If a file cannot be read, a row lacks a field, two rows have the same task
            and model, a task is not the same in all rows, or there is no row at all.
    """
    tasks: dict[str, RatedTask] = {}
    responses: dict[tuple[str, str], Response] = {}
    for path in paths:
        for row in _rows(path):
            task, response = row.task, row.response
            if tasks.setdefault(task.id, task) != task:
                raise row.error(f"task '{task.id}' differs from an earlier row of that id")
            if (task.id, response.model) in responses:
                raise row.error(f"a second response of '{response.model}' to task '{task.id}'")
            responses[task.id, response.model] = response
    if not responses:
        raise CorpusError(", ".join(map(str, paths)), "no responses to rate")
    return Study(tasks=tuple(tasks.values()), responses=tuple(responses.values()))


class _Row(Struct, frozen=True):
    file: str
    line: int
    task: RatedTask
    response: Response

    def error(self, problem: str) -> CorpusError:
        return CorpusError(self.file, problem, line=self.line)


def _rows(path: Path) -> Iterator[_Row]:
    model = _model_of(path)
    with Source(path) as source:
        for number, line in enumerate(lines_of(source.chunks()), start=1):
            if not line.isspace():
                try:
                    yield _Row(
                        source.name, number, *_read(line.removeprefix(b"\xef\xbb\xbf"), model)
                    )
                except ValueError as error:
                    raise CorpusError(source.name, str(error), line=number) from error


def _read(line: bytes, model: str) -> tuple[RatedTask, Response]:
    """Read a row.

    Raises:
        ValueError: It is not JSON, no object, or lacks a field.
    """
    try:
        row: Any = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error})") from error
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - of the row, not of our code
    if "target" in row and "reference" not in row:
        given = _texts(row, _ORIGINAL)
        asked = given["instruction"].strip()
        name = hashlib.sha256(orjson.dumps([asked, given["input"]])).hexdigest()[:12]
        given |= {"id": name, "model": model, "reference": given["target"], "instruction": asked}
    else:
        given = _texts(row, _FIELDS)
    application = row.get("motivation_app", "")
    task = RatedTask(
        id=given["id"],
        instruction=given["instruction"],
        input=given["input"],
        reference=given["reference"],
        application=application if isinstance(application, str) else "",
    )
    return task, Response(task=task.id, model=given["model"], text=given["response"])


def _texts(row: dict[str, Any], names: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        if name not in row:
            raise ValueError(f"no field '{name}'; it has: {listed(row)}")
        if not isinstance(row[name], str):
            raise ValueError(f"the field '{name}' is not a string")  # noqa: TRY004 - as above
        found[name] = row[name]
    for name in ("id", "model", "instruction"):
        if name in found and not found[name].strip():
            raise ValueError(f"the field '{name}' is empty")
    return found


def _model_of(path: Path) -> str:
    """Return what a file of predictions is named after."""
    if str(path) == STANDARD:
        return "standard input"
    stem = path.name.partition(".jsonl")[0]
    return stem.removesuffix("_predictions") or stem

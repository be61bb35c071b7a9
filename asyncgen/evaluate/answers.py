"""What a model answered, beside what was expected: rows of a file, ours or another's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import orjson
from msgspec import Struct

from asyncgen.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from asyncgen.evaluate.question import Question
    from asyncgen.records import Completion

__all__ = ["PREDICTIONS", "Prediction", "answered", "read_predictions", "read_references"]

PREDICTIONS = "predictions.jsonl"
"""The file of them in an evaluation's folder."""

_SAID = ("prediction", "response", "output")
_EXPECTED = ("references", "target", "reference")


class Prediction(Struct, frozen=True, kw_only=True):
    """One line of ``predictions.jsonl``: SuperNI's form, and what else is known.

    Attributes:
        prediction: Empty where the model will never answer.
        references: Answers that would be right; the best match counts.
        finish_reason: How the answer ended; empty where that is not known.
    """

    id: str
    prediction: str
    references: tuple[str, ...]
    task_id: str = ""
    task_category: str = ""
    model: str = ""
    endpoint: str = ""
    finish_reason: str = ""


def answered(questions: Sequence[Question], answers: Mapping[str, Completion]) -> list[Prediction]:
    """Return the answers to questions, each stripped of blanks at its ends."""
    return [_prediction(one, answers[one.id]) for one in questions]


def _prediction(question: Question, completion: Completion) -> Prediction:
    failed = completion.finish_reason in {"error", "content_filter"}
    return Prediction(
        id=question.id,
        prediction="" if failed else completion.text.strip(),
        references=question.references,
        task_id=question.task,
        task_category=question.category,
        model=completion.model,
        endpoint=completion.endpoint,
        finish_reason=completion.finish_reason,
    )


def read_references(path: Path) -> dict[str, Prediction]:
    """Read expected answers, SuperNI's form: ``id`` and ``references`` a line.

    Returns:
        Empty predictions by id.

    Raises:
        CorpusError: If it cannot be read, or a row has no id or no reference.
    """
    found: dict[str, Prediction] = {}
    for line, row in _rows(path):
        if "id" not in row:
            raise CorpusError(str(path), "has no 'id'", line=line)
        key = str(row["id"])
        found[key] = Prediction(
            id=key, prediction="", references=_references(path, line, row), **_known(row)
        )
    return found


def read_predictions(
    path: Path, references: Mapping[str, Prediction] | None = None
) -> list[Prediction]:
    """Read given answers, JSON lines.

    A row has ``prediction`` or ``response``; ``references``, ``target`` or ``reference``, unless
    references are given by id; and may have ``id``, ``task_id`` and ``task_category``. Without
    ids rows are numbered. As in SuperNI, what was not answered counts as an empty answer.

    Args:
        path: The file, or an evaluation's folder.
        references: By id, as :func:`read_references` returns them.

    Raises:
        CorpusError: If it cannot be read, an id is there twice, or a row lacks something.
    """
    path = path / PREDICTIONS if path.is_dir() else path
    rows: dict[str, Prediction] = {}
    for line, row in _rows(path):
        key = str(row.get("id", line))
        if key in rows:
            raise CorpusError(str(path), f"id {key!r} is there twice", line=line)
        said = next((row[name] for name in _SAID if name in row), None)
        if not isinstance(said, str):
            raise CorpusError(str(path), "has no text under 'prediction' or 'response'", line=line)
        known = {**_known(row), "prediction": said}
        if references is None:
            expected = _references(path, line, row)
            rows[key] = Prediction(id=key, references=expected, **known)
        elif key in references:
            rows[key] = msgspec.structs.replace(references[key], **known)
        else:
            raise CorpusError(str(path), f"id {key!r} is not among the references", line=line)
    found = rows if references is None else {**references, **rows}
    if not rows:
        raise CorpusError(str(path), "holds no prediction")
    return list(found.values())


def _known(row: Mapping[str, Any]) -> dict[str, str]:
    """Return what else a row says, by the names of fields."""
    names = ("task_id", "task_category", "model", "endpoint", "finish_reason")
    return {name: str(row[name]) for name in names if row.get(name) is not None}


def _references(path: Path, line: int, row: Mapping[str, Any]) -> tuple[str, ...]:
    found = next((row[name] for name in _EXPECTED if name in row), None)
    listed = [found] if isinstance(found, str) else found
    try:
        references = msgspec.convert(listed, tuple[str, ...])
    except msgspec.ValidationError:
        references = ()
    if not references:
        raise CorpusError(
            str(path), "has no text under 'references', 'target' or 'reference'", line=line
        )
    return references


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorpusError(str(path), f"cannot be read ({error.strerror})") from error
    for line, text in enumerate(content.splitlines(), start=1):
        if not text.strip():
            continue
        try:
            row = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise CorpusError(str(path), f"not JSON: {error}", line=line) from error
        if not isinstance(row, dict):
            raise CorpusError(str(path), "not a JSON object", line=line)
        yield line, row

"""The training file of a service: a run's tasks or an export, by OpenAI's rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from asyncgen.dataset.bundle import TRAIN, Plan, arrange
from asyncgen.dataset.formats import FORMATS, Style
from asyncgen.dataset.openai import offence_in_file, offence_in_row
from asyncgen.errors import CorpusError, ExportError
from asyncgen.finetune.examples import read_objects
from asyncgen.pipeline.folder import RunFolder
from asyncgen.pipeline.material import material_of

if TYPE_CHECKING:
    from asyncgen.finetune.hosting import Hosting

__all__ = ["TrainingFile", "training_file"]

_NAME = "data.jsonl"


@dataclass(frozen=True, slots=True)
class TrainingFile:
    """What is uploaded.

    Attributes:
        content: JSON lines of ``messages``.
        examples: How many.
        dropped: Examples that were left out because they break a rule, by rule.
    """

    content: bytes
    examples: int
    dropped: dict[str, int]


def training_file(hosting: Hosting) -> TrainingFile:
    """Return what the service is to learn from, checked by its rules.

    Raises:
        ExportError: If the file breaks one.
        CorpusError: If an example of a file does.
    """
    path = Path(hosting.data)
    if path.is_dir():
        material = material_of(RunFolder(path), include_seeds=hosting.include_seeds)
        plan = Plan(
            format=FORMATS["openai"],
            style=Style(system=hosting.system),
            most_tokens=hosting.token_limit,
        )
        bundle = arrange([*material.seeds, *material.tasks], plan)
        rows: list[Any] = list(bundle.splits[TRAIN])
        dropped = bundle.dropped
    else:
        rows, dropped = _checked_rows(path, hosting.token_limit), {}
    content = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    offence = offence_in_file(_NAME, len(rows), len(content), True)  # noqa: FBT003 - its form
    if offence is not None:
        raise ExportError(f"{path}: {offence}")
    return TrainingFile(content, len(rows), dropped)


def _checked_rows(path: Path, most_tokens: int) -> list[Any]:
    rows: list[Any] = []
    for number, row in read_objects(path):
        offence = offence_in_row(row, most_tokens) if isinstance(row, dict) else "no object"
        if offence is not None:
            raise CorpusError(str(path), f"{offence}: OpenAI does not train on it", line=number)
        rows.append(row)
    return rows

"""What is learned from: a run's tasks through its exports, or a file that an export wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from asyncgen.corpus.lines import lines_of
from asyncgen.corpus.source import Source
from asyncgen.dataset.bundle import TRAIN, Plan, arrange
from asyncgen.dataset.formats import FORMATS, Style
from asyncgen.dataset.prompt_completion import END_OF_TEXT
from asyncgen.errors import CorpusError, SettingsError
from asyncgen.pipeline.folder import RunFolder
from asyncgen.pipeline.material import material_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asyncgen.finetune.tuning import Form, Tuning

__all__ = ["Examples", "read_examples", "read_objects"]


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows of one form: ``prompt`` and ``completion`` as text, or ``messages``."""

    form: Form
    rows: list[dict[str, Any]]

    def as_lines(self) -> bytes:
        """Return them as JSON lines."""
        return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in self.rows)


def read_examples(tuning: Tuning) -> Examples:
    """Return the examples of a run folder or a file, each once.

    Raises:
        InputError: If there are none, they cannot be read, or the file holds another form than
            the one that is asked for.
    """
    path = Path(tuning.data)
    return _of_run(path, tuning) if path.is_dir() else _of_file(path, tuning)


def _of_run(path: Path, tuning: Tuning) -> Examples:
    form = tuning.form or "prompt-completion"
    material = material_of(RunFolder(path), include_seeds=tuning.include_seeds)
    # What ends a completion is the model's own token, which is put behind it later.
    style = Style(seed=tuning.seed, end="")
    bundle = arrange([*material.seeds, *material.tasks], Plan(format=FORMATS[form], style=style))
    return Examples(form, bundle.splits[TRAIN])


def _of_file(path: Path, tuning: Tuning) -> Examples:
    if tuning.include_seeds:
        raise SettingsError("--include-seeds: of use to a run folder alone; export them instead")
    rows: list[dict[str, Any]] = []
    form: Form | None = None
    for number, value in read_objects(path):
        row = _row(value)
        if row is None:
            raise CorpusError(
                str(path),
                "needs 'prompt' and 'completion', or 'messages' of which the assistant's is last: "
                "see asyncgen export --format prompt-completion or chat",
                line=number,
            )
        found: Form = "chat" if "messages" in row else "prompt-completion"
        if form not in {None, found}:
            raise CorpusError(
                str(path), f"is of form {found}, and those before are not", line=number
            )
        form = found
        rows.append(row)
    if form is None:
        raise CorpusError(str(path), "holds no example")
    if tuning.form not in {None, form}:
        raise SettingsError(f"--format {tuning.form}: {path} holds {form}; leave it out")
    return Examples(form, rows)


def read_objects(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the values of a file of JSON lines, and the line of each, from 1.

    Raises:
        CorpusError: If it cannot be read, or a line is not JSON.
    """
    with Source(path) as source:
        for number, line in enumerate(lines_of(source.chunks()), start=1):
            if line.isspace():
                continue
            try:
                yield number, orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise CorpusError(str(path), f"not JSON: {error}", line=number) from error


def _row(value: Any) -> dict[str, Any] | None:
    """Return a row in one of the two forms, ``None`` if it is of neither."""
    match value:
        case {"prompt": str(prompt), "completion": str(completion)}:
            return {"prompt": prompt, "completion": completion.removesuffix(END_OF_TEXT)}
        case {"prompt": list(prompt), "completion": list(completion)}:
            return _conversation([*prompt, *completion])
        case {"messages": list(messages)}:
            return _conversation(messages)
        case _:
            return None


def _conversation(messages: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    for message in messages:
        match message:
            case {"role": str(), "content": str()}:
                pass
            case _:
                return None
    if len(messages) < 2 or messages[-1]["role"] != "assistant":
        return None
    return {"messages": messages}

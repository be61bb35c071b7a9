"""The losses of a training, a line of JSON for each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from asyncgen.dataset.jsonl import json_line, write_json_lines
from asyncgen.errors import RunFolderError
from asyncgen.finetune.tuning import Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["LossLog", "read_losses", "tenths"]


class LossLog:
    """A file of losses that goes on where the last checkpoint was made."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def cut(self, step: int) -> None:
        """Forget what came after a step: it is made again.

        Raises:
            RunFolderError: If it cannot be written.
        """
        write_json_lines(self._path, [one for one in read_losses(self._path) if one.step <= step])

    def add(self, number: int, logs: Mapping[str, Any]) -> Step:
        """Write a step down and return it.

        Args:
            number: Of the step.
            logs: What the Trainer says of it.

        Raises:
            RunFolderError: If it cannot be written.
        """
        step = Step(
            step=number,
            epoch=logs["epoch"],
            loss=logs["loss"],
            grad_norm=logs["grad_norm"],
            learning_rate=logs["learning_rate"],
        )
        try:
            with self._path.open("ab") as stream:
                stream.write(json_line(step))
        except OSError as error:
            raise RunFolderError(self._path, f"cannot be written ({error.strerror})") from error
        return step


def read_losses(path: Path) -> list[Step]:
    """Return the steps of a file, none if there is no file; a line that a kill cut is left out."""
    if not path.is_file():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    return [msgspec.json.decode(line, type=Step) for line in lines]


def tenths(steps: Sequence[Step]) -> tuple[float, float]:
    """Return the mean loss over the first tenth of the steps, and over the last."""
    count = max(1, len(steps) // 10)
    first, last = steps[:count], steps[-count:]
    return sum(one.loss for one in first) / count, sum(one.loss for one in last) / count

"""JSON lines, one value a line, replacing a file only when it is complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import orjson

from asyncgen.corpus.sink import Sink
from asyncgen.errors import CorpusError, RunFolderError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["json_line", "write_json_lines"]


def json_line(value: msgspec.Struct) -> bytes:
    """Return a value as one line of JSON, its fields in their order."""
    return orjson.dumps(msgspec.to_builtins(value), option=orjson.OPT_APPEND_NEWLINE)


def write_json_lines(path: Path, values: Iterable[msgspec.Struct]) -> int:
    """Write values as JSON lines and return how many.

    The file appears whole or not at all: a reader, or a crash, sees the old one
    or the new one.

    Raises:
        RunFolderError: If it cannot be written.
    """
    count = 0
    try:
        with Sink(path) as sink:
            for value in values:
                sink.write(json_line(value))
                count += 1
            sink.finish()
            sink.commit()
    except CorpusError as error:
        raise RunFolderError(path, error.problem) from error
    return count

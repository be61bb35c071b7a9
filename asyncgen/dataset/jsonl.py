"""JSON lines, one value a line, replacing a file only when it is complete."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import msgspec
import orjson

from asyncgen.errors import RunFolderError

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
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    count = 0
    try:
        with partial.open("wb") as stream:
            for value in values:
                stream.write(json_line(value))
                count += 1
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise RunFolderError(path, f"cannot be written ({error.strerror})") from error
        raise
    return count

"""Files that replace old ones only when they are complete, and JSON lines in them."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, BinaryIO

import msgspec
import orjson

from asyncgen.errors import RunFolderError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

__all__ = ["json_line", "write_json_lines", "write_whole"]


def json_line(value: msgspec.Struct) -> bytes:
    """Return a value as one line of JSON, its fields in their order."""
    return orjson.dumps(msgspec.to_builtins(value), option=orjson.OPT_APPEND_NEWLINE)


def write_json_lines(path: Path, values: Iterable[msgspec.Struct]) -> int:
    """Write values as JSON lines and return how many.

    Raises:
        RunFolderError: If it cannot be written.
    """
    count = 0
    with _replacing(path) as stream:
        for value in values:
            stream.write(json_line(value))
            count += 1
    return count


def write_whole(path: Path, data: bytes) -> None:
    """Write a file.

    Raises:
        RunFolderError: If it cannot be written.
    """
    with _replacing(path) as stream:
        stream.write(data)


@contextlib.contextmanager
def _replacing(path: Path) -> Generator[BinaryIO]:
    """Open a file that appears whole or not at all: a reader, or a crash, sees old or new."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise RunFolderError(path, f"cannot be written ({error.strerror})") from error
        raise

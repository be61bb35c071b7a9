"""Bytes in: a file or standard input, plain or compressed, told apart by their first bytes."""

from __future__ import annotations

import gzip
import os
import stat
import sys
import zlib
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, cast

from asyncgen.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path
    from types import TracebackType
    from typing import Self

__all__ = ["STANDARD", "Source"]

STANDARD = "-"
"""The name that means standard input or output."""

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x2a\x4d\x18"
"""Bytes 2 to 4 of a Zstandard skippable frame, which may come first (RFC 8878, 3.1.2)."""


class Source:
    """The decompressed bytes of a file, in chunks; a context manager that closes it.

    Args:
        path: The file; ``-`` is standard input.

    Raises:
        CorpusError: If it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.name = "standard input" if str(path) == STANDARD else str(path)
        self._borrowed = str(path) == STANDARD
        self._damage: tuple[type[Exception], ...] = ()
        self._file = self._standard_input() if self._borrowed else self._opened(path)
        self._size = _size_of(self._file)
        self._read_so_far = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._borrowed:
            self._file.close()

    @cached_property
    def head(self) -> bytes:
        """The first mebibyte, or all there is.

        Raises:
            CorpusError: If it cannot be read.
        """
        return self._read()

    def chunks(self) -> Iterator[bytes]:
        """Read everything, the head included; no chunk is empty.

        Raises:
            CorpusError: If it cannot be read, or the compressed data is damaged.
        """
        chunk = self.head
        while chunk:
            yield chunk
            chunk = self._read()

    def share_used(self, used: int) -> float | None:
        """Return which share of the file was used, from 0 to 1; ``None`` if its size is unknown.

        Args:
            used: How many of the bytes that ``chunks`` yielded.
        """
        if not self._size or not self._read_so_far:
            return None
        return self._file.tell() / self._size * min(1.0, used / self._read_so_far)

    def _standard_input(self) -> BufferedReader:
        # None where the process was started without one; the type stubs do not know.
        if cast("object", sys.stdin) is None:
            raise CorpusError(self.name, "is closed")
        return cast("BufferedReader", sys.stdin.buffer)

    def _opened(self, path: Path) -> BufferedReader:
        try:
            return path.open("rb")
        except OSError as error:
            raise self._unreadable(error) from error

    @cached_property
    def _stream(self) -> BinaryIO:
        magic = self._file.peek(4)[:4]
        if magic.startswith(_GZIP):
            self._damage = (gzip.BadGzipFile, zlib.error)
            return cast("BinaryIO", gzip.GzipFile(fileobj=self._file, mode="rb"))
        if magic == _ZSTANDARD or (magic[1:] == _SKIPPABLE and magic[0] >> 4 == 5):
            from asyncgen.corpus.zstandard import ZstdError, ZstdFile

            self._damage = (ZstdError,)
            return cast("BinaryIO", ZstdFile(self._file, "rb"))
        return self._file

    def _read(self) -> bytes:
        try:
            chunk = self._stream.read(_CHUNK)
        except EOFError as error:
            raise CorpusError(self.name, "the compressed data ends too early") from error
        except self._damage as error:
            raise CorpusError(self.name, f"the compressed data is damaged ({error})") from error
        except OSError as error:
            raise self._unreadable(error) from error
        self._read_so_far += len(chunk)
        return chunk

    def _unreadable(self, error: OSError) -> CorpusError:
        return CorpusError(self.name, f"cannot be read ({error.strerror})")


def _size_of(file: BufferedReader) -> int | None:
    """Return a regular file's size in bytes; ``None`` for a pipe, a terminal, a stand-in."""
    try:
        status = os.fstat(file.fileno())
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None

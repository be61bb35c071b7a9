"""Bytes out: a file that appears whole or not at all, compressed if its name says so."""

from __future__ import annotations

import contextlib
import gzip
import os
import sys
from typing import TYPE_CHECKING, BinaryIO, cast

from asyncgen.corpus.source import STANDARD
from asyncgen.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

__all__ = ["Sink", "is_same_file"]

_GZIP_LEVEL = 6
"""As of the gzip command: level 9, Python's default, takes three times as long for 1 %."""


class Sink:
    """A file being written; the old one is there until ``commit``.

    As a context manager it takes away what was not committed. Standard output, and
    what is no regular file (a pipe, /dev/null), is written to at once.

    Args:
        path: Where to; ``-`` is standard output.

    Raises:
        CorpusError: If it cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.name = "standard output" if str(path) == STANDARD else str(path)
        # A link stays a link: what it points to is replaced.
        self._path = path.resolve()
        self._partial = self._path.with_name(f".{self._path.name}.{os.getpid()}.partial")
        self._is_standard = str(path) == STANDARD
        self._at_once = self._is_standard or (path.exists() and not path.is_file())
        with self._translated():
            self._file = self._opened()
            self._stream = self._compressed(path.suffix.lower())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Here an error was raised before, or nothing is left to write.
        with contextlib.suppress(OSError):
            self._close()
        if not self._at_once:
            self._partial.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Write.

        Raises:
            CorpusError: If it cannot be written.
        """
        with self._translated():
            self._stream.write(data)

    def finish(self) -> None:
        """Bring everything to the disk; ``commit`` cannot fail for lack of room then.

        Raises:
            CorpusError: If it cannot be written.
        """
        with self._translated():
            if self._stream is not self._file:
                self._stream.close()
            self._file.flush()
            if not self._at_once:
                os.fsync(self._file.fileno())
            self._close()

    def commit(self) -> None:
        """Put the finished file in its place.

        Raises:
            CorpusError: If that is impossible.
        """
        if not self._at_once:
            with self._translated():
                self._partial.replace(self._path)

    def _opened(self) -> BinaryIO:
        if self._is_standard:
            return sys.stdout.buffer
        return (self._path if self._at_once else self._partial).open("wb")

    def _compressed(self, suffix: str) -> BinaryIO:
        if suffix == ".gz":
            # Neither name nor time: the same rows are the same bytes.
            packed = gzip.GzipFile("", "wb", _GZIP_LEVEL, self._file, mtime=0)
            return cast("BinaryIO", packed)
        if suffix == ".zst":
            from asyncgen.corpus.zstandard import ZstdFile

            return cast("BinaryIO", ZstdFile(self._file, "wb"))
        return self._file

    def _close(self) -> None:
        if self._stream is not self._file:
            self._stream.close()
        if not self._is_standard:
            self._file.close()

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except BrokenPipeError:
            # Our reader has left: no error, and the command line knows what to do.
            raise
        except OSError as error:
            raise CorpusError(self.name, f"cannot be written ({error.strerror})") from error


def is_same_file(one: Path, other: Path) -> bool:
    """Return whether two paths name one file, which need not exist."""
    if STANDARD in {str(one), str(other)}:
        return str(one) == str(other)
    try:
        return one.samefile(other)
    except OSError:
        return one.resolve() == other.resolve()

"""Corpora in every format, written by hand so that every byte is on purpose."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING

from asyncgen.corpus.rows import BadRow, Row
from asyncgen.corpus.zstandard import ZstdFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["chunked", "good", "packed", "unpacked"]


def packed(data: bytes, suffix: str) -> bytes:
    """Compress as a name's suffix says."""
    match suffix:
        case ".gz":
            return gzip.compress(data)
        case ".zst":
            with ZstdFile(file := io.BytesIO(), "wb") as stream:
                stream.write(data)
            return file.getvalue()
        case _:
            return data


def unpacked(data: bytes, suffix: str) -> bytes:
    """Undo ``packed``."""
    match suffix:
        case ".gz":
            return gzip.decompress(data)
        case ".zst":
            return ZstdFile(io.BytesIO(data)).read()
        case _:
            return data


def chunked(data: bytes, size: int) -> Iterator[bytes]:
    """Cut into chunks, as a file is read."""
    return (data[start : start + size] for start in range(0, len(data), size))


def good(rows: Iterable[Row | BadRow]) -> list[Row]:
    """Return the rows, none of which may be bad."""
    found: list[Row] = []
    for row in rows:
        assert isinstance(row, Row), row
        found.append(row)
    return found

"""Lines, and the two formats that have one row on each: JSON lines and plain text."""

from __future__ import annotations

import io
from codecs import BOM_UTF8
from typing import TYPE_CHECKING

import orjson

from asyncgen.corpus.fields import json_row
from asyncgen.corpus.members import with_members
from asyncgen.corpus.rows import BadRow, Row
from asyncgen.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from asyncgen.corpus.fields import Field

__all__ = ["JsonLines", "TextLines", "lines_of"]


def lines_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Cut bytes into lines that keep their ends; only ``\n`` ends a line."""
    begun: list[bytes] = []
    for chunk in chunks:
        begun.append(chunk)
        # Joined only when a line ends: one of a gigabyte is not copied again with each chunk.
        if b"\n" not in chunk:
            continue
        lines = io.BytesIO(b"".join(begun)).readlines()
        begun = [] if lines[-1].endswith(b"\n") else [lines.pop()]
        yield from lines
    last = b"".join(begun)
    if last:
        yield last


class _Lines:
    """What both formats share: numbered lines, and a byte order mark before the first."""

    separator = b""
    closing = b""

    def __init__(self, name: str, chunks: Iterable[bytes]) -> None:
        self.name = name
        self.opening = b""
        self._chunks = chunks

    def _numbered(self) -> Iterator[tuple[int, bytes]]:
        for number, line in enumerate(lines_of(self._chunks), start=1):
            if number == 1 and line.startswith(BOM_UTF8):
                self.opening = BOM_UTF8
                yield number, line[len(BOM_UTF8) :]
            else:
                yield number, line

    def annotated_opening(self, names: tuple[str, ...]) -> bytes:  # noqa: ARG002 - of the Protocol
        """Return what stands before the first row; names stand in the rows themselves."""
        return self.opening

    def broken(self, number: int, problem: str) -> CorpusError:
        """Return the error that names a line."""
        return CorpusError(self.name, problem, line=number)


class JsonLines(_Lines):
    """One JSON object a line; blank lines are passed over."""

    def __init__(self, name: str, chunks: Iterable[bytes], field: Field) -> None:
        super().__init__(name, chunks)
        self._field = field

    def __iter__(self) -> Iterator[Row | BadRow]:
        """Read; see ``Corpus``."""
        field = self._field
        for number, line in self._numbered():
            if not line.isspace():
                yield json_row(line, number, field)

    @staticmethod
    def annotated(row: Row, fields: Mapping[str, bytes]) -> bytes:
        """Return a row with further fields."""
        return with_members(row.raw, fields)

    @staticmethod
    def as_json(row: Row, fields: Mapping[str, bytes]) -> bytes:
        """Return a row as one JSON object, with further fields."""
        return with_members(row.raw.strip(), fields)


class TextLines(_Lines):
    """One text a line, blank ones included; it has no place for further fields."""

    def __iter__(self) -> Iterator[Row | BadRow]:
        """Read; see ``Corpus``."""
        for number, line in self._numbered():
            try:
                text = line.removesuffix(b"\n").removesuffix(b"\r").decode()
            except UnicodeDecodeError as error:
                yield BadRow(number, f"not UTF-8 (byte {line[error.start]:#04x})")
            else:
                yield Row(line, text, number)

    @staticmethod
    def annotated(row: Row, fields: Mapping[str, bytes]) -> bytes:  # noqa: ARG004 - of the Protocol
        """Refuse; a job that asks for it is refused before.

        Raises:
            TypeError: Always.
        """
        raise TypeError("lines of text have no fields")

    @staticmethod
    def as_json(row: Row, fields: Mapping[str, bytes]) -> bytes:
        """Return a row as one JSON object of "text" and further fields."""
        return with_members(orjson.dumps({"text": row.text}), fields)

"""One JSON array of objects, read element by element."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from typing import TYPE_CHECKING

from asyncgen.corpus.fields import json_row
from asyncgen.corpus.members import NEXT_BRACKET, STRING, with_members
from asyncgen.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from asyncgen.corpus.fields import Field
    from asyncgen.corpus.rows import BadRow, Row

__all__ = ["JsonArray"]

# Each asks for one more byte than it takes, so that it cannot end where a chunk does.
_BLANKS = re.compile(rb"[ \t\r\n]*+(?=[^ \t\r\n])")
_SCALAR = re.compile(rb'[^ \t\r\n,\[\]{}"]++(?=[ \t\r\n,\[\]{}"])')
_OPENING = re.compile(rb"(?:%s)?[ \t\r\n]*+\[" % BOM_UTF8)
_LINE_ENDS = b"\r\n"


class JsonArray:
    """A JSON array of objects; only one element at a time, and a chunk, is held.

    The blanks before an element belong to it, so that what is written looks as
    what was read: the same bytes if nothing is left out.
    """

    separator = b","

    def __init__(self, name: str, chunks: Iterable[bytes], field: Field) -> None:
        self.name = name
        self.opening = b""
        self.closing = b""
        self._field = field
        self._window = _Window(chunks)

    def __iter__(self) -> Iterator[Row | BadRow]:
        """Read; see ``Corpus``."""
        for number, raw in enumerate(self._elements(), start=1):
            yield json_row(raw, number, self._field)

    def annotated_opening(self, names: tuple[str, ...]) -> bytes:  # noqa: ARG002 - of the Protocol
        """Return what stands before the first row; names stand in the rows themselves."""
        return self.opening

    def broken(self, number: int, problem: str) -> CorpusError:
        """Return the error that names an element."""
        return CorpusError(self.name, problem, element=number)

    @staticmethod
    def annotated(row: Row, fields: Mapping[str, bytes]) -> bytes:
        """Return a row with further fields."""
        return with_members(row.raw, fields)

    @staticmethod
    def as_json(row: Row, fields: Mapping[str, bytes]) -> bytes:
        """Return a row as one JSON object on one line, with further fields."""
        # A string holds no bare line end, so these are layout.
        return with_members(row.raw.strip().translate(None, _LINE_ENDS), fields)

    def _elements(self) -> Iterator[bytes]:
        window = self._window
        if not window.take(_OPENING):
            raise self.broken(1, "'[' expected")
        self.opening = window.cut()
        number = 1
        while self._another(number):
            if not self._take_value():
                raise self.broken(number, "the file ends in the middle of it")
            yield window.cut()
            self._end_element(number)
            number += 1
        window.step()
        if window.take(_BLANKS):
            raise self.broken(number, "something stands behind the end of the array")
        self.closing = window.rest()

    def _another(self, number: int) -> bool:
        """Go to the next element; return whether there is one."""
        if not self._window.take(_BLANKS):
            raise self.broken(number, "the array is never closed")
        mark = self._window.ahead()
        # Behind a comma, ``_end_element`` has seen to it that more follows.
        if mark == b"]":
            return False
        if mark in b"},":
            raise self.broken(number, f"an element expected, not '{mark.decode()}'")
        return True

    def _take_value(self) -> bool:
        window = self._window
        match window.ahead():
            case b"{" | b"[":
                depth = 0
                while window.take(NEXT_BRACKET):
                    depth += 1 if window.behind() in b"{[" else -1
                    if depth == 0:
                        return True
                return False
            case b'"':
                return window.take(STRING)
            case _:
                return window.take(_SCALAR)

    def _end_element(self, number: int) -> None:
        """Pass the comma behind an element, if there is one."""
        window = self._window
        if not window.take(_BLANKS):
            raise self.broken(number, "the array is never closed")
        if window.ahead() == b"]":
            window.back()
            return
        if window.ahead() != b",":
            raise self.broken(number, "',' or ']' expected behind it")
        window.step()
        window.cut()
        if not window.take(_BLANKS) or window.ahead() == b"]":
            raise self.broken(number, "no element follows the last comma")
        window.back()


class _Window:
    """What was read of a file and not yet cut off, and a position in it."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._data = b""
        self._start = self._at = 0

    def take(self, pattern: re.Pattern[bytes]) -> bool:
        """Go behind what matches here, reading as much as that needs; return if it does."""
        while (found := pattern.match(self._data, self._at)) is None:
            if not self._grow():
                return False
        self._at = found.end()
        return True

    def ahead(self) -> bytes:
        """Return the byte at the position."""
        return self._data[self._at : self._at + 1]

    def behind(self) -> bytes:
        """Return the byte before the position."""
        return self._data[self._at - 1 : self._at]

    def step(self) -> None:
        """Go behind the byte at the position."""
        self._at += 1

    def back(self) -> None:
        """Return to the last cut."""
        self._at = self._start

    def cut(self) -> bytes:
        """Cut off what stands before the position and return it."""
        piece = self._data[self._start : self._at]
        self._start = self._at
        return piece

    def rest(self) -> bytes:
        """Return all that was not cut off, after a ``take`` that came to the end."""
        return self._data[self._start :]

    def _grow(self) -> bool:
        """Read on; at least as much again as is held, so that a huge element is scanned twice."""
        held = self._data[self._start :]
        pieces, size = [held], 0
        for chunk in self._chunks:
            pieces.append(chunk)
            size += len(chunk)
            if size >= len(held):
                break
        self._data = b"".join(pieces)
        self._at -= self._start
        self._start = 0
        return size > 0

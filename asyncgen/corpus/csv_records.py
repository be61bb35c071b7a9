"""CSV with a header (RFC 4180), record by record as the bytes stood."""

from __future__ import annotations

import csv
import itertools
import re
from codecs import BOM_UTF8
from typing import TYPE_CHECKING

import orjson

from asyncgen.corpus.lines import lines_of
from asyncgen.corpus.members import with_members
from asyncgen.corpus.rows import BadRow, Row
from asyncgen.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from asyncgen.corpus.fields import Field

__all__ = ["CsvRecords", "columns_of"]

_LARGEST_FIELD = 1 << 27
"""Characters; the csv module's own 131,072 are less than a long answer has."""

_END = re.compile(rb"\r?\n?\Z")
_TO_QUOTE = re.compile(rb'[",\r\n]')
_CELL = re.compile(rb'(?:"(?:[^"]++|"")*+")?+[^,]*+', re.DOTALL)


class CsvRecords:
    """The records of a CSV file; blank lines are passed over.

    The csv module reads, strictly, and says so where a record ends; what it took
    in the meantime is the record as it stood.
    """

    separator = b""
    closing = b""

    def __init__(self, name: str, chunks: Iterable[bytes], field: Field) -> None:
        csv.field_size_limit(_LARGEST_FIELD)
        self.name = name
        self.opening = b""
        self._field = field
        self._header: list[str] = []
        self._feed = _Feed(lines_of(chunks))

    def __iter__(self) -> Iterator[Row | BadRow]:
        """Read; see ``Corpus``."""
        records = self._records()
        for number, header in records:
            column = self._take_header(number, header)
            break
        else:
            return
        for number, record in records:
            yield self._row(number, record, column)

    def annotated_opening(self, names: tuple[str, ...]) -> bytes:
        """Return the header with columns of these names, where it has none such."""
        return self._with_cells(
            self.opening, {name: name.encode() for name in names if name not in self._header}
        )

    def annotated(self, row: Row, fields: Mapping[str, bytes]) -> bytes:
        """Return a record with further cells, in the columns of ``annotated_opening``."""
        return self._with_cells(row.raw, fields)

    def as_json(self, row: Row, fields: Mapping[str, bytes]) -> bytes:
        """Return a record as one JSON object of its columns, with further fields."""
        columns = dict(zip(self._header, columns_of(row.raw), strict=True))
        return with_members(orjson.dumps(columns), fields)

    def broken(self, number: int, problem: str) -> CorpusError:
        """Return the error that names a record's first line."""
        return CorpusError(self.name, problem, line=number)

    def _records(self) -> Iterator[tuple[int, list[str] | csv.Error]]:
        """Yield the line of each record that is not blank, and its cells or what is wrong."""
        feed, number = self._feed, 1
        reader = csv.reader(feed.lines(), strict=True)
        while True:
            feed.taken.clear()
            try:
                record: list[str] | csv.Error = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                # Where the next record begins is known only if this one kept to its line.
                if len(feed.taken) > 1:
                    last = number + len(feed.taken) - 1
                    problem = f"a quoted field goes wrong up to line {last}: {_reason(error)}"
                    raise self.broken(number, problem) from error
                record = error
            # Before the consumer gets it: what was taken is the next record's then.
            following = number + len(feed.taken)
            if record:
                yield number, record
            number = following

    def _take_header(self, number: int, header: list[str] | csv.Error) -> int:
        """Keep the header; return the text's column."""
        if isinstance(header, csv.Error):
            raise self.broken(number, f"not a header: {_reason(header)}")
        if self._feed.damaged:
            raise self.broken(number, "not a header: not UTF-8")
        self._header = header
        self.opening = self._feed.mark + b"".join(self._feed.taken)
        for name in self._field.names:
            if header.count(name) > 1:
                raise self.broken(number, f"the header has the column '{name}' more than once")
            if name in header:
                return header.index(name)
        raise self.broken(number, self._field.problem(dict.fromkeys(header, "")))

    def _row(self, number: int, record: list[str] | csv.Error, column: int) -> Row | BadRow:
        if self._feed.damaged:
            self._feed.damaged = False
            return BadRow(number, "not UTF-8")
        if isinstance(record, csv.Error):
            return BadRow(number, f"not CSV: {_reason(record)}")
        if len(record) != len(self._header):
            return BadRow(number, f"columns: {len(record)}, in the header: {len(self._header)}")
        return Row(b"".join(self._feed.taken), record[column], number)

    def _with_cells(self, raw: bytes, cells: Mapping[str, bytes]) -> bytes:
        end = _END.search(raw)
        body, tail = (raw[: end.start()], end[0]) if end else (raw, b"")
        added = [_quoted(cell) for name, cell in cells.items() if name not in self._header]
        if len(added) < len(cells):
            old = _cells_of(body)
            for name in cells.keys() & set(self._header):
                old[self._header.index(name)] = _quoted(cells[name])
            body = b",".join(old)
        return b",".join([body, *added]) + tail


class _Feed:
    """Hands decoded lines to the csv module and remembers the bytes of those it took.

    Attributes:
        taken: The lines since it was last cleared.
        mark: The byte order mark, if there is one.
        damaged: Whether one of the lines was not UTF-8.
    """

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self.taken: list[bytes] = []
        self.mark = b""
        self.damaged = False

    def lines(self) -> Iterator[str]:
        """Yield the lines."""
        first = next(self._lines, b"")
        if first.startswith(BOM_UTF8):
            self.mark = BOM_UTF8
            first = first[len(BOM_UTF8) :]
        for line in itertools.chain([first] if first else [], self._lines):
            self.taken.append(line)
            try:
                text = line.decode()
            except UnicodeDecodeError:
                # Its quotes are still where they were, so the record ends where it ends.
                text = line.decode(errors="replace")
                self.damaged = True
            yield text


def _reason(error: csv.Error) -> str:
    # What follows the dash is advice to programmers.
    return str(error).partition(" - ")[0]


def columns_of(record: bytes) -> list[str]:
    """Return the cells of one record; none if it is no record."""
    try:
        return next(csv.reader([record.decode()], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return []


def _cells_of(body: bytes) -> list[bytes]:
    """Cut a record at its commas, quotes kept."""
    cells: list[bytes] = []
    at = 0
    while found := _CELL.match(body, at):
        cells.append(found[0])
        if found.end() == len(body):
            break
        at = found.end() + 1
    return cells


def _quoted(cell: bytes) -> bytes:
    return b'"%s"' % cell.replace(b'"', b'""') if _TO_QUOTE.search(cell) else cell

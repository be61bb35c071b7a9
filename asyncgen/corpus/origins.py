"""Texts that others are compared with, each with the file and the row that it stands in."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from asyncgen.corpus.fields import DEFAULT, Field
from asyncgen.corpus.formats import corpus_of, format_of
from asyncgen.corpus.rows import RowReader
from asyncgen.corpus.texts import TextStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asyncgen.corpus.rows import Row
    from asyncgen.corpus.source import Source

__all__ = ["BLOCK", "Origin", "Origins", "reader_of"]

BLOCK = 1024
"""Rows that are read, and texts that are compared, at a time."""

_OTHER_FIELDS = (DEFAULT, "text")


def reader_of(
    source: Source, field: str | None = None, *, skip_bad: bool = False, mend: str = ""
) -> RowReader:
    """Return the rows of a corpus that others are compared with, of any format.

    Args:
        source: The file.
        field: The field that holds the text; where it is not, "instruction" or "text" is.
        skip_bad: Count malformed rows instead of stopping.
        mend: Said behind the fields that a row has, if it has none of these.

    Raises:
        CorpusError: If it cannot be read.
    """
    wanted = Field(field or DEFAULT, *_OTHER_FIELDS, mend=mend)
    return RowReader(corpus_of(source, format_of(source, field), wanted), skip_bad=skip_bad)


class Origin(NamedTuple):
    """Where a text stands.

    Attributes:
        file: Number of its file, in the order in which they were begun.
        row: Its ``Row.number`` there.
    """

    text: str
    file: int
    row: int


class Origins:
    """Texts by number, 0, 1, 2, …, and where they stand; each costs its UTF-8 bytes and 16 more.

    Attributes:
        files: What the files are called.
    """

    def __init__(self) -> None:
        self.files: list[str] = []
        self._texts = TextStore()
        self._rows = array("Q")
        self._starts: list[int] = []

    def begin(self, file: str) -> None:
        """Take the rows that follow to be of this file."""
        self.files.append(file)
        self._starts.append(len(self))

    def extend(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        self._texts.extend(row.text for row in rows)
        self._rows.extend(row.number for row in rows)

    def text(self, index: int) -> str:
        """Return a text."""
        return self._texts[index]

    def blocks(self) -> Iterator[list[str]]:
        """Yield all texts, many at a time."""
        for start in range(0, len(self), BLOCK):
            yield [self._texts[index] for index in range(start, min(start + BLOCK, len(self)))]

    def __getitem__(self, index: int) -> Origin:
        file = bisect_right(self._starts, index) - 1
        return Origin(self._texts[index], file, self._rows[index])

    def __len__(self) -> int:
        return len(self._texts)

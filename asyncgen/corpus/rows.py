"""What a corpus is made of, and the one thing that its four formats have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asyncgen.errors import CorpusError

__all__ = ["BadRow", "Corpus", "Row", "RowReader"]


class Row(NamedTuple):
    """One row as it stood.

    Attributes:
        raw: Its bytes, line end included where the format has one.
        text: What is compared.
        number: Where it stands: its line, from 1 (of a CSV record the first), or its place in
            a JSON array, from 1.
    """

    raw: bytes
    text: str
    number: int


class BadRow(NamedTuple):
    """A row that cannot be used, where it stands, and why."""

    number: int
    problem: str


class Corpus(Protocol):
    """The rows of one file, and how to write a selection of them in the same format.

    Iterating it reads the file, once. ``opening`` is known when the first row was read, and
    ``closing`` when the last one was.
    """

    @property
    def name(self) -> str:
        """What the file is called in messages."""
        ...

    @property
    def opening(self) -> bytes:
        """What stands before the first row: byte order mark, CSV header, bracket."""
        ...

    @property
    def separator(self) -> bytes:
        """What stands between two rows, where they do not bring it along."""
        ...

    @property
    def closing(self) -> bytes:
        """What stands behind the last row."""
        ...

    def __iter__(self) -> Iterator[Row | BadRow]:
        """Read.

        Raises:
            CorpusError: If the file is unreadable, or damaged so that the next row cannot
                be found.
        """
        ...

    def broken(self, number: int, problem: str) -> CorpusError:
        """Return the error that names a row."""
        ...

    def annotated_opening(self, names: tuple[str, ...]) -> bytes:
        """Return ``opening`` for rows that carry further fields of these names."""
        ...

    def annotated(self, row: Row, fields: Mapping[str, bytes]) -> bytes:
        """Return a row with further fields, given as JSON; one of the same name is replaced."""
        ...

    def as_json(self, row: Row, fields: Mapping[str, bytes]) -> bytes:
        """Return a row as a JSON object on one line, without its end, with further fields."""
        ...


class RowReader:
    """Takes the usable rows of a corpus in blocks.

    Args:
        corpus: What to read.
        skip_bad: Count malformed rows instead of stopping at the first.

    Attributes:
        bad: Malformed rows that were skipped.
    """

    def __init__(self, corpus: Corpus, *, skip_bad: bool) -> None:
        self._corpus = corpus
        self._skip_bad = skip_bad
        self._first_bad: BadRow | None = None
        self.bad = 0

    def blocks(self, size: int) -> Iterator[list[Row]]:
        """Read all rows, ``size`` at a time.

        Raises:
            CorpusError: If a row is malformed and not to be skipped, or all of them are.
        """
        block: list[Row] = []
        any_good = False
        for row in self._corpus:
            if isinstance(row, BadRow):
                self._count(row)
                continue
            block.append(row)
            if len(block) == size:
                any_good = True
                yield block
                block = []
        if block:
            yield block
        elif self._first_bad is not None and not any_good:
            number, problem = self._first_bad
            raise self._corpus.broken(number, f"no row can be used, to begin with this: {problem}")

    def _count(self, row: BadRow) -> None:
        if not self._skip_bad:
            raise self._corpus.broken(*row)
        self._first_bad = self._first_bad or row
        self.bad += 1

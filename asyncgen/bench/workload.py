"""What is measured on: the first texts of a corpus are the pool, the next ones the candidates."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncgen.errors import CorpusError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Workload", "read_workload", "synthetic_workload"]

CANDIDATES = 4096
_SHARE = 5
"""Of a corpus for which nothing was said, a fifth at most are candidates."""

_MOST = 1_000_000
"""Entries of the pool where nothing was said."""

_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Workload:
    """Texts to decide on, and those that they are held against.

    Attributes:
        name: Where they are from.
        pool: Oldest first; not empty.
        candidates: In the order in which they come; not empty.
    """

    name: str
    pool: list[str]
    candidates: list[str]


def read_workload(
    path: Path, field: str | None, pool: int | None, candidates: int | None
) -> Workload:
    """Take texts from the beginning of a corpus.

    Args:
        path: JSON lines, a JSON array, CSV or text, plain or compressed.
        field: The field that holds the text; ``None`` for "instruction".
        pool: How many; ``None`` for all but the candidates, a million at most.
        candidates: How many; ``None`` for as many as there are, 4,096 at most.

    Raises:
        CorpusError: If it cannot be read or has too few rows.
    """
    texts = _texts(path, field, (pool or _MOST) + (candidates or CANDIDATES))
    count = len(texts)
    if pool is None:
        wanted = candidates or max(1, min(CANDIDATES, count // _SHARE))
        pool = max(1, min(count - wanted, _MOST))
    wanted = candidates or min(CANDIDATES, max(1, count - pool))
    if count < pool + wanted:
        raise CorpusError(
            str(path),
            f"has {count} rows, but {pool} for the pool and {wanted} candidates are "
            f"{pool + wanted}",
        )
    return Workload(str(path), texts[:pool], texts[pool : pool + wanted])


def synthetic_workload(pool: int, candidates: int | None) -> Workload:
    """Make texts by Zipf's law, the same every time."""
    from asyncgen.bench.synthetic import texts_of, zipf

    count = pool + (candidates or CANDIDATES)
    texts = [text for block in zipf(count) for text in texts_of(block)]
    return Workload("synthetic texts", texts[:pool], texts[pool:])


def _texts(path: Path, field: str | None, most: int) -> list[str]:
    from asyncgen.corpus.fields import DEFAULT, Field
    from asyncgen.corpus.formats import corpus_of, format_of
    from asyncgen.corpus.rows import RowReader
    from asyncgen.corpus.source import STANDARD, Source

    if str(path) == STANDARD:
        raise SettingsError("--corpus -: must be a file")
    with Source(path) as source:
        corpus = corpus_of(source, format_of(source, field), Field(field or DEFAULT))
        blocks = RowReader(corpus, skip_bad=False).blocks(_BLOCK)
        rows = itertools.chain.from_iterable(blocks)
        return [row.text for row in itertools.islice(rows, most)]

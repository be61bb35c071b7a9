"""Postings side by side that a query reads, and having them fetched from memory in time.

Into its first cache a processor fetches a dozen or two lines at a time, however many it is asked
for. Into the second it fetches more, if they are asked for steadily while others are read: on a
Zen 4 that is 13 GB/s instead of 7 for blocks of a kilobyte here and there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.bits import whole
from asyncgen_kernels.compiled import fused, inlined
from asyncgen_kernels.measure import SHORT
from asyncgen_kernels.vectors import prefetch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.postings import Lists

BLOCK = 64
"""Postings looked at together."""

MOST_SPANS = 32 * SHORT
"""More than the segments of the largest index have for one token."""

START, END, PLACE, POSITION = range(4)
"""Columns of `Spans.rows`."""

SEVERAL = whole(-1)
"""Stands for the position where postings of a span have different ones."""

_AHEAD = 16  # blocks
_NEAR = 1 << 21  # fewer postings stay in the caches
_LINE, _KEYS = 8, 32  # signatures and keys in a line of the cache


class Spans(NamedTuple):
    """Room for spans.

    Attributes:
        rows: Where a span begins and ends, the place of its token in the query, and the position
            of all its postings, or SEVERAL, shape (MOST_SPANS + 1, 4).
        ahead: The span to be fetched from next, and from where on, shape (2,).
    """

    rows: NDArray[np.int64]
    ahead: NDArray[np.int64]


def room_for_spans() -> Spans:
    """Room for spans."""
    return Spans(np.empty((MOST_SPANS + 1, 4), np.int64), np.zeros(2, np.int64))


@inlined
def note(spans: Spans, count: int, span: tuple[int, int, int, int]) -> int:
    """Put a span behind the `count` that there are; return how many that makes."""
    row = spans.rows[count]
    row[START], row[END], row[PLACE], row[POSITION] = span
    return count + 1


@inlined
def fetch_beginning(lists: Lists, span: NDArray[np.int64]) -> None:
    """Have the first postings of a span fetched: all that many a span has."""
    prefetch(lists.signatures, span[START])
    prefetch(lists.signatures, span[START] + _LINE)
    prefetch(lists.keys, span[START])


@fused
def fetch_first(lists: Lists, spans: Spans, count: int) -> None:
    """Have the first blocks of the spans fetched, and more by `fetch_next`, if the index is large.

    One that is in the cache as a whole would only take longer.
    """
    spans.ahead[0], spans.ahead[1] = 0, spans.rows[0, START]
    if lists.signatures.size < _NEAR:
        spans.ahead[0] = count
    else:
        for _ in range(_AHEAD):
            fetch_next(lists, spans, count)


@inlined
def fetch_next(lists: Lists, spans: Spans, count: int) -> None:
    """Have another block fetched: of the span where the last one was, or of the next."""
    number, start = spans.ahead[0], spans.ahead[1]
    if number < count:
        end = min(spans.rows[number, END], start + BLOCK)
        for line in range(start, end, _LINE):
            prefetch(lists.signatures, line)

        prefetch(lists.signatures, end - 1)
        prefetch(lists.keys, start)
        prefetch(lists.keys, start + _KEYS)
        if end == spans.rows[number, END]:
            spans.ahead[0], end = number + 1, spans.rows[number + 1, START]

        spans.ahead[1] = end

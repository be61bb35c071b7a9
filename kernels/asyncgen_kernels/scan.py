"""Texts against every entry of a pool: the nearest ones, the mean, the distribution, or all scores.

Exact: every score is the reference's float, none is estimated or left out.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from asyncgen_kernels.blocks import Blocks, in_blocks, numbered
from asyncgen_kernels.columns import Columns
from asyncgen_kernels.lanes import BYTES, WIDTHS
from asyncgen_kernels.results import BINS, Best, Sums, add_scores
from asyncgen_kernels.scan_kernels import (
    LONGEST,
    NEVER,
    Cut,
    Masks,
    Queries,
    Scratch,
    fill_masks,
    scan_group,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from asyncgen_kernels.entries import EntriesView
    from asyncgen_kernels.text import Encoded

_CHUNK = 512  # queries for which the entries are cut down and ordered once
_FEW = 4  # queries that are sooner done one by one

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Scan:
    """How some texts, the queries, compare with a pool.

    Attributes:
        index: The nearest entries of each query, best first and among equals the oldest first,
            shape (queries, k); -1 where the pool is smaller than k.
        score: Their scores, shape (queries, k); 0.0 where there is no entry.
        mean: The mean score over all entries compared, shape (queries,); 0.0 without any.
        histogram: Pairs by score, shape (100,): bin b counts b / 100 <= F < (b + 1) / 100, the
            last one also F = 1.
    """

    index: NDArray[np.int64]
    score: NDArray[np.float64]
    mean: NDArray[np.float64]
    histogram: NDArray[np.int64]


def scan_many(  # noqa: PLR0913 - three of them have defaults
    queries: Encoded,
    entries: EntriesView,
    vocabulary: int,
    *,
    k: int = 10,
    before: NDArray[np.int64] | None = None,
    threads: int = 1,
    columns: Columns | None = None,
) -> Scan:
    """Compare texts with all entries, or each with those that are older than it.

    Memory beyond the arguments and the result: about 2 bytes for each token of the entries and
    50 for each entry, however many queries there are, and a megabyte or two a thread; and columns,
    when a few queries or long ones are compared one by one.

    Args:
        queries: Ids below `vocabulary`, or UNKNOWN, which matches nothing.
        entries: The pool; all ids are below `vocabulary`.
        vocabulary: The number of tokens an id may name.
        k: How many of the nearest to tell.
        before: Compare query q with entries 0 to before[q] - 1, shape (queries,); by default
            with all. Quick when it rises along with the entries: others are not touched.
        threads: To use; the result does not depend on it.
        columns: Of this pool, for queries one by one; by default made anew where they are needed.
    """
    count, size = queries.offsets.size - 1, entries.offsets.size - 1
    limits = np.full(count, size) if before is None else np.clip(before, 0, size)
    best = Best(np.full((count, k), -1, np.int64), np.full((count, k), -1.0))
    nothing = np.empty((0, 0))
    run = _Run(queries, entries, vocabulary, columns or Columns(), limits, best, nothing, threads)
    total, histogram = run.all()
    mean = total / np.maximum(limits, 1)
    return Scan(best.entries, np.maximum(best.scores, 0), mean, histogram)


def scores_many(
    queries: Encoded, entries: EntriesView, vocabulary: int, *, threads: int = 1
) -> NDArray[np.float64]:
    """The score of each query with each entry, shape (queries, entries): 8 bytes a pair."""
    count, size = queries.offsets.size - 1, entries.offsets.size - 1
    limits, nobody = np.full(count, size), np.empty((count, 0))
    found = np.zeros((count, size))
    best = Best(nobody.astype(np.int64), nobody)
    _Run(queries, entries, vocabulary, Columns(), limits, best, found, threads).all()
    return found


def scores(
    query: NDArray[np.int32], entries: EntriesView, columns: Columns | None = None
) -> NDArray[np.float64]:
    """The score of one query, shape (tokens,), with each entry, shape (entries,).

    Args:
        query: Ids, or UNKNOWN, which matches nothing.
        entries: The pool.
        columns: Of this pool; by default made anew, which takes as long as a hundred scans.
    """
    found = np.empty(entries.offsets.size - 1)
    (columns or Columns()).score(query, entries, found)
    return found


class _Group(NamedTuple):
    """Queries that are compared at the same time, and the bits of a lane."""

    bits: int
    numbers: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Run:
    """One scan: what it works on and, last but one and two, what it writes."""

    queries: Encoded
    entries: EntriesView
    vocabulary: int
    columns: Columns
    limits: NDArray[np.int64]
    best: Best
    scores: NDArray[np.float64]
    threads: int

    def all(self) -> Sums:
        """Compare all queries, in chunks that rise along with the entries."""
        order = np.argsort(self.limits, kind="stable")
        sums = Sums(np.zeros(order.size), np.zeros(BINS, np.int64))
        for start in range(0, order.size, _CHUNK):
            self._chunk(order[start : start + _CHUNK], sums)

        return sums

    def _chunk(self, chosen: NDArray[np.int64], sums: Sums) -> None:
        lengths = np.diff(self.queries.offsets)[chosen]
        fit = lengths <= LONGEST
        if np.count_nonzero(fit) < _FEW:
            fit[:] = False

        self._each(self._alone, chosen[~fit].tolist(), sums)
        until = int(self.limits[chosen[fit]].max(initial=0))
        if until:
            chosen = chosen[fit]
            term_of = numbered(self.queries, chosen, self.vocabulary)
            offsets = self.entries.offsets[: until + 1]
            blocks = in_blocks(self.entries.tokens[: offsets[-1]], offsets, term_of)
            cut = Cut(term_of, blocks.used)
            self._each(partial(self._together, blocks, cut), self._groups(chosen, cut), sums)

    def _each(
        self, work: Callable[[_Item, Sums], None], items: Sequence[_Item], sums: Sums
    ) -> None:
        """Do the items, some at a time: what they write is apart, but for the histogram."""
        shares = [sums._replace(histogram=np.zeros(BINS, np.int64)) for _ in items]
        if self.threads > 1 and len(items) > 1:
            with ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(work, items, shares))
        else:
            for item, share in zip(items, shares, strict=True):
                work(item, share)

        for share in shares:
            sums.histogram[:] += share.histogram

    def _alone(self, query: int, sums: Sums) -> None:
        """Compare one query of any length."""
        start, end = self.queries.offsets[query : query + 2]
        found = np.empty(self.limits[query])
        self.columns.score(self.queries.tokens[start:end], self.entries, found)
        add_scores(found, query, self.best, sums)
        if self.scores.size:
            self.scores[query] = found

    def _groups(self, chosen: NDArray[np.int64], cut: Cut) -> list[_Group]:
        """Queries by the lanes that they need, and by length, which decides about F."""
        offsets = self.queries.offsets
        matter = np.append(0, np.cumsum(cut.used[cut.term_of[self.queries.tokens]]))
        bits = _widths(np.diff(matter[offsets])[chosen])
        order = np.lexsort((-np.diff(offsets)[chosen], -bits))
        chosen, bits = chosen[order], bits[order]
        groups: list[_Group] = []
        start = 0
        while start < chosen.size:
            width = int(bits[start])
            end = start + 8 * BYTES // width
            groups.append(_Group(width, chosen[start:end]))
            start = end

        return groups

    def _together(self, blocks: Blocks, cut: Cut, group: _Group, sums: Sums) -> None:
        """Compare a group of queries."""
        bits, chosen = group
        lengths, before = np.diff(self.queries.offsets)[chosen], self.limits[chosen]
        queries = Queries(chosen, lengths, before, int(before.max()), 8 * BYTES // bits)
        vectors = _aligned((1 + int(lengths.sum())) * BYTES)  # more than there are terms
        masks = Masks(bits, vectors, np.zeros(cut.used.size, np.int32))
        fill_masks(self.queries.tokens, self.queries.offsets, cut, queries, masks)
        stems = int(np.diff(blocks.stems.firsts).max())
        scratch = Scratch(
            states=_aligned((stems + 1) * BYTES),
            found=np.empty(blocks.most_rows * queries.lanes, np.uint8),
            bars=np.full(BYTES, NEVER, np.int8),
            counts=np.zeros((LONGEST + 1) * BYTES, np.uint32),
        )
        result = (self.best, sums, self.scores)
        scan_group(blocks, queries, masks, result, scratch)


def _widths(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bits of the narrowest lanes that so many tokens fit into."""
    return np.array(WIDTHS)[np.searchsorted(WIDTHS, lengths)]


def _aligned(size: int) -> NDArray[np.uint8]:
    """Zeros that begin where a cache line does: a vector that spans three lines takes longer."""
    room = np.zeros(size + 64, np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + size]

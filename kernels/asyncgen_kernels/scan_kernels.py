"""Many queries against the whole pool, exactly: the LCS of 16 to 128 queries at a time.

The queries stand side by side in the lanes of a vector, each lane as wide as the longest of them
needs, and the recurrence of `asyncgen_kernels.lookup` runs in all of them while an entry is read
once, and what several begin with is read once for all. A chapter of entries is walked, and then
its blocks of one length are gone through, where a query's F is a function of the LCS alone: the
LCS, bytes, are compared and counted, and F is computed for each value, not for each pair.

Functions that are called for a block get few arrays: Numba counts references to each at a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels import lanes
from asyncgen_kernels.compiled import compiled, part
from asyncgen_kernels.measure import measured
from asyncgen_kernels.results import Best, Sums, bin_of, insert, near_bar
from asyncgen_kernels.vectors import lowest_bit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.blocks import Blocks

LONGEST = 64
"""Tokens of a query that fits into a lane."""

NEVER = 127
"""A bar, the greatest signed byte: above any LCS with a query that fits into a lane."""

_ABSENT = np.uint8(255)  # where there is no LCS: as a signed byte below all, and never counted
_ONE = np.uint64(1)


class Queries(NamedTuple):
    """Texts of at most LONGEST tokens, a lane for each.

    Attributes:
        numbers: Which of the queries of a scan they are, shape (queries,).
        lengths: Tokens of each, shape (queries,).
        before: Each is compared with the entries below this, shape (queries,).
        until: The greatest of these.
        lanes: In a vector, at least as many as there are queries.
    """

    numbers: NDArray[np.int64]
    lengths: NDArray[np.int64]
    before: NDArray[np.int64]
    until: int
    lanes: int


class Cut(NamedTuple):
    """Which of a query's tokens matter: those that some entry has; others change no LCS.

    Attributes:
        term_of: The numbers of tokens from 1, 0 for others, shape (vocabulary + 1,).
        used: Whether an entry has them, shape (terms + 1,); not so the first one.
    """

    term_of: NDArray[np.uint16]
    used: NDArray[np.bool_]


class Masks(NamedTuple):
    """Where terms stand in queries.

    Attributes:
        bits: Of a lane.
        vectors: A vector of lanes for each term, a bit for each token that matters; the first
            one, with none, for all terms that no query has.
        where: The vector of each term, shape (terms + 1,).
    """

    bits: int
    vectors: NDArray[np.uint8]
    where: NDArray[np.int32]


class Scratch(NamedTuple):
    """Room to work in.

    Attributes:
        states: Of the recurrence after each stem of a chapter, shape (stems + 1, 128), flat.
        found: The LCS of a chapter's entries, shape (rows, lanes), flat, in whole vectors.
        bars: In each column of a vector the LCS that is not enough to be near, shape (128,).
        counts: How often each LCS was found in each column, shape (65 · 128,).
    """

    states: NDArray[np.uint8]
    found: NDArray[np.uint8]
    bars: NDArray[np.int8]
    counts: NDArray[np.uint32]


@compiled
def fill_masks(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    cut: Cut,
    queries: Queries,
    masks: Masks,
) -> None:
    """Write the masks of the queries, which are among these texts; all 0 before."""
    term_of, used = cut
    last = 0
    for lane in range(queries.numbers.size):
        bit = lane * masks.bits
        start = offsets[queries.numbers[lane]]
        for position in range(queries.lengths[lane]):
            term = term_of[tokens[start + position]]
            if used[term]:
                if masks.where[term] == 0:
                    last += 1
                    masks.where[term] = last
                masks.vectors[masks.where[term] * lanes.BYTES + (bit >> 3)] |= 1 << (bit & 7)
                bit += 1


@part
def _hide(found: NDArray[np.uint8], members: NDArray[np.int64], queries: Queries) -> int:
    """Mark what does not count: entries not below a query's `before`, the rest of a vector.

    Returns:
        The vectors that are found with that.
    """
    for lane in range(queries.before.size):
        row = members.size
        while row > 0 and members[row - 1] >= queries.before[lane]:
            row -= 1
            found[row * queries.lanes + lane] = _ABSENT

    used = members.size * queries.lanes
    vectors = (used + lanes.BYTES - 1) // lanes.BYTES
    for place in range(used, vectors * lanes.BYTES):
        found[place] = _ABSENT

    return vectors


@part
def _set_bars(bars: NDArray[np.int8], entry: int, n: int, queries: Queries, best: Best) -> None:
    """Set the bars for entries of `n` tokens younger than `entry`."""
    last = best.scores.shape[1] - 1
    for lane in range(queries.lengths.size):
        query: int = queries.numbers[lane]
        m = queries.lengths[lane]
        bar = near_bar(best.scores[query, last], best.entries[query, last], entry, m, n)
        for column in range(lane, lanes.BYTES, queries.lanes):
            bars[column] = bar


@part
def _rank(
    found: NDArray[np.uint8],
    bars: NDArray[np.int8],
    members: NDArray[np.int64],
    n: int,
    queries: Queries,
    best: Best,
) -> None:
    """Take the entries above the bar into the nearest of their queries."""
    index, score = best
    last = score.shape[1] - 1
    shift = lowest_bit(np.uint64(queries.lanes))  # divisions took longer than all the rest
    for half in range((members.size * queries.lanes + 63) >> 6):
        above = lanes.above(found, half, bars)
        while above:
            place: int = half * 64 + lowest_bit(above)
            above &= above - _ONE
            lane: int = place & (queries.lanes - 1)
            query: int = queries.numbers[lane]
            row: int = place >> shift
            entry: int = members[row]
            lcs: int = found[place] + 0  # no longer a byte
            m: int = queries.lengths[lane]
            reached, behind = measured(lcs, m, n), score[query, last]
            if reached > behind or (reached == behind and entry < index[query, last]):
                insert(score, index, query, reached, entry)
            bar = near_bar(score[query, last], index[query, last], entry, m, n)
            while lane < lanes.BYTES:
                bars[lane] = bar
                lane += queries.lanes


@part
def _add_up(counts: NDArray[np.uint32], n: int, most: int, queries: Queries, sums: Sums) -> None:
    """Add the counted pairs with entries of `n` tokens, whose LCS is at most `most`; count anew."""
    half = lanes.BYTES // 2
    while half >= queries.lanes:  # columns of one query become one
        for row in range(0, (most + 1) * lanes.BYTES, lanes.BYTES):
            for column in range(np.uint64(row), np.uint64(row + half)):
                counts[column] += counts[column + np.uint64(half)]

        half //= 2

    scores = np.empty(LONGEST + 1)
    bins = np.empty(LONGEST + 1, np.int64)
    known = -1
    for lane in range(queries.lengths.size):
        m = queries.lengths[lane]
        for lcs in range(most + 1):
            if m != known:
                bins[lcs] = -1
            pairs = counts[lcs * lanes.BYTES + lane]
            if pairs:
                if bins[lcs] < 0:
                    scores[lcs] = measured(lcs, m, n)
                    bins[lcs] = bin_of(scores[lcs])
                sums.total[queries.numbers[lane]] += pairs * scores[lcs]
                sums.histogram[bins[lcs]] += pairs

        known = m

    for place in range((most + 1) * lanes.BYTES):
        counts[place] = 0


@part
def _write_scores(
    found: NDArray[np.uint8],
    members: NDArray[np.int64],
    n: int,
    queries: Queries,
    scores: NDArray[np.float64],
) -> None:
    """Write F with the members of a block for each query."""
    by_lcs = np.empty(LONGEST + 1)
    for lane in range(queries.lengths.size):
        m, query = queries.lengths[lane], queries.numbers[lane]
        for lcs in range(min(m, n) + 1):
            by_lcs[lcs] = measured(lcs, m, n)

        for row in range(members.size):
            scores[query, members[row]] = by_lcs[found[row * queries.lanes + lane]]


@compiled
def scan_group(
    entries: Blocks,
    queries: Queries,
    masks: Masks,
    result: tuple[Best, Sums, NDArray[np.float64]],
    scratch: Scratch,
) -> None:
    """Compare queries with the entries below their `before`.

    Args:
        entries: The pool.
        queries: A lane for each.
        masks: Of the queries.
        result: Written; last F of each pair, shape (queries, entries), left out where this is 0.
        scratch: Bars as high as can be.
    """
    best, sums, scores = result
    states, rows, bars, counts = scratch
    lengths, bounds, stems = entries.lengths, entries.bounds, entries.stems
    ranked = best.scores.shape[1] > 0
    most, chapter = 0, 0
    for block in range(lengths.size):
        if block == entries.chapters[chapter]:
            chapter += 1
            start, end = stems.firsts[chapter - 1], stems.firsts[chapter]
            lanes.grow(masks, stems, start, end, states)
            end = bounds[entries.chapters[chapter]]
            lanes.walk(masks, entries.tails, bounds[block], end, states, rows)

        n: int = lengths[block]
        first, last = bounds[block], bounds[block + 1]
        members = entries.members[first:last]
        if ranked and (block == 0 or lengths[block - 1] != n):
            _set_bars(bars, members[0] - 1, n, queries, best)

        if members[0] < queries.until:
            found = rows[entries.rows[block] * queries.lanes :]
            vectors = _hide(found, members, queries)
            most = max(most, lanes.count(found, vectors, counts))
            if ranked:
                _rank(found, bars, members, n, queries, best)
            if scores.size:
                _write_scores(found, members, n, queries, scores)

        if block + 1 == lengths.size or lengths[block + 1] != n:
            _add_up(counts, n, most, queries, sums)
            most = 0

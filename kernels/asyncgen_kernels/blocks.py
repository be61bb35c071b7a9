"""A pool's entries as a scan reads them: in blocks of one length, cut down to what matters.

Made for some queries and dropped with them; a pool does not keep it. Tokens that no query has are
left out, as they change no LCS with one. Inside a block the entries are read by what is left of
them, so that the number of steps seldom changes: branches are foreseen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels import lanes
from asyncgen_kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.text import Encoded

BLOCK = 255
"""Entries in a block: a byte counts them."""

_ONE = np.uint64(1)


class Blocks(NamedTuple):
    """A pool's entries in blocks of one length, cut down to the tokens that some queries have.

    Attributes:
        members: The entries by rising length, among equals the oldest first, shape (entries,).
        bounds: Block b is members[bounds[b] : bounds[b + 1]], shape (blocks + 1,).
        lengths: Tokens of each entry of a block, shape (blocks,).
        rows: Which member of its block is the next one to be read, shape (entries,).
        starts: That one's terms are terms[starts[i] : starts[i + 1]], shape (entries + 1,).
        terms: What is left of the entries, as numbers from 1.
    """

    members: NDArray[np.int64]
    bounds: NDArray[np.int64]
    lengths: NDArray[np.int64]
    rows: NDArray[np.uint8]
    starts: NDArray[np.int64]
    terms: NDArray[np.int32]


def numbered(queries: Encoded, chosen: NDArray[np.int64], vocabulary: int) -> NDArray[np.int32]:
    """Numbers from 1 for the tokens of the chosen queries, 0 for others, shape (vocabulary,)."""
    known = np.zeros(vocabulary + 1, np.bool_)  # UNKNOWN is -1: the last one
    used = np.zeros(queries.offsets.size - 1, np.bool_)
    used[chosen] = True
    known[queries.tokens[np.repeat(used, np.diff(queries.offsets))]] = True
    term_of = np.zeros(vocabulary, np.int32)
    terms = np.flatnonzero(known[:-1])
    term_of[terms] = np.arange(1, terms.size + 1)
    return term_of


def in_blocks(
    tokens: NDArray[np.int32], offsets: NDArray[np.int64], term_of: NDArray[np.int32]
) -> Blocks:
    """Sort entries by length and cut them down; `offsets` has one more than there are entries."""
    lengths = np.diff(offsets)
    narrow = lengths.astype(np.uint16) if lengths.max() < 2**16 else lengths  # sorts faster
    members = np.argsort(narrow, kind="stable")
    lengths = lengths[members]
    runs = np.flatnonzero(np.diff(lengths, prepend=-1))  # where another length begins
    ends = np.append(runs[1:], members.size)
    firsts = [np.arange(run, end, BLOCK) for run, end in zip(runs, ends, strict=True)]
    bounds = np.append(np.concatenate(firsts), members.size)
    terms, starts = np.empty(tokens.size + 1, np.int32), np.zeros(offsets.size, np.int64)
    _cut_down(tokens, offsets, term_of, terms, starts)
    blocks = Blocks(
        members=members,
        bounds=bounds,
        lengths=lengths[bounds[:-1]],
        rows=np.empty(members.size, np.uint8),
        starts=np.zeros(offsets.size, np.int64),
        terms=np.empty(starts[-1], np.int32),
    )
    _order_entries(terms, starts, blocks)
    return blocks


@compiled
def _cut_down(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    term_of: NDArray[np.int32],
    terms: NDArray[np.int32],
    starts: NDArray[np.int64],
) -> None:
    """Number the entries' tokens by `term_of` and leave out those with 0; write terms and starts.

    `terms` has room for all tokens and one more; `starts`, shape (entries + 1,), begins with 0.
    """
    end = np.uint64(0)
    for entry in range(starts.size - 1):
        for position in range(np.uint64(offsets[entry]), np.uint64(offsets[entry + 1])):
            term = term_of[np.uint32(tokens[position])]
            terms[end] = term
            end += np.uint64(term != 0)

        starts[entry + 1] = end


@compiled
def _order_entries(terms: NDArray[np.int32], starts: NDArray[np.int64], entries: Blocks) -> None:
    """Copy the entries that `_cut_down` left, shortest of each block first: a counting sort."""
    members, bounds, _, rows, ends, ordered = entries
    places = np.empty(BLOCK + 2, np.int64)
    end = np.uint64(0)
    for block in range(bounds.size - 1):
        first, last = bounds[block], bounds[block + 1]
        for left in range(BLOCK + 2):
            places[left] = 0

        for place in range(first, last):
            start = starts[members[place]]
            lanes.prefetch(terms, start)  # two lines are most of what an entry takes
            lanes.prefetch(terms, start + 16)
            places[min(starts[members[place] + 1] - start, BLOCK) + 1] += 1

        for left in range(1, BLOCK + 2):
            places[left] += places[left - 1]

        for place in range(first, last):
            left = min(starts[members[place] + 1] - starts[members[place]], BLOCK)
            rows[first + places[left]] = place - first
            places[left] += 1

        for place in range(first, last):
            entry = members[first + rows[place]]
            for position in range(np.uint64(starts[entry]), np.uint64(starts[entry + 1])):
                ordered[end] = terms[position]
                end += _ONE

            ends[place + 1] = end

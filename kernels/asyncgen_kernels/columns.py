"""One text against all entries, exactly, token by token instead of entry by entry.

A copy of the entries says for each token which of them have it, and where: a word with a bit for
each position. The tokens of a query are walked in order, and each updates the bit-parallel LCS of
the entries that have it; entries without a common token are never touched. This is term-at-a-time
evaluation of an inverted file: H. Turtle and J. Flood, "Query evaluation: strategies and
optimizations", Information Processing & Management 31 (1995).

Entries are walked in blocks whose vectors stay in the processor's first cache. The commonest
tokens have a column instead of a list, a word for each entry: a loop that LLVM makes vectors of.
"""

from __future__ import annotations

import functools
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.bits import ONE
from asyncgen_kernels.column_kernels import (
    WORD,
    Group,
    Groups,
    fill_table,
    score_groups,
    score_newer,
)
from asyncgen_kernels.compiled import compiled, part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.entries import EntriesView

_COMMON = 8  # a token has a column where more than one in so many entries has it
_MOST_COLUMNS = 127
_GROWTH = 16  # a copy is renewed when the entries have grown by more than one in so many,
_FEWEST = 256  # and by more than these


class _Copy(NamedTuple):
    groups: Groups
    size: int  # entries


class Columns:
    """A copy of a pool's entries by token: made when first asked for, renewed as the pool grows.

    Beside the entries it takes 12 to 13 bytes for each of their tokens in all; nothing before the
    first scan. Entries newer than the copy are read as they are. Threads may share it.
    """

    def __init__(self) -> None:
        self._copy: _Copy | None = None
        self._renewal = Lock()

    def score(
        self, query: NDArray[np.int32], entries: EntriesView, scores: NDArray[np.float64]
    ) -> None:
        """Write the score of the query with the oldest entries, as many as there are scores.

        Args:
            query: Ids, or UNKNOWN, which matches nothing, shape (tokens,).
            entries: A view of the pool, always of the same one.
            scores: Written, shape (entries,) or shorter.
        """
        groups, size = self._of(entries)
        score_groups(query, groups, _table_of(query.size), scores)
        if size < scores.size:
            score_newer(query, entries.tokens, entries.offsets, size, scores)

    def _of(self, entries: EntriesView) -> _Copy:
        """A copy, which may have more entries than these or lack some of the newest."""
        size = entries.offsets.size - 1
        with self._renewal:
            copy = self._copy
            if copy is None or size - copy.size > max(_FEWEST, copy.size // _GROWTH):
                self._copy = copy = _Copy(_grouped(entries), size)

        return copy

    @property
    def nbytes(self) -> int:
        """Bytes of the copy."""
        if self._copy is None:
            return 0

        return sum(array.nbytes for group in self._copy.groups for array in group)


@functools.lru_cache(maxsize=128)
def _table_of(m: int) -> NDArray[np.float64]:
    """F for a text of m tokens by the other's length and LCS, shape (65, 65)."""
    table = np.zeros((WORD + 1, WORD + 1))
    fill_table(table, m)
    return table


def _grouped(entries: EntriesView) -> Groups:
    lengths = np.diff(entries.offsets)
    half = WORD // 2
    groups = Groups(
        _group(entries, lengths, np.flatnonzero(lengths <= half), np.uint32),
        _group(entries, lengths, np.flatnonzero((lengths > half) & (lengths <= WORD)), np.uint64),
        _group(entries, lengths, np.flatnonzero(lengths > WORD), np.uint64),
    )
    fill_groups(entries.tokens, entries.offsets, groups)
    return groups


def _group(
    entries: EntriesView,
    lengths: NDArray[np.int64],
    members: NDArray[np.int64],
    word: type[np.unsignedinteger],
) -> Group:
    """A group with all bits 0, and with room for its postings."""
    counts = np.zeros(int(entries.tokens.max(initial=-1)) + 1, np.int64)
    count_words(entries.tokens, entries.offsets, members, counts)
    lengths = lengths[members]
    common = np.argsort(-counts, kind="stable")[:_MOST_COLUMNS]
    common = common[counts[common] * _COMMON > members.size]
    if lengths.max(initial=0) > WORD:
        common = common[:0]

    column_of = np.full(counts.size, -1, np.int8)
    column_of[common] = np.arange(common.size)
    counts[common] = 0
    starts = np.append(0, np.cumsum(counts)).astype(np.uint32)  # an index has no more postings
    return Group(
        members.astype(np.uint32),
        lengths.astype(np.int32),
        column_of,
        np.zeros(common.size * members.size, word),
        starts,
        np.zeros(starts[-1], np.uint32),
        np.zeros(starts[-1], word),
    )


@compiled
def count_words(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    members: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Count the words of members that have each token; shape (tokens,), 0 before."""
    latest = np.zeros(counts.size, np.int64)  # the words begun when the token was last seen
    begun = 0
    for entry in members:
        start = offsets[entry]
        begun += 1
        for position in range(start, offsets[entry + 1]):
            begun += position > start and (position - start) % WORD == 0
            token = tokens[position]
            counts[token] += latest[token] != begun
            latest[token] = begun


@compiled
def fill_groups(tokens: NDArray[np.int32], offsets: NDArray[np.int64], groups: Groups) -> None:
    """Write columns and lists."""
    _fill_group(tokens, offsets, groups.short)
    _fill_group(tokens, offsets, groups.long)
    _fill_group(tokens, offsets, groups.longer)


@part
def _fill_group(tokens: NDArray[np.int32], offsets: NDArray[np.int64], group: Group) -> None:
    members, _, column_of, columns, starts, places, masks = group
    ends = np.empty(starts.size, np.int64)
    for token in range(starts.size):
        ends[token] = starts[token]

    word = -1
    for place in range(members.size):
        start = offsets[members[place]]
        word += 1
        for position in range(start, offsets[members[place] + 1]):
            word += position > start and (position - start) % WORD == 0
            token = tokens[position]
            bit = ONE << np.uint64((position - start) % WORD)
            column, end = np.int64(column_of[token]), ends[token]
            if column >= 0:
                columns[column * members.size + place] |= bit
            elif end > starts[token] and places[end - 1] == word:
                masks[end - 1] |= bit
            else:
                places[end] = word
                masks[end] = bit
                ends[token] = end + 1

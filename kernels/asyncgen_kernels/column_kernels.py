"""One text against the entries of a copy by token; see `asyncgen_kernels.columns`.

A step of an entry's vector is V ← (V + (V & M)) | (V & ~M), M marking where it has a token of the
query; old ^ common is old & ~M. The bits stand for the positions in the entry, the steps are the
tokens of the query in order, and zero bits count the LCS: as in `asyncgen_kernels.lookup`, with
the two texts exchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from asyncgen_kernels.bits import ALL, ONE, popcount
from asyncgen_kernels.compiled import compiled, part
from asyncgen_kernels.lookup import lcs_with, learn_query, lookup_for
from asyncgen_kernels.measure import measured

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD = 64
"""Tokens of an entry whose positions fit into one word."""

_BLOCK = 16_384  # bytes of vectors at a time: half of a processor's first cache


class Group(NamedTuple):
    """Entries of some lengths, by token.

    Attributes:
        members: Which entries they are, the oldest first, shape (entries,).
        lengths: Their tokens, shape (entries,).
        column_of: The column of each token, -1 where it has a list, shape (tokens,).
        columns: Where the members have a common token, shape (columns · entries,).
        starts: The list of token t is postings starts[t] to starts[t + 1], shape (tokens + 1,).
        places: Which member has the token, rising in each list, shape (postings,); for entries
            of more than a word, which of their words, counted from the first member's.
        masks: The positions, a bit for each, shape (postings,).
    """

    members: NDArray[np.uint32]
    lengths: NDArray[np.int32]
    column_of: NDArray[np.int8]
    columns: NDArray[Any]
    starts: NDArray[np.uint32]
    places: NDArray[np.uint32]
    masks: NDArray[Any]


class Groups(NamedTuple):
    """Entries of up to 32, of up to 64 and of more tokens; the last have no columns."""

    short: Group
    long: Group
    longer: Group


@compiled
def fill_table(table: NDArray[np.float64], m: int) -> None:
    """Write the F of texts of m and n tokens by n and LCS, shape (65, 65)."""
    for n in range(WORD + 1):
        for lcs in range(min(m, n) + 1):
            table[n, lcs] = measured(lcs, m, n)


@compiled
def score_groups(
    query: NDArray[np.int32],
    groups: Groups,
    table: NDArray[np.float64],
    scores: NDArray[np.float64],
) -> None:
    """Write the F of the query with the entries of all groups that are below scores.size."""
    _score_group(query, groups.short, table, scores)
    _score_group(query, groups.long, table, scores)
    _score_longer(query, groups.longer, scores)


@part
def _score_group(
    query: NDArray[np.int32], group: Group, table: NDArray[np.float64], scores: NDArray[np.float64]
) -> None:
    """Walk the members in blocks, each with all tokens of the query."""
    members, lengths, column_of, columns, starts, places, masks = group
    heads = np.empty(query.size, np.int64)  # where the next posting is
    for position in range(query.size):
        token = query[position]
        heads[position] = starts[token] if 0 <= token < column_of.size else 0

    vectors = np.empty(_BLOCK // masks.itemsize, masks.dtype)
    size = _count_below(members, scores.size)
    for first in range(0, size, vectors.size):
        for place in range(vectors.size):
            vectors[place] = ALL

        block = min(vectors.size, size - first)
        for position in range(query.size):
            token = query[position]
            if 0 <= token < column_of.size:
                column, head = np.int64(column_of[token]), heads[position]
                if column >= 0:
                    column = column * members.size + first
                    _walk_column(vectors, columns[column : column + block])
                elif head < starts[token + 1]:
                    end = int(np.int64(starts[token + 1]))
                    heads[position] = _walk_list(vectors, first, places, masks, head, end)

        last = first + block
        _write(vectors, members[first:last], lengths[first:last], table, scores)


@part
def _count_below(members: NDArray[np.uint32], limit: int) -> int:
    """How many of the members are entries below the limit."""
    size = members.size
    while size > 0 and members[size - 1] >= limit:
        size -= 1

    return size


@part
def _walk_column(vectors: NDArray[Any], masks: NDArray[Any]) -> None:
    """A step of the first masks.size vectors; LLVM takes several at a time."""
    for place in range(masks.size):
        old = vectors[place]
        common = old & masks[place]
        vectors[place] = (old + common) | (old ^ common)


@part
def _walk_list(
    vectors: NDArray[Any],
    first: int,
    places: NDArray[np.uint32],
    masks: NDArray[Any],
    at: int,
    end: int,
) -> int:
    """A step of the vectors, those of places from `first` on, that postings from `at` on name.

    Returns:
        Where the postings of later blocks begin.
    """
    last = first + vectors.size
    while at < end and places[np.uint64(at)] < last:
        place = np.uint64(places[np.uint64(at)]) - np.uint64(first)
        old = vectors[place]
        common = old & masks[np.uint64(at)]
        vectors[place] = (old + common) | (old ^ common)
        at += 1

    return at


@part
def _write(
    vectors: NDArray[Any],
    members: NDArray[np.uint32],
    lengths: NDArray[np.int32],
    table: NDArray[np.float64],
    scores: NDArray[np.float64],
) -> None:
    """Write the F of a block's members."""
    bits = np.uint64(8 * vectors.itemsize)
    for place in range(members.size):  # unsigned indices: no wrap-around to check for
        lcs = bits - np.uint64(popcount(np.uint64(vectors[place])))
        scores[members[place]] = table[np.uint64(lengths[place]), lcs]


@part
def _score_longer(query: NDArray[np.int32], group: Group, scores: NDArray[np.float64]) -> None:
    """Walk the members of more than a word, all of them for each token of the query."""
    members, lengths, column_of, _, starts, places, masks = group
    size, words = _count_below(members, scores.size), 0
    for place in range(size):
        words += (lengths[place] + WORD - 1) // WORD

    vectors, begins = np.empty(words, np.uint64), np.empty(words + 1, np.bool_)
    for word in range(words):
        vectors[word] = ALL
        begins[word] = False

    word = 0
    for place in range(size):
        begins[word] = True
        word += (lengths[place] + WORD - 1) // WORD

    begins[words] = True
    for token in query:
        if 0 <= token < column_of.size:
            start, end = np.int64(starts[token]), np.int64(starts[token + 1])
            _walk_words(vectors, begins, places[start:end], masks[start:end])

    word = 0
    for place in range(size):
        lcs = 0
        for _ in range((lengths[place] + WORD - 1) // WORD):
            lcs += popcount(~vectors[word])
            word += 1

        scores[members[place]] = measured(lcs, query.size, lengths[place])


@part
def _walk_words(
    vectors: NDArray[np.uint64],
    begins: NDArray[np.bool_],
    places: NDArray[np.uint32],
    masks: NDArray[np.uint64],
) -> None:
    """A step of vectors of several words, some of which are an entry's first: no carry into it.

    Words without a posting have M = 0, so that a step does no more than to take up the carry.
    """
    due, carry = 0, np.uint64(0)  # the word that a carry goes to
    for at in range(places.size + 1):
        place = int(np.int64(places[at])) if at < places.size else vectors.size
        while carry and due < place and not begins[due]:
            old = vectors[due]
            vectors[due] = old | (old + ONE)
            carry = np.uint64(old == ALL)
            due += 1

        if place >= vectors.size:
            break

        if begins[place] or due < place:
            carry = np.uint64(0)

        old = vectors[place]
        common = old & masks[at]
        partial = old + common
        total = partial + carry
        vectors[place] = total | (old ^ common)
        carry = np.uint64(partial < old) | np.uint64(total < partial)
        due = place + 1


@compiled
def score_newer(
    query: NDArray[np.int32],
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    first: int,
    scores: NDArray[np.float64],
) -> None:
    """Write the F of the query with the entries from `first` on, read as they are."""
    lookup = lookup_for(query.size)
    learn_query(lookup, query)
    for entry in range(first, scores.size):
        start, end = offsets[entry], offsets[entry + 1]
        scores[entry] = measured(lcs_with(lookup, tokens, start, end), query.size, end - start)

"""A pool's entries as a scan reads them: in blocks of one length, cut down to what matters.

Made for some queries and dropped with them; a pool does not keep it. Tokens that no query has are
left out, as they change no LCS with one, and what entries begin with alike is kept once, see
`asyncgen_kernels.stems`. Blocks, of one length, are how scores are found; chapters, of some
thousand entries, are how entries are walked: by what is left of them, so that the number of steps
seldom changes and branches are foreseen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from asyncgen_kernels.bits import ONE, whole
from asyncgen_kernels.compiled import compiled, reader
from asyncgen_kernels.stems import EDGES, STEMS, WORD, Hung, Stems, hang
from asyncgen_kernels.vectors import prefetch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.text import Encoded

BLOCK = 255
"""Entries in a block: a byte counts them."""

CHAPTER = 4096
"""A chapter has less than a block more: what is found for it stays in the second cache."""

ROWS = 8
"""A block begins at a multiple of so many rows, so that it can be read in whole vectors."""

_AHEAD = 8  # entries between asking for one's tokens and reading them
_LINE = 16  # tokens in a line of the cache


class Tails(NamedTuple):
    """What is left of the entries behind their stems, each chapter's by rising length.

    They are walked by twos: of two the first one is filled up with 0 until it is as long.

    Attributes:
        heads: The stem that the next one hangs on, 0 for the empty one, shape (entries,).
        rows: Which row of its chapter is its entry's, shape (entries,).
        starts: Its terms are terms[starts[i] : starts[i + 1]], shape (entries + 1,).
        terms: Numbers from 1.
    """

    heads: NDArray[np.int32]
    rows: NDArray[np.int32]
    starts: NDArray[np.int64]
    terms: NDArray[np.uint16]


class Blocks(NamedTuple):
    """A pool's entries in blocks of one length, the blocks in chapters.

    Attributes:
        members: The entries by rising length, among equals the oldest first, shape (entries,).
        bounds: Block b is members[bounds[b] : bounds[b + 1]], shape (blocks + 1,).
        lengths: Tokens of each entry of a block, shape (blocks,).
        rows: The row of its chapter that a block begins at, shape (blocks,); see ROWS.
        chapters: Chapter c has the blocks chapters[c] to chapters[c + 1], shape (chapters + 1,).
        most_rows: Of a chapter.
        stems: What entries of a chapter begin with.
        tails: What they go on with.
        used: Which terms any entry has, shape (terms + 1,).
    """

    members: NDArray[np.int64]
    bounds: NDArray[np.int64]
    lengths: NDArray[np.int64]
    rows: NDArray[np.int64]
    chapters: NDArray[np.int64]
    most_rows: int
    stems: Stems
    tails: Tails
    used: NDArray[np.bool_]


class _Room(NamedTuple):
    """Room to work in, for one chapter after the other.

    Attributes:
        hung: Its entries.
        edges: See `hang`.
        places: Of tails by length, shape (the longest entry's tokens + 2,).
    """

    hung: Hung
    edges: NDArray[np.uint64]
    places: NDArray[np.int64]


def numbered(queries: Encoded, chosen: NDArray[np.int64], vocabulary: int) -> NDArray[np.uint16]:
    """Numbers from 1 for the tokens of the chosen queries, 0 for others.

    The queries have less than 65,536 in all. Of shape (vocabulary + 1,): the last one is that of
    UNKNOWN, -1, which is no token.
    """
    known = np.zeros(vocabulary + 1, np.bool_)
    used = np.zeros(queries.offsets.size - 1, np.bool_)
    used[chosen] = True
    known[queries.tokens[np.repeat(used, np.diff(queries.offsets))]] = True
    term_of = np.zeros(known.size, np.uint16)
    terms = np.flatnonzero(known[:-1])
    term_of[terms] = np.arange(1, terms.size + 1)
    return term_of


def in_blocks(
    tokens: NDArray[np.int32], offsets: NDArray[np.int64], term_of: NDArray[np.uint16]
) -> Blocks:
    """Sort entries by length and cut them down; `offsets` has one more than there are entries."""
    lengths = np.diff(offsets)
    if lengths.max() < 2**16:
        lengths = lengths.astype(np.uint16)  # sorts faster
    members = np.argsort(lengths, kind="stable")
    lengths = lengths[members]
    bounds = _bounds(lengths)
    rows = np.append(0, np.cumsum(-(-np.diff(bounds) // ROWS) * ROWS))
    chapters = np.flatnonzero(np.diff(bounds[:-1] // CHAPTER, prepend=-1, append=members.size))
    most = (chapters.size - 1) * STEMS
    last = lengths[bounds[chapters[1:]] - 1]  # each chapter's longest: no more is filled up
    blocks = Blocks(
        members=members,
        bounds=bounds,
        lengths=lengths[bounds[:-1]].astype(np.int64),
        rows=rows[:-1] - np.repeat(rows[chapters[:-1]], np.diff(chapters)),
        chapters=chapters,
        most_rows=int(np.diff(rows[chapters]).max()),
        stems=Stems(
            np.zeros(chapters.size, np.int64),
            np.empty(most, np.int32),
            np.empty(most * WORD, np.uint16),
        ),
        tails=Tails(
            np.empty(members.size, np.int32),
            np.empty(members.size, np.int32),
            np.zeros(offsets.size, np.int64),
            np.empty(tokens.size + last.sum(), np.uint16),
        ),
        used=np.zeros(int(term_of.max(initial=0)) + 1, np.bool_),
    )
    _share(tokens, offsets, term_of, blocks, _room_for(blocks))
    return blocks


def _room_for(blocks: Blocks) -> _Room:
    counts = np.diff(blocks.bounds)
    tokens = np.add.reduceat(counts * blocks.lengths, blocks.chapters[:-1])
    entries = CHAPTER + BLOCK
    hung = Hung(
        np.empty(entries, np.int32),
        np.empty(entries, np.int64),
        np.empty(entries, np.int64),
        np.empty(tokens.max() + WORD, np.uint16),
    )
    return _Room(hung, np.empty(EDGES, np.uint64), np.empty(blocks.lengths[-1] + 2, np.int64))


def _bounds(lengths: NDArray[Any]) -> NDArray[np.int64]:
    """Cut entries by rising length into blocks: of one length, and of BLOCK entries at the most."""
    firsts = np.append(0, np.flatnonzero(lengths[1:] != lengths[:-1]) + 1)
    counts = np.diff(firsts, append=lengths.size)
    blocks = -(-counts // BLOCK)  # of each length
    before = np.cumsum(blocks) - blocks
    starts = np.repeat(firsts - before * BLOCK, blocks) + np.arange(blocks.sum()) * BLOCK
    return np.append(starts, lengths.size)


@compiled
def _share(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    term_of: NDArray[np.uint16],
    blocks: Blocks,
    room: _Room,
) -> None:
    """Cut the entries down, hang them on stems and copy their tails, chapter by chapter."""
    chapters, bounds, firsts = blocks.chapters, blocks.bounds, blocks.stems.firsts
    for chapter in range(chapters.size - 1):
        begin: int = chapters[chapter]
        end: int = chapters[chapter + 1]
        first: int = bounds[begin]
        last: int = bounds[end]
        made: int = firsts[chapter]
        _cut_down(tokens, offsets, term_of, blocks.members[first:last], room.hung)
        firsts[chapter + 1] = hang(room.hung, last - first, blocks.stems, made, room.edges)
        _order_tails(room, blocks, begin, end)
        _copy_tails(room, blocks.tails, first, last)

    in_stems: int = firsts[chapters.size - 1] * WORD
    in_tails: int = blocks.tails.starts[blocks.members.size]
    _mark(blocks.stems.words, in_stems, blocks.used)
    _mark(blocks.tails.terms, in_tails, blocks.used)


@reader
def _mark(terms: NDArray[np.uint16], size: int, used: NDArray[np.bool_]) -> None:
    """Mark the first so many terms as used, but for 0, which fills up."""
    for place in range(size):
        used[terms[place]] = True

    used[0] = False


@reader
def _cut_down(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    term_of: NDArray[np.uint16],
    members: NDArray[np.int64],
    hung: Hung,
) -> None:
    """Number the tokens of a chapter's entries by `term_of` and leave out those with 0."""
    end = np.uint64(0)
    for entry in range(members.size):
        member = members[entry]
        if entry + _AHEAD < members.size:
            ahead = offsets[members[entry + _AHEAD]]
            for line in range(3):  # most of what an entry takes
                prefetch(tokens, ahead + line * _LINE)

        hung.starts[entry] = end
        for position in range(np.uint64(offsets[member]), np.uint64(offsets[member + 1])):
            term = term_of[np.uint32(tokens[position])]
            hung.terms[end] = term
            end += np.uint64(term != 0)

        hung.ends[entry] = end


@reader
def _order_tails(room: _Room, blocks: Blocks, begin: int, end: int) -> None:
    """Order the tails of a chapter, of the blocks `begin` to `end`, shortest first.

    A counting sort. Into the tails' `starts`, one place late, come those that the room has.
    """
    heads, starts, ends, _ = room.hung
    bounds, tails, places = blocks.bounds, blocks.tails, room.places
    first: int = bounds[begin]
    longest: int = blocks.lengths[end - 1]
    for left in range(longest + 2):
        places[left] = 0

    for entry in range(bounds[end] - first):
        places[ends[entry] - starts[entry] + 1] += 1

    places[0] = first
    for left in range(1, longest + 2):
        places[left] += places[left - 1]

    for block in range(begin, end):
        row = blocks.rows[block] - bounds[block]
        for place in range(bounds[block], bounds[block + 1]):
            entry = place - first
            left = ends[entry] - starts[entry]
            target = places[left]
            places[left] = target + 1
            tails.heads[target] = heads[entry]
            tails.rows[target] = row + place
            tails.starts[target + 1] = starts[entry]


@reader
def _copy_tails(room: _Room, tails: Tails, first: int, last: int) -> None:
    """Copy a chapter's tails, the places `first` to `last`, in the order that was found."""
    terms, places = room.hung.terms, room.places
    target, left = first, 0
    copied = np.uint64(tails.starts[first])
    while target < last:
        if target == places[left]:  # all that are so long
            left += 1
        else:
            start = np.uint64(tails.starts[target + 1])
            if (target - first) & 1:  # the second of a pair
                while whole(copied) < tails.starts[target - 1] + left:
                    tails.terms[copied] = 0
                    copied += ONE

                tails.starts[target] = copied

            for place in range(np.uint64(left)):
                tails.terms[copied + place] = terms[start + place]

            copied += np.uint64(left)
            target += 1
            tails.starts[target] = copied

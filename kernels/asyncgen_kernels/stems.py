"""What entries begin with alike, so that a scan walks it once for all of them.

Entries are cut down to the tokens that some query has, and many then begin with the same ones or
are equal: a recurrence that starts at an entry's first token can go on from where another one was.
A stem is such a beginning, some whole words of WORD terms long; stems make a tree (a trie), in
which an entry hangs on the longest stem that it begins with and keeps the rest, its tail.

The tree is a hash table of edges: of a stem and a word, to a longer stem or to the only entry so
far that goes on like this. A stem is made when a second entry comes along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.bits import ONE, whole
from asyncgen_kernels.compiled import reader

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD = 4
"""Terms by which a stem is longer than its parent: two bytes each, a machine's word in all."""

STEMS = 2048
"""At the most in a chapter: a state of each, of 128 bytes, stays in the second cache."""

EDGES = 1 << 15
"""Words for the edges of a chapter: two each, and there are fewer than entries and stems."""

_SHIFT = np.uint64(50)  # the upper 14 bits, which depend on all terms
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)  # 2^64 / golden ratio: Fibonacci hashing
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFF_FFFF)
_ALONE = 1 << 31


class Stems(NamedTuple):
    """The stems of all chapters, one chapter after the other, parents before their children.

    Attributes:
        firsts: Chapter c has the stems firsts[c] to firsts[c + 1], shape (chapters + 1,).
        parents: The number in its chapter, from 1, of the stem that each is longer than by a
            word; 0 for the empty one. Shape (stems,) or longer.
        words: The terms of that word, filled up with 0, shape (stems · WORD,) or longer.
    """

    firsts: NDArray[np.int64]
    parents: NDArray[np.int32]
    words: NDArray[np.uint16]


class Hung(NamedTuple):
    """A chapter's entries, cut down to the tokens that some query has, and where they hang.

    Attributes:
        heads: The stem of each, 0 for the empty one, shape (entries,) or longer.
        starts: Where its tail begins among the terms, likewise; at first the whole entry.
        ends: Where it ends, likewise.
        terms: Numbers from 1, and WORD more items.
    """

    heads: NDArray[np.int32]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    terms: NDArray[np.uint16]


@reader
def _word_at(terms: NDArray[np.uint16], start: int, end: int) -> np.uint64:
    """The terms from `start` on, WORD at the most, those from `end` on taken as 0."""
    at = np.uint64(start)
    word = np.uint64(0)
    for place in range(np.uint64(WORD)):  # becomes one read
        word |= np.uint64(terms[at + place]) << (np.uint64(16) * place)

    if end - start < WORD:
        word &= (ONE << np.uint64(16 * (end - start))) - ONE

    return word


@reader
def _mixed(before: np.uint64, word: np.uint64) -> np.uint64:
    """A hash of a stem and a word, of the stem's own: it waits for no edge to be read."""
    product = (before ^ word) * _SPREAD
    return product ^ (product >> _HALF)


@reader
def _slot_of(
    edges: NDArray[np.uint64], mixed: np.uint64, parent: int, word: np.uint64
) -> np.uint64:
    """Where the edge is that begins like this, or the free place that it belongs to."""
    slot = (mixed >> _SHIFT) << ONE
    while True:
        ends = edges[slot + ONE]
        if ends == 0 or (edges[slot] == word and ends >> _HALF == np.uint64(parent)):
            return slot

        slot = (slot + np.uint64(2)) & np.uint64(EDGES - 1)


@reader
def _write_edge(
    edges: NDArray[np.uint64], slot: np.uint64, word: np.uint64, parent: int, child: int
) -> None:
    edges[slot] = word
    edges[slot + ONE] = (np.uint64(parent) << _HALF) | np.uint64(child)


@reader
def _write_stem(stems: Stems, number: int, parent: int, word: np.uint64) -> None:
    stems.parents[number] = parent
    for place in range(WORD):
        stems.words[number * WORD + place] = np.uint16(word >> np.uint64(16 * place))


@reader
def hang(hung: Hung, count: int, stems: Stems, first: int, edges: NDArray[np.uint64]) -> int:
    """Hang a chapter's entries on stems.

    Args:
        hung: Written but for the terms.
        count: How many entries there are.
        stems: Those of the chapter are written, from `first` on.
        first: How many stems other chapters have.
        edges: Two words of each, shape (EDGES,): the terms; and the stem that it begins at, and,
            in the lower half, the stem that it leads to or 2^31 + e for the entry e alone.

    Returns:
        How many stems there are now.
    """
    heads, starts, ends, terms = hung
    for place in range(1, edges.size, 2):
        edges[place] = 0

    made = whole(0)
    for entry in range(count):
        start, end = starts[entry], ends[entry]
        stem, mixed = whole(0), np.uint64(0)
        while start < end:
            word = _word_at(terms, start, end)
            mixed = _mixed(mixed, word)
            slot = _slot_of(edges, mixed, stem, word)
            child = whole(edges[slot + ONE] & _LOW)
            if child == 0:
                _write_edge(edges, slot, word, stem, _ALONE + entry)
                break

            if child >= _ALONE:
                if made == STEMS:
                    break

                _write_stem(stems, first + made, stem, word)
                made += 1
                _write_edge(edges, slot, word, stem, made)
                _move(hung, child - _ALONE, made, mixed, edges)
                child = made

            stem = child
            start = min(start + WORD, end)

        heads[entry], starts[entry] = stem, start

    return first + made


@reader
def _move(hung: Hung, entry: int, stem: int, mixed: np.uint64, edges: NDArray[np.uint64]) -> None:
    """Hang an entry on a new stem, a word farther on; it is the first one there."""
    heads, starts, ends, terms = hung
    start, end = min(starts[entry] + WORD, ends[entry]), ends[entry]
    heads[entry], starts[entry] = stem, start
    if start < end:
        word = _word_at(terms, start, end)
        slot = _slot_of(edges, _mixed(mixed, word), stem, word)
        _write_edge(edges, slot, word, stem, _ALONE + entry)

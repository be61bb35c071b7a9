"""One query's tokens, found by a small hash table, and the LCS of the query with other texts.

The LCS is bit-parallel: a vector of one bit per token of the query is walked along the other
text with V ← (V + (V & M)) | (V & ~M), M marking where the current token stands in the query; its
zero bits count the LCS. H. Hyyrö, "Bit-parallel LCS-length computation revisited", AWOCA 2004,
after M. Crochemore, C. S. Iliopoulos, Y. J. Pinzon and J. F. Reid, "A fast and practical
bit-vector algorithm for the longest common subsequence problem", IPL 80 (2001). Addition is
modulo 2^64, so these kernels do not run with NUMBA_DISABLE_JIT=1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.bits import ALL, ONE, popcount, spread, whole
from asyncgen_kernels.compiled import compiled, inlined, part, reader

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EMPTY = -2  # no token: ids are not negative, an unknown one is -1
_NO_LIMIT = 2**62


class Lookup(NamedTuple):
    """Where the tokens of a query stand in it.

    Attributes:
        slots: A token each, or none, shape (slots,): open addressing, at most a quarter full.
        masks: The bits of its positions, `words` a slot, shape (slots · words,).
        vector: Scratch, shape (words,), words = ceil(m / 64), at least 1.
        shift: 64 - log2 of the number of slots.
    """

    slots: NDArray[np.int32]
    masks: NDArray[np.uint64]
    vector: NDArray[np.uint64]
    shift: np.uint64


@part
def lookup_for(longest: int) -> Lookup:
    """Room for queries of up to `longest` tokens."""
    words = max(1, (longest + 63) // 64)
    count, shift = 64, 58
    while count < 4 * longest:
        count *= 2
        shift -= 1

    return Lookup(
        np.empty(count, np.int32),
        np.empty(count * words, np.uint64),
        np.empty(words, np.uint64),
        np.uint64(shift),
    )


@inlined
def _slot(slots: NDArray[np.int32], shift: np.uint64, token: int) -> np.uint64:
    """The token's slot, or the empty one where it would stand."""
    slot = spread(token, shift)
    while slots[slot] != token and slots[slot] != _EMPTY:
        slot = (slot + ONE) & np.uint64(slots.size - 1)

    return slot


@reader
def learn_query(lookup: Lookup, query: NDArray[np.int32]) -> None:
    """Fill the lookup, made for texts of this length or more, with a query; -1 is left out."""
    slots, masks, words = lookup.slots, lookup.masks, lookup.vector.size
    for number in range(slots.size):
        slots[number] = _EMPTY

    for word in range(masks.size):
        masks[word] = 0

    for position in range(query.size):
        if query[position] >= 0:
            slot = _slot(slots, lookup.shift, query[position])
            slots[slot] = query[position]
            word = whole(slot) * words + (position >> 6)
            masks[word] |= ONE << np.uint64(position & 63)


@reader
def lcs_with(
    lookup: Lookup, tokens: NDArray[np.int32], start: int, end: int, spare: int = _NO_LIMIT
) -> int:
    """The LCS of the query and tokens[start:end], n tokens; O(n · words).

    Given up, and 0 returned, once more than `spare` of the n tokens turn out not to be in the
    query.
    """
    if lookup.vector.size > 1:
        return _lcs_words(lookup, tokens[start:end])

    slots, masks, shift = lookup.slots, lookup.masks, lookup.shift
    bits = ALL
    for position in range(start, end):
        match = masks[_slot(slots, shift, tokens[np.uint64(position)])]
        bits = (bits + (bits & match)) | (bits & ~match)
        spare -= match == 0
        if spare < 0:
            return 0

    return popcount(~bits)


@reader
def _lcs_words(lookup: Lookup, text: NDArray[np.int32]) -> int:
    """The same for a query of any length; a word's carry goes to the next."""
    vector = lookup.vector
    for word in range(vector.size):
        vector[word] = ALL

    for token in text:
        slot = whole(_slot(lookup.slots, lookup.shift, token))
        row = lookup.masks[slot * vector.size : (slot + 1) * vector.size]
        carry = np.uint64(0)
        for word in range(vector.size):
            old = vector[word]
            partial = old + (old & row[word])
            total = partial + carry
            carry = np.uint64(partial < old) | np.uint64(total < partial)
            vector[word] = total | (old & ~row[word])

    length = 0
    for word in range(vector.size):
        length += popcount(~vector[word])

    return length


@compiled
def lcs_pair(query: NDArray[np.int32], text: NDArray[np.int32]) -> int:
    """The LCS length of two arrays of tokens, shapes (m,) and (n,), -1 standing for no token."""
    lookup = lookup_for(query.size)
    learn_query(lookup, query)
    return lcs_with(lookup, text, 0, text.size)

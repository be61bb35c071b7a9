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
from asyncgen_kernels.compiled import compiled, fused, inlined, part, reader

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EMPTY = -2  # no token: ids are not negative, an unknown one is -1
_NO_LIMIT = 2**62


class Lookup(NamedTuple):
    """Where the tokens of a query stand in it.

    Of a query of one word, the bits of a token's positions stand at its slot. Of a longer one,
    a chain begins there: of each word that has the token in it, the first word first.

    Attributes:
        slots: A token each, or none, shape (slots,): open addressing, at most a quarter full.
        masks: Bits of positions: by slot, or of a link of a chain, shape (slots,).
        heads: The first link of a slot's chain.
        links: Of each link its word, and the next link or -1, shape (positions, 2); empty for
            queries of one word.
        vector: Scratch, shape (words,), words = ceil(m / 64), at least 1.
        shift: 64 - log2 of the number of slots.
    """

    slots: NDArray[np.int32]
    masks: NDArray[np.uint64]
    heads: NDArray[np.int32]
    links: NDArray[np.int32]
    vector: NDArray[np.uint64]
    shift: np.uint64


@part
def lookup_for(longest: int) -> Lookup:
    """Room for queries of up to `longest` tokens: 48 to 80 bytes for each of many."""
    words = max(1, (longest + 63) // 64)
    count, shift = 64, 58
    while count < 4 * longest:
        count *= 2
        shift -= 1

    chained = words > 1
    return Lookup(
        np.empty(count, np.int32),
        np.empty(longest if chained else count, np.uint64),
        np.empty(count if chained else 0, np.int32),
        np.empty((longest if chained else 0, 2), np.int32),
        np.empty(words, np.uint64),
        np.uint64(shift),
    )


@inlined
def cut_down(lookup: Lookup, m: int) -> Lookup:
    """A lookup for queries of m tokens, more than 64, in the room of one for longer ones."""
    count, shift = 512, np.uint64(55)
    while count < 4 * m:
        count *= 2
        shift -= ONE

    return Lookup(
        lookup.slots[:count],
        lookup.masks[:m],
        lookup.heads[:count],
        lookup.links[:m],
        lookup.vector[: (m + 63) // 64],
        shift,
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
    for number in range(lookup.slots.size):
        lookup.slots[number] = _EMPTY

    if lookup.vector.size > 1:
        _chain_query(lookup, query)
        return

    for word in range(lookup.masks.size):
        lookup.masks[word] = 0

    for position in range(query.size):
        if query[position] >= 0:
            slot = _slot(lookup.slots, lookup.shift, query[position])
            lookup.slots[slot] = query[position]
            lookup.masks[slot] |= ONE << np.uint64(position)


@reader
def _chain_query(lookup: Lookup, query: NDArray[np.int32]) -> None:
    """Put the positions into chains, the last first: each goes before those behind it."""
    slots, links, used = lookup.slots, lookup.links, 0
    for position in range(query.size - 1, -1, -1):
        token, word = query[position], position >> 6
        if token < 0:
            continue

        slot = _slot(slots, lookup.shift, token)
        head = lookup.heads[slot] if slots[slot] == token else -1
        if head < 0 or links[head, 0] != word:
            links[used, 0], links[used, 1] = word, head
            lookup.masks[used] = 0
            slots[slot], lookup.heads[slot] = token, used
            head, used = used, used + 1

        lookup.masks[head] |= ONE << np.uint64(position & 63)


@fused
def lcs_with(
    lookup: Lookup, tokens: NDArray[np.int32], start: int, end: int, spare: int = _NO_LIMIT
) -> int:
    """The LCS of the query and tokens[start:end], n tokens.

    In O(n), for a query of several words times the words that have the token in them. Given up,
    and 0 returned, once more than `spare` of the n tokens turn out not to be in the query.
    """
    if lookup.vector.size > 1:
        return _lcs_words(lookup, tokens[start:end], spare)

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
def _lcs_words(lookup: Lookup, text: NDArray[np.int32], spare: int) -> int:
    """The same for a query of any length; a word's carry goes to the next."""
    vector = lookup.vector
    for word in range(vector.size):
        vector[word] = ALL

    for token in text:
        slot = _slot(lookup.slots, lookup.shift, token)
        if lookup.slots[slot] == token:
            _step(lookup, lookup.heads[slot])
        else:
            spare -= 1
            if spare < 0:
                return 0

    length = 0
    for word in range(vector.size):
        length += popcount(~vector[word])

    return length


@reader
def _step(lookup: Lookup, link: int) -> None:
    """Take one token into the vector: the words that have it, and those that a carry reaches.

    Where M = 0 a step does no more than to take up the carry.
    """
    vector, due, carry = lookup.vector, whole(0), np.uint64(0)
    while link >= 0 or carry:
        word = whole(lookup.links[link, 0]) if link >= 0 else vector.size
        while carry and due < word:
            old = vector[due]
            vector[due] = old | (old + ONE)
            carry = np.uint64(old == ALL)
            due += 1

        if link < 0:
            return

        old, match = vector[word], lookup.masks[link]
        partial = old + (old & match)
        total = partial + carry
        vector[word] = total | (old & ~match)
        carry = np.uint64(partial < old) | np.uint64(total < partial)
        due, link = word + 1, whole(lookup.links[link, 1])


@compiled
def lcs_pair(query: NDArray[np.int32], text: NDArray[np.int32]) -> int:
    """The LCS length of two arrays of tokens, shapes (m,) and (n,), -1 standing for no token."""
    lookup = lookup_for(query.size)
    learn_query(lookup, query)
    return lcs_with(lookup, text, 0, text.size)

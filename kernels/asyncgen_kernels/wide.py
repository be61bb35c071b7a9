"""Names of entries; those of long ones lead to wide signatures.

64 bits tell short texts apart but are nearly all set by long ones. So a long entry has a signature
of the whole of it, 256 bits for each 32 to 64 tokens: one to eight units. It goes by the number of
its first unit, a short one by its own number; whoever has a name has the length beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.bits import whole
from asyncgen_kernels.compiled import compiled, inlined, reader
from asyncgen_kernels.likeness import apart
from asyncgen_kernels.ordered import Text, longest_of, sign_wide, sort_text, text_for
from asyncgen_kernels.postings import MOST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.plan import Query

LONG_TEXT = 32
"""Entries from this many tokens on have a wide signature."""

WORDS = 4
"""In a unit."""

_LOW = 0xFFFF_FFFF
_SIZES = 9  # an entry has at most 8 units


class Wide(NamedTuple):
    """The wide signatures of all long entries, in order of entries, with room for more.

    Attributes:
        owners: The entry of each unit, shape (units,).
        words: WORDS for each unit, shape (WORDS * units,).
        used: How many units there are, shape (1,).
    """

    owners: NDArray[np.uint32]
    words: NDArray[np.uint64]
    used: NDArray[np.int64]


@inlined
def units_of(n: int) -> int:
    """How many units an entry of n tokens has: 0, 1, 2, 4 or, from 255 on, 8."""
    return (
        whole(n >= LONG_TEXT)
        + whole(n >= 2 * LONG_TEXT)
        + 2 * whole(n >= 4 * LONG_TEXT)
        + 4 * whole(n >= 8 * LONG_TEXT - 1)
    )


def units_at_most(tokens: int) -> int:
    """As many units as texts of so many tokens together may have: none is for fewer than 31."""
    return tokens // (LONG_TEXT - 1)


@reader
def add_wide(wide: Wide, text: Text, entry: int, n: int) -> int:
    """Give the entry, the newest of all, a name and if it is long a signature; return the name."""
    units, first = units_of(n), whole(wide.used[0])
    if units == 0:
        return entry

    sign_wide(text, n, wide.words[WORDS * first : WORDS * (first + units)])
    for unit in range(units):
        wide.owners[first + unit] = entry

    wide.used[0] = first + units
    return first


@compiled
def widen(tokens: NDArray[np.int32], offsets: NDArray[np.int64], first: int, wide: Wide) -> None:
    """Sign those long of the entries that `offsets` bounds, the first numbered `first`."""
    text, no_ranks = text_for(longest_of(offsets)), np.empty(0, np.int32)
    for entry in range(offsets.size - 1):
        ids = tokens[offsets[entry] : offsets[entry + 1]]
        if ids.size >= LONG_TEXT:
            sort_text(ids, no_ranks, text)
            add_wide(wide, text, first + entry, ids.size)


class Signed(NamedTuple):
    """The wide signatures of a query, each made when it is first needed; good for many queries.

    Attributes:
        query: The number of the query, shape (1,).
        made: Of which query each signature is, by units, shape (_SIZES,).
        words: The signatures, of 1, 2, 4 and 8 units, one after another.
    """

    query: NDArray[np.uint64]
    made: NDArray[np.uint64]
    words: NDArray[np.uint64]


def nothing_signed() -> Signed:
    """Room for signatures; queries are numbered from 1 on."""
    return Signed(
        np.zeros(1, np.uint64),
        np.zeros(_SIZES, np.uint64),
        np.empty(WORDS * (2 * _SIZES - 3), np.uint64),
    )


@inlined
def most_shared(wide: Wide, query: Query, signed: Signed, first: int, n: int) -> int:
    """The most tokens that a long entry may share with the query; 0 if too few to be similar.

    `first` is its first unit, and n its length, at most 255.
    """
    units = units_of(n)
    own = WORDS * (units - 1)
    if signed.made[units] != signed.query[0]:
        signed.made[units] = signed.query[0]
        sign_wide(query.text, query.m, signed.words[own : own + WORDS * units])

    both: int = apart(signed.words, own, wide.words, WORDS * first, WORDS * units)
    most, spared = query.m - query.unknown - (both & _LOW), both >> 32
    if most < whole(query.required[n]) or spared > whole(query.spare[n]):
        return 0

    return most if n == MOST else min(most, n - spared)

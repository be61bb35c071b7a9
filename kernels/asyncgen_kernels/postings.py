"""Where an index keeps what it knows of all but the newest entries: lists of postings by token.

An entry's tokens are put in an order common to all texts, the rarest first. Two texts of m and n
tokens that share `required(m, n)` of them share one among the first n - required + 1 of the one
and the first m - required + 1 of the other (prefix filtering: S. Chaudhuri, V. Ganti and
R. Kaushik, "A primitive operator for similarity joins in data cleaning", ICDE 2006; R. Bayardo,
Y. Ma and R. Srikant, "Scaling up all pairs similarity search", WWW 2007). So an entry has a
posting in the list of each token of its prefix, and a query reads the lists of its own prefix.

A posting carries a key, position in the order · 256 + length of the entry, both at most 255
(255 standing for all beyond), the entry's name, and a signature of the tokens after that position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.compiled import inlined, reader
from asyncgen_kernels.measure import SHORT, required

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.measure import Bar

MOST = SHORT - 1
"""The greatest length and position that a key tells apart."""

LONG = 64
"""From this many postings on, a list has a table of where each position begins."""

SAMPLED = 32
"""Postings of which one's key is a sample."""

STARTS, RUNS, POSTINGS, SHIFT, ENTRIES = range(5)
COLUMNS = 5
"""Columns of `Lists.segments`."""


class Lists(NamedTuple):
    """Postings of consecutive entries, in segments that never change.

    A segment's lists are picked by a hash of the token: a list may hold several tokens, which
    costs time but no exactness. Postings of a list are sorted by key. The first one of a LONG
    list is none; its name says where in `runs` the table of its positions stands: the least and
    the greatest position in it, then where each of them begins, and the end.

    Attributes:
        segments: One row a segment, shape (segments + 1, COLUMNS): where its part of `starts`,
            of `runs` and of the postings begins, 64 - log2 of the number of its lists, and how
            many entries it covers. The last row says where the next segment would begin.
        starts: Where each list begins among the segment's postings, and one more for the end.
        runs: Tables of the long lists.
        signatures: Of each posting, shape (postings,), and room for a vector behind it.
        names: Of each posting's entry; see `asyncgen_kernels.wide`.
        keys: The key of each posting.
        samples: The key of every posting whose number is a multiple of SAMPLED.
    """

    segments: NDArray[np.int64]
    starts: NDArray[np.uint32]
    runs: NDArray[np.uint32]
    signatures: NDArray[np.uint64]
    names: NDArray[np.uint32]
    keys: NDArray[np.uint16]
    samples: NDArray[np.uint16]


@reader
def prefix_length(bar: Bar, n: int) -> int:
    """The most tokens of an entry of n whose lists it must be in, whatever the query's length.

    The shortest text that can be similar at all leaves the most of the entry unmatched.
    """
    low, high = 1, n + 1  # the shortest m with required(m, n) <= m, which need not exist
    while low < high:
        middle = (low + high) // 2
        if required(bar, middle, n) <= middle:
            high = middle
        else:
            low = middle + 1

    return 0 if low > n else n - required(bar, low, n) + 1


@inlined
def key_of(n: int, place: int) -> np.uint16:
    """The key of a posting."""
    return np.uint16(min(place, MOST) << 8 | min(n, MOST))


@reader
def list_shift(lists: int) -> np.uint64:
    """What `spread` needs for a power of two of lists."""
    shift = 64
    while lists > 1:
        lists >>= 1
        shift -= 1

    return np.uint64(shift)

"""Where an index keeps what it knows of the entries: postings in lists by token.

An entry's tokens are put in an order common to all texts, the rarest first. Two texts of m and n
tokens that share `required(m, n)` of them share one among the first n - required + 1 of the one
and the first m - required + 1 of the other (prefix filtering: S. Chaudhuri, V. Ganti and
R. Kaushik, "A primitive operator for similarity joins in data cleaning", ICDE 2006; R. Bayardo,
Y. Ma and R. Srikant, "Scaling up all pairs similarity search", WWW 2007). So an entry has a
posting in the list of each token of its prefix, and a query reads the lists of its own prefix.

A posting carries a key, position in the order · 256 + length of the entry, both at most 255
(255 standing for all beyond), and a signature: the tokens after that position, a bit for each of
64 hash values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.bits import ONE, spread, whole
from asyncgen_kernels.compiled import compiled, inlined, part, reader
from asyncgen_kernels.measure import SHORT, required

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.measure import Bar

MOST = SHORT - 1
"""The greatest length and position that a key tells apart."""

LONG = 64
"""From this many postings on, a list has a table of where each position begins."""

STARTS, RUNS, POSTINGS, SHIFT, ENTRIES = range(5)
COLUMNS = 5
"""Columns of `Lists.segments`."""

_SIGNATURE = np.uint64(58)
_NO_TOKEN = -(2**31)
_PLACE = whole(0xFFFF_FFFF)
_FEW = 64  # tokens that are sorted by counting


class Lists(NamedTuple):
    """Postings of consecutive entries, in segments that never change.

    A segment's lists are picked by a hash of the token: a list may hold several tokens, which
    costs time but no exactness. Postings of a list are sorted by key. The first one of a LONG
    list is none; its entry says where in `runs` the table of its positions stands: the least and
    the greatest position in it, then where each of them begins, and the end.

    Attributes:
        segments: One row a segment, shape (segments + 1, COLUMNS): where its part of `starts`,
            of `runs` and of the postings begins, 64 - log2 of the number of its lists, and how
            many entries it covers. The last row says where the next segment would begin.
        starts: Where each list begins among the segment's postings, and one more for the end.
        runs: Tables of the long lists.
        signatures: Of each posting, shape (postings,).
        entries: The entry of each posting.
        keys: The key of each posting.
    """

    segments: NDArray[np.int64]
    starts: NDArray[np.uint32]
    runs: NDArray[np.uint32]
    signatures: NDArray[np.uint64]
    entries: NDArray[np.uint32]
    keys: NDArray[np.uint16]


class Tail(NamedTuple):
    """Postings of the newest entries: chains that grow.

    Attributes:
        heads: The newest posting of each list, -1 for none, shape (a power of two,).
        used: How many postings there are, shape (1,).
        following: The next posting of the chain, -1 at its end.
        signatures: As in `Lists`.
        entries: As in `Lists`.
        keys: As in `Lists`.
    """

    heads: NDArray[np.int32]
    used: NDArray[np.int64]
    following: NDArray[np.int32]
    signatures: NDArray[np.uint64]
    entries: NDArray[np.uint32]
    keys: NDArray[np.uint16]


class Text(NamedTuple):
    """A text in the common order, with room for a longer one.

    Attributes:
        tokens: Its tokens, the rarest first, equal ones side by side, shape (m,).
        rest: The signature of the tokens from each place on, shape (m + 1,).
        orders: Scratch, shape (m,).
    """

    tokens: NDArray[np.int64]
    rest: NDArray[np.uint64]
    orders: NDArray[np.int64]


@part
def text_for(longest: int) -> Text:
    """Room for a text of up to `longest` tokens."""
    return Text(
        np.empty(longest, np.int64), np.empty(longest + 1, np.uint64), np.empty(longest, np.int64)
    )


@reader
def sort_text(tokens: NDArray[np.int32], ranks: NDArray[np.int32], text: Text) -> None:
    """Put the tokens into the common order, in the given room.

    A token with a rank comes at that rank. One learned after the ranks were made is rarer than
    all of them, the newest first; unknown ones come before those, since nothing can share them.
    """
    orders, m = text.orders, tokens.size
    for place in range(m):
        token = whole(tokens[place])
        order = whole(_NO_TOKEN)
        if token >= 0:
            order = whole(ranks[token]) if token < ranks.size else ranks.size - token - 1

        orders[place] = (order << 32) | place

    if m <= _FEW:
        _sort_few(tokens, orders, text.tokens)
    else:
        _sort_many(orders[:m])
        for place in range(m):
            text.tokens[place] = tokens[orders[place] & _PLACE]

    _sign(text, m)


@reader
def _sort_few(
    tokens: NDArray[np.int32], orders: NDArray[np.int64], into: NDArray[np.int64]
) -> None:
    """Put each token where as many stand before it as are less: no branch to guess wrong."""
    for place in range(tokens.size):
        order, before = orders[place], whole(0)
        for other in range(tokens.size):
            before += whole(orders[other] < order)

        into[np.uint64(before)] = tokens[place]


@reader
def _sort_many(items: NDArray[np.int64]) -> None:
    """Shell's sort: quick enough for what is rare, and quick to compile."""
    gap = 1
    while 3 * gap < items.size:
        gap = 3 * gap + 1

    while gap > 0:
        for place in range(gap, items.size):
            item, at = items[place], place
            while at >= gap and items[at - gap] > item:
                items[at] = items[at - gap]
                at -= gap

            items[at] = item

        gap //= 3


@reader
def _sign(text: Text, m: int) -> None:
    bits = np.uint64(0)
    text.rest[m] = bits
    for place in range(m - 1, -1, -1):
        token = text.tokens[place]
        if token >= 0:
            bits |= ONE << spread(token, _SIGNATURE)

        text.rest[place] = bits


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


@inlined
def first_of_its_kind(text: Text, place: int) -> bool:
    """Whether the token stands here for the first time: only there can two texts share first."""
    return place == 0 or text.tokens[place] != text.tokens[place - 1]


@reader
def append_to_tail(tail: Tail, text: Text, entry: int, n: int, count: int) -> None:
    """Add the postings of an entry of n tokens, `count` in its prefix; there must be room."""
    shift = list_shift(tail.heads.size)
    posting = tail.used[0]
    for place in range(count):
        token = text.tokens[place]
        if token < 0 or not first_of_its_kind(text, place):
            continue

        bucket = spread(token, shift)
        tail.following[posting] = tail.heads[bucket]
        tail.heads[bucket] = posting
        tail.signatures[posting] = text.rest[place + 1]
        tail.entries[posting] = entry
        tail.keys[posting] = key_of(n, place)
        posting += 1

    tail.used[0] = posting


@compiled
def chain(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    first: int,
    index: tuple[Bar, NDArray[np.int32]],
    tail: Tail,
) -> None:
    """Put the entries that `offsets` bounds, the first numbered `first`, into a tail with room."""
    bar, ranks = index
    text = text_for(longest_of(offsets))
    for entry in range(offsets.size - 1):
        ids = tokens[offsets[entry] : offsets[entry + 1]]
        sort_text(ids, ranks, text)
        append_to_tail(tail, text, first + entry, ids.size, prefix_length(bar, ids.size))


@reader
def longest_of(offsets: NDArray[np.int64]) -> int:
    """The tokens of the longest text that `offsets` bounds, at least 1."""
    longest = 1
    for text in range(offsets.size - 1):
        longest = max(longest, offsets[text + 1] - offsets[text])

    return longest


@reader
def list_shift(lists: int) -> np.uint64:
    """What `spread` needs for a power of two of lists."""
    shift = 64
    while lists > 1:
        lists >>= 1
        shift -= 1

    return np.uint64(shift)

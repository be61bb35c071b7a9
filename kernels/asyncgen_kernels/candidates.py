"""Which entries may be similar to a text: by signatures and lengths alone.

No entry that is similar is ever left out; most that are not are, by bounds on what can be shared.
Each bit of one text's signature that the other's lacks is a token, at least one, without a partner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.bits import ONE, popcount, whole
from asyncgen_kernels.compiled import fused, inlined, reader
from asyncgen_kernels.likeness import alike
from asyncgen_kernels.measure import SHORT, Bar, fill_row
from asyncgen_kernels.ordered import Text, known_from
from asyncgen_kernels.plan import Query
from asyncgen_kernels.postings import MOST, Lists
from asyncgen_kernels.spans import BLOCK, END, PLACE, START, Spans, fetch_next
from asyncgen_kernels.vectors import lowest_bit, prefetch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.tail import Tail

FOUND = 2 * BLOCK
"""Room for candidates: another block is looked at while there are no more than one has."""

_MUCH = 127 << 8  # in units of 2^-8
_LENGTH, _PLACES = np.uint64(255), np.uint64(8)  # the parts of a key


class Reading(NamedTuple):
    """Room for what is found.

    Attributes:
        postings: Those whose signature fits, and the place of the token, shape (FOUND, 2).
        found: Candidates: the name of the entry, its length as in a key from bit 32, and from bit
            40 the most that it may share with the query. Shape (FOUND,).
        rows: For the bounds of a query that is too long for the tables, shape (3, SHORT).
        longest: See `Query`, with room for a longer one.
    """

    postings: NDArray[np.int64]
    found: NDArray[np.uint64]
    rows: NDArray[np.int16]
    longest: NDArray[np.int64]


class Place(NamedTuple):
    """Where a query's token stands, taken for the first that is shared.

    Attributes:
        rest: The signature of the tokens after it.
        left: How many tokens there are from it on.
        longest: The greatest length of which an entry can be similar.
    """

    rest: np.uint64
    left: int
    longest: int


def room_for_reading(longest: int) -> Reading:
    """Room for queries of up to `longest` tokens."""
    return Reading(
        np.empty((FOUND, 2), np.int64),
        np.empty(FOUND, np.uint64),
        np.empty((3, SHORT), np.int16),
        np.empty(longest + 1, np.int64),
    )


@fused
def query_of(bar: Bar, tokens: NDArray[np.int32], text: Text, reading: Reading) -> Query:
    """The query of a text, given also in the common order, in the given room."""
    rows, limits, m = reading.rows, reading.longest, tokens.size
    needs, spare, least = rows[0], rows[1], rows[2]
    if m < SHORT:
        needs, spare, least = bar.required[m], bar.spare[m], bar.least[m]
        longest = whole(bar.longest[m])
    else:
        longest = fill_row(bar.threshold, m, needs, spare, least)

    for at in range(m + 1):
        while longest > 0 and (spare[longest] < 0 or needs[longest] > m - at):
            longest -= 1

        limits[at] = longest

    shared = shared_by_all(bar, m)
    return Query(tokens, text, m, known_from(text, m), shared, needs, spare, least, limits)


@reader
def shared_by_all(bar: Bar, m: int) -> tuple[int, int]:
    """Bounds of what texts of m and n tokens must share, base and slope.

    (base + slope · n) / 2^8, rounded down, is never more than `required`: for short texts the same
    or one less, for those so long that it would not fit 16 bits much less. It decides nothing.
    """
    half = bar.threshold * 2**7
    return min(whole(half * m) + 2**8 - 1, _MUCH), whole(half)


@inlined
def _place_of(query: Query, at: int) -> Place:
    return Place(query.text.rest[at + 1], query.m - at, query.longest[at])


@inlined
def _alike(
    signatures: NDArray[np.uint64],
    keys: NDArray[np.uint16],
    start: int,
    count: int,
    query: Query,
    place: Place,
) -> np.uint64:
    """Which postings may fit, as bits: all that do, and a few by rounded bounds."""
    bounds = (min(place.left, _MUCH), query.shared[0], query.shared[1])
    fitting: np.uint64 = alike((signatures, keys), start, count, place.rest, bounds)
    return fitting


@inlined
def _similar(query: Query, place: Place, key: np.uint64, theirs: np.uint64) -> bool:
    """Whether the entry of a posting may be similar: no if too many tokens lack a partner."""
    n = key & _LENGTH
    lacking = popcount(place.rest & ~theirs) + whole(query.required[n])
    spared = popcount(theirs & ~place.rest) + whole(key >> _PLACES)
    return (lacking <= place.left) & (spared <= whole(query.spare[n]))


@inlined
def _in_prefix(query: Query, place: Place, key: np.uint64) -> bool:
    """Whether the posting's token stands in the prefix that an entry of its length needs."""
    n = whole(key & _LENGTH)
    return (n >= whole(query.least[key >> _PLACES])) & (n <= place.longest)


@inlined
def _candidate(place: Place, key: np.uint64, theirs: np.uint64, name: np.uint32) -> np.uint64:
    n = whole(key & _LENGTH)
    mine_left = place.left - popcount(place.rest & ~theirs)
    theirs_left = n - whole(key >> _PLACES) - popcount(theirs & ~place.rest)
    most = np.uint64(mine_left if n == MOST else min(mine_left, theirs_left))
    return np.uint64(name) | (key & _LENGTH) << np.uint64(32) | most << np.uint64(40)


@fused
def read_tail(tail: Tail, query: Query, at: int, found: NDArray[np.uint64]) -> tuple[int, int]:
    """Find candidates among the newest entries from `at` on, until there is a block of them.

    Returns:
        How many were found, and where to go on.
    """
    count, end, first = whole(0), whole(tail.used[0]), query.unknown
    place = Place(query.text.rest[first], query.m - first, query.longest[first])
    if place.longest == 0:
        return count, end

    while at < end and count <= BLOCK:
        size = min(end - at, BLOCK)
        fitting = _alike(tail.signatures, tail.keys, at, size, query, place)
        while fitting:
            number = np.uint64(at + lowest_bit(fitting))
            fitting &= fitting - ONE
            key, theirs = np.uint64(tail.keys[number]), tail.signatures[number]
            if _in_prefix(query, place, key) and _similar(query, place, key, theirs):
                found[count] = _candidate(place, key, theirs, tail.names[number])
                count += 1

        at += size

    return count, at


@fused
def read_spans(
    lists: Lists, query: Query, spans: Spans, bounds: tuple[int, int], reading: Reading
) -> tuple[int, int]:
    """Find candidates in the spans that `bounds` names, until there is a block that fit.

    What is left of the span where that is so is left there.

    Returns:
        How many were found, and at which span to go on.
    """
    count, (at, end) = whole(0), bounds
    while at < end and count <= BLOCK:
        span = spans.rows[at]
        while span[START] < span[END] and count <= BLOCK:
            fetch_next(lists, spans, end)
            count = _read_block(lists, query, span, reading.postings, count)

        at += span[START] >= span[END]

    return _settle(lists, query, reading, count), at


@inlined
def _read_block(
    lists: Lists,
    query: Query,
    span: NDArray[np.int64],
    postings: NDArray[np.int64],
    count: int,
) -> int:
    """Note those of a span's next postings whose signature may fit; return how many there are."""
    start, place = span[START], _place_of(query, span[PLACE])
    stop = min(span[END], start + BLOCK)
    span[START] = stop
    fitting = _alike(lists.signatures, lists.keys, start, stop - start, query, place)
    while fitting:
        number = start + lowest_bit(fitting)
        fitting &= fitting - ONE
        prefetch(lists.names, number)
        postings[count, 0], postings[count, 1] = number, span[PLACE]
        count += 1

    return count


@fused
def _settle(lists: Lists, query: Query, reading: Reading, count: int) -> int:
    """Make candidates of those postings that fit by their own length and position, too."""
    found = whole(0)
    for number in range(count):
        posting = np.uint64(reading.postings[number, 0])
        place = _place_of(query, reading.postings[number, 1])
        key, theirs = np.uint64(lists.keys[posting]), lists.signatures[posting]
        if _in_prefix(query, place, key) and _similar(query, place, key, theirs):
            reading.found[found] = _candidate(place, key, theirs, lists.names[posting])
            found += 1

    return found

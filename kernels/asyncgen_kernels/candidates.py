"""Which entries may be similar to a text: read from the lists of its prefix, by postings alone.

No entry that is similar is ever left out; most that are not are, by bounds on what can be shared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.bits import popcount, spread, whole
from asyncgen_kernels.compiled import inlined, reader
from asyncgen_kernels.lanes import prefetch
from asyncgen_kernels.measure import SHORT, Bar, fill_row
from asyncgen_kernels.postings import (
    LONG,
    MOST,
    POSTINGS,
    RUNS,
    SHIFT,
    STARTS,
    Lists,
    Tail,
    Text,
    first_of_its_kind,
    list_shift,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MANY = 48  # candidates that had better be looked at before there are more
_LENGTH, _PLACES = np.uint64(255), np.uint64(8)  # the parts of a key


class Query(NamedTuple):
    """A text on its way through the lists.

    Attributes:
        text: Its tokens in the common order.
        m: How many they are.
        required: See `Bar`, whose rows for m these are.
        spare: See `Bar`.
        least: See `Bar`.
        longest: See `Bar`.
    """

    text: Text
    m: int
    required: NDArray[np.int16]
    spare: NDArray[np.int16]
    least: NDArray[np.int16]
    longest: int


class Place(NamedTuple):
    """Where a query's token stands.

    Attributes:
        rest: The signature of the tokens after it.
        left: How many tokens there are from it on.
        longest: The greatest length of which an entry can be similar if this is the first token
            that the two share.
    """

    rest: np.uint64
    left: int
    longest: int


@reader
def query_of(bar: Bar, text: Text, m: int, room: NDArray[np.int16]) -> Query:
    """The query of a text; `room` is for the rows of one that is not in the tables."""
    if m < SHORT:
        return Query(text, m, bar.required[m], bar.spare[m], bar.least[m], whole(bar.longest[m]))

    longest = fill_row(bar.threshold, m, room[0], room[1], room[2])
    return Query(text, m, room[0], room[1], room[2], longest)


@inlined
def _similar(query: Query, place: Place, key: np.uint64, theirs: np.uint64) -> bool:
    """Whether the entry of a posting may be similar: no if too many tokens lack a partner.

    Each bit of one text's signature that the other's lacks is at least one such token.
    """
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
def _candidate(place: Place, key: np.uint64, theirs: np.uint64, entry: np.uint32) -> np.uint64:
    """The entry, its length as in the key, and the most that it shares if this comes first."""
    n = whole(key & _LENGTH)
    mine_left = place.left - popcount(place.rest & ~theirs)
    theirs_left = n - whole(key >> _PLACES) - popcount(theirs & ~place.rest)
    most = np.uint64(mine_left if n == MOST else min(mine_left, theirs_left))
    return np.uint64(entry) | (key & _LENGTH) << np.uint64(32) | most << np.uint64(40)


@reader
def _read_chain(
    tail: Tail, posting: int, query: Query, place: Place, found: NDArray[np.uint64]
) -> int:
    count = 0
    while posting >= 0:
        key = np.uint64(tail.keys[posting])
        if _in_prefix(query, place, key) and _similar(query, place, key, tail.signatures[posting]):
            if count < found.size:
                found[count] = _candidate(
                    place, key, tail.signatures[posting], tail.entries[posting]
                )

            count += 1

        posting = whole(tail.following[posting])

    return count


@reader
def _read_list(
    lists: Lists,
    bounds: tuple[int, int],
    query: Query,
    place: Place,
    found: NDArray[np.uint64],
) -> int:
    """Read a list that is not LONG, up to where positions are too far back for any length."""
    count = 0
    for number in range(bounds[0], bounds[1]):
        posting = np.uint64(number)
        key = np.uint64(lists.keys[posting])
        least = whole(query.least[key >> _PLACES])
        if least > place.longest:
            break

        fits = (whole(key & _LENGTH) >= least) & (whole(key & _LENGTH) <= place.longest)
        if fits and _similar(query, place, key, lists.signatures[posting]):
            if count < found.size:
                found[count] = _candidate(
                    place, key, lists.signatures[posting], lists.entries[posting]
                )

            count += 1

    return count


@reader
def _read_long(
    lists: Lists,
    bounds: tuple[int, int, int],
    query: Query,
    place: Place,
    found: NDArray[np.uint64],
) -> int:
    """Read a LONG list: of each position the lengths for which it is within the prefix.

    `bounds` are where the list begins, where the segment's postings do, and its tables.
    """
    count = 0
    start, base, tables = bounds
    table = tables + whole(lists.entries[start])
    first, last = whole(lists.runs[table]), whole(lists.runs[table + 1])
    table += 2 - first
    while last >= first and whole(query.least[last]) > place.longest:
        last -= 1

    for position in range(first, last + 1):
        number = base + whole(lists.runs[table + position])
        prefetch(lists.keys, number)
        prefetch(lists.signatures, number)

    for position in range(first, last + 1):
        least = whole(query.least[position])
        number = base + whole(lists.runs[table + position])
        end = base + whole(lists.runs[table + position + 1])
        number = _skip(lists.keys, number, end, (position << 8) + least)
        beyond = (position << 8) + place.longest
        while number < end:
            posting = np.uint64(number)
            key = np.uint64(lists.keys[posting])
            if whole(key) > beyond:
                break

            if _similar(query, place, key, lists.signatures[posting]):
                if count < found.size:
                    found[count] = _candidate(
                        place, key, lists.signatures[posting], lists.entries[posting]
                    )

                count += 1

            number += 1

    return count


@inlined
def _skip(keys: NDArray[np.uint16], start: int, end: int, key: int) -> int:
    """The first of the postings from start to end whose key is not below this one."""
    while end - start > 8:
        middle = (start + end) >> 1
        below = whole(keys[np.uint64(middle)]) < key
        start, end = (middle + 1, end) if below else (start, middle)

    while start < end and whole(keys[np.uint64(start)]) < key:
        start += 1

    return start


@reader
def _fetch_lists(lists: Lists, query: Query) -> None:
    """Have all that `gather` will read first fetched into the cache at the same time."""
    segments = lists.segments
    places = query.m // 2 + 2 if query.m > 3 else query.m
    for step in range(2):
        for segment in range(segments.shape[0] - 1):
            first, shift = segments[segment, STARTS], np.uint64(segments[segment, SHIFT])
            base = segments[segment, POSTINGS]
            for at in range(places):
                number = first + whole(spread(query.text.tokens[at], shift))
                if step == 0:
                    prefetch(lists.starts, number)
                else:
                    start = base + whole(lists.starts[number])
                    prefetch(lists.keys, start)
                    prefetch(lists.signatures, start)
                    prefetch(lists.entries, start)


@reader
def _read_all(
    lists: Lists, tail: Tail, token: int, query: Query, place: Place, found: NDArray[np.uint64]
) -> int:
    """Read the lists of a token, one in the tail and one in each segment."""
    count, segments = 0, lists.segments
    head = whole(tail.heads[spread(token, list_shift(tail.heads.size))])
    if head >= 0:
        count = _read_chain(tail, head, query, place, found)

    for segment in range(segments.shape[0] - 1):
        shift, base = np.uint64(segments[segment, SHIFT]), segments[segment, POSTINGS]
        number = segments[segment, STARTS] + whole(spread(token, shift))
        start = base + whole(lists.starts[number])
        end = base + whole(lists.starts[number + 1])
        room = found[min(count, found.size) :]
        if end - start >= LONG:
            bounds = (start, base, segments[segment, RUNS])
            count += _read_long(lists, bounds, query, place, room)
        elif end > start:
            count += _read_list(lists, (start, end), query, place, room)

    return count


@reader
def gather(
    lists: Lists, tail: Tail, query: Query, found: NDArray[np.uint64], first: int
) -> tuple[int, int]:
    """Write the candidates that share the token at place `first` or one after it.

    Stops when there are many. An entry that is similar has, where it is found by the first token
    that it shares with the query, a bound that holds; it may be found again by others.

    Returns:
        How many there are, of which as many as there is room for were written; and the place
        from where to go on, m at the end.
    """
    count, longest = 0, query.longest
    if first == 0:
        _fetch_lists(lists, query)

    for at in range(first, query.m):
        if count >= _MANY:
            return count, at

        left = query.m - at
        while longest > 0 and (query.spare[longest] < 0 or query.required[longest] > left):
            longest -= 1

        if longest == 0:
            break

        token = query.text.tokens[at]
        if token >= 0 and first_of_its_kind(query.text, at):
            place = Place(query.text.rest[at + 1], left, longest)
            room = found[min(count, found.size) :]
            count += _read_all(lists, tail, token, query, place, room)

    return count, query.m

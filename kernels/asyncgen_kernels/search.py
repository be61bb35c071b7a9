"""Which entries are similar to a text: the index's search, and its admission of new texts.

Gather candidates from the lists of the query's prefix, by bounds that never lose one; then
compare each by its LCS. Nothing here allocates for a query unless it finds more than ever before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.bits import popcount, spread
from asyncgen_kernels.compiled import compiled, inlined, part
from asyncgen_kernels.lookup import Lookup, lcs_with, learn_query, lookup_for
from asyncgen_kernels.measure import SHORT, Bar, measured, required
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
    append_to_tail,
    first_of_its_kind,
    list_shift,
    longest_of,
    prefix_length,
    sort_text,
    text_for,
    token_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROOM = 1024  # candidates to begin with


class Store(NamedTuple):
    """The entries themselves.

    Attributes:
        tokens: The ids of all entries, one after another, with room for more.
        offsets: Entry e is tokens[offsets[e] : offsets[e + 1]], with room for more.
        size: How many entries there are, shape (1,).
    """

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]
    size: NDArray[np.int64]


class Decisions(NamedTuple):
    """What became of some texts; arrays of shape (texts,).

    Attributes:
        nearest: The most similar of the entries too similar, the oldest of equals; -1 for none.
        score: Its score; 0.0 for none.
        entry: Where the text stands now; -1 when it was rejected.
    """

    nearest: NDArray[np.int64]
    score: NDArray[np.float64]
    entry: NDArray[np.int64]


class Query(NamedTuple):
    """A text on its way through the lists.

    Attributes:
        sorted: Its tokens in the common order, as in `Text`, with room for more.
        rest: As in `Text`, with room for more.
        size: The number m of its tokens.
        need: The required LCS for each length, shape (SHORT,); at MOST the least of all lengths
            beyond, which is right for bounds.
        limits: The greatest key of a posting in the prefix for each length, -1 for a length that
            cannot be similar, shape (SHORT,).
        longest: The greatest length that can be similar, at most MOST; 0 for none.
    """

    sorted: NDArray[np.int64]
    rest: NDArray[np.uint64]
    size: int
    need: NDArray[np.int64]
    limits: NDArray[np.int64]
    longest: int


@part
def _query(bar: Bar, text: Text, m: int, rows: tuple[NDArray[np.int64], NDArray[np.int64]]) -> Query:
    """Find what each length must share; `rows` is room for `need` and `limits`."""
    need, limits = rows
    longest = 0
    if m < SHORT:
        for n in range(1, SHORT):
            spare = np.int64(bar.spare[m, n])
            need[n] = np.int64(bar.required[m, n])
            limits[n] = (n << 8) + spare if spare >= 0 else -1
            if spare >= 0:
                longest = n
            elif longest:
                break
    else:
        for n in range(SHORT):
            limits[n] = -1

        low = _shortest(bar, m)
        for n in range(low, SHORT):
            need[n] = required(bar, m, n)
            limits[n] = (n << 8) + n - need[n]

        need[MOST] = required(bar, m, max(MOST, low))
        longest = MOST if low <= m else 0

    if longest == MOST:
        limits[MOST] = (MOST << 8) + MOST

    return Query(text.sorted, text.rest, m, need, limits, longest)


@part
def _shortest(bar: Bar, m: int) -> int:
    """The least n with required(m, n) <= n; m + 1 where there is none."""
    low, high = 1, m + 1
    while low < high:
        middle = (low + high) // 2
        if required(bar, m, middle) <= middle:
            high = middle
        else:
            low = middle + 1

    return low


@inlined
def _unlike(mine: np.uint64, theirs: np.uint64, spare: int, slack: int) -> bool:
    """Whether too many tokens lack a partner: each bit that only one has is one of them.

    `spare` of the query's tokens may do without, and `slack` of the entry's.
    """
    return (popcount(mine & ~theirs) > spare) | (popcount(theirs & ~mine) > slack)


_ANY = 64  # more than a signature has bits: of an entry of unknown length anything may be spared


@inlined
def _read_chain(
    tail: Tail, posting: int, query: Query, place: int, longest: int, found: NDArray[np.uint32], count: int
) -> int:
    mine, keep = query.rest[place + 1], query.size - place
    while posting >= 0:
        key = np.int64(tail.keys[posting])
        n = key >> 8
        slack = query.limits[n] - key
        if slack >= 0 and n <= longest:
            if not _unlike(mine, tail.signatures[posting], keep - query.need[n], slack + (_ANY if n == MOST else 0)):
                if count < found.size:
                    found[count] = tail.entries[posting]
                count += 1

        posting = tail.following[posting]

    return count


@inlined
def _read_list(
    lists: Lists, start: int, end: int, query: Query, place: int, longest: int, found: NDArray[np.uint32], count: int
) -> int:
    """Read a list that is not LONG."""
    mine, keep = query.rest[place + 1], query.size - place
    for posting in range(start, end):
        key = np.int64(lists.keys[np.uint64(posting)])
        n = key >> 8
        slack = query.limits[np.uint64(n)] - key
        if slack >= 0 and n <= longest:
            if not _unlike(mine, lists.signatures[np.uint64(posting)], keep - query.need[n], slack + (_ANY if n == MOST else 0)):
                if count < found.size:
                    found[count] = lists.entries[np.uint64(posting)]
                count += 1

    return count


@inlined
def _read_long(
    lists: Lists, start: int, base: int, table: int, query: Query, place: int, longest: int, found: NDArray[np.uint32], count: int
) -> int:
    """Read a LONG list by its table of lengths, of each length the places within the prefix."""
    mine, keep = query.rest[place + 1], query.size - place
    table += np.int64(lists.entries[start])
    least, most = np.int64(lists.runs[table]), np.int64(lists.runs[table + 1])
    table += 2 - least
    for n in range(least, min(longest, most) + 1):
        limit, spare = query.limits[n], keep - query.need[n]
        if limit < 0:
            continue

        slack = limit + (_ANY if n == MOST else 0)
        for posting in range(base + np.int64(lists.runs[table + n]), base + np.int64(lists.runs[table + n + 1])):
            key = np.int64(lists.keys[np.uint64(posting)])
            if key > limit:
                break

            if not _unlike(mine, lists.signatures[np.uint64(posting)], spare, slack - key):
                if count < found.size:
                    found[count] = lists.entries[np.uint64(posting)]
                count += 1

    return count


@part
def _gather(lists: Lists, tail: Tail, query: Query, found: NDArray[np.uint32]) -> int:
    """Write the candidates, some perhaps twice, as far as there is room; return their number."""
    count, longest = 0, query.longest
    tail_shift = list_shift(tail.heads.size)
    segments = lists.segments
    for place in range(query.size):
        while longest > 0 and (query.limits[longest] < 0 or query.need[longest] > query.size - place):
            longest = longest - 1 if query.limits[longest] >= 0 else 0

        if longest == 0:
            break

        token = token_of(query.sorted[place])
        if token < 0 or not first_of_its_kind(query.sorted, place):
            continue

        head = np.int64(tail.heads[spread(token, tail_shift)])
        if head >= 0:
            count = _read_chain(tail, head, query, place, longest, found, count)

        for segment in range(segments.shape[0] - 1):
            at = segments[segment, STARTS] + np.int64(
                spread(token, np.uint64(segments[segment, SHIFT]))
            )
            base = segments[segment, POSTINGS]
            start, end = base + np.int64(lists.starts[at]), base + np.int64(lists.starts[at + 1])
            if end - start >= LONG:
                table = segments[segment, RUNS]
                count = _read_long(lists, start, base, table, query, place, longest, found, count)
            else:
                count = _read_list(lists, start, end, query, place, longest, found, count)

    return count


@part
def _nearest(
    store: Store, bar: Bar, lookup: Lookup, m: int, found: NDArray[np.uint32]
) -> tuple[int, float]:
    """The best of the candidates that are too similar, the oldest of equals; -1 and 0.0."""
    best, best_score = -1, 0.0
    for place in range(found.size):
        entry = np.int64(found[place])
        start, end = store.offsets[entry], store.offsets[entry + 1]
        lcs = lcs_with(lookup, store.tokens, start, end)
        if lcs < required(bar, m, end - start):
            continue

        score = measured(lcs, m, end - start)
        if score > best_score or (score == best_score and entry < best):
            best, best_score = entry, score

    return best, best_score


@part
def _append(store: Store, tail: Tail, bar: Bar, text: Text, tokens: NDArray[np.int32]) -> int:
    entry = store.size[0]
    start = store.offsets[entry]
    for position in range(tokens.size):  # a slice would take two seconds to compile
        store.tokens[start + position] = tokens[position]

    store.offsets[entry + 1] = start + tokens.size
    append_to_tail(tail, text, entry, prefix_length(bar, tokens.size))
    store.size[0] = entry + 1  # last: until now no view shows the entry
    return entry


@compiled
def decide(
    texts: tuple[NDArray[np.int32], NDArray[np.int64]],
    index: tuple[Bar, NDArray[np.int32], Lists, Tail],
    store: Store,
    append: bool,
    decisions: Decisions,
) -> None:
    """Decide on texts one after the other, each compared with those admitted before it, too.

    Args:
        texts: Tokens, -1 standing for an unknown one, and the offsets of the texts.
        index: The bar, the ranks of the tokens, and the postings of all entries; the tail and
            the store with room for all the texts.
        store: The entries.
        append: Whether to append those that are novel.
        decisions: Written.
    """
    tokens, offsets = texts
    bar, ranks, lists, tail = index
    longest = longest_of(offsets)
    room, small, large = text_for(longest), lookup_for(64), lookup_for(longest)
    rows = (np.empty(SHORT, np.int64), np.empty(SHORT, np.int64))
    found = np.empty(_ROOM, np.uint32)
    for number in range(offsets.size - 1):
        ids = tokens[offsets[number] : offsets[number + 1]]
        text = sort_text(ids, ranks, room)
        query = _query(bar, room, ids.size, rows)
        count = _gather(lists, tail, query, found)
        while count > found.size:
            found = np.empty(2 * count, np.uint32)
            count = _gather(lists, tail, query, found)

        nearest, score = -1, 0.0
        if count:
            lookup = small if ids.size <= 64 else large
            learn_query(lookup, ids)
            nearest, score = _nearest(store, bar, lookup, ids.size, found[:count])

        decisions.nearest[number] = nearest
        decisions.score[number] = score
        decisions.entry[number] = -1
        if nearest < 0 and append:
            decisions.entry[number] = _append(store, tail, bar, text, ids)

"""The index's decisions: gather candidates, compare each by its LCS, append what is novel."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.bits import ONE, whole
from asyncgen_kernels.candidates import gather, query_of
from asyncgen_kernels.compiled import compiled, inlined, reader
from asyncgen_kernels.lanes import prefetch
from asyncgen_kernels.lookup import Lookup, lcs_with, learn_query, lookup_for
from asyncgen_kernels.measure import SHORT, Bar, measured, required
from asyncgen_kernels.postings import (
    MOST,
    Lists,
    Tail,
    Text,
    append_to_tail,
    longest_of,
    prefix_length,
    sort_text,
    text_for,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ENTRY = np.uint64(0xFFFF_FFFF)  # the part of a candidate that names it
_SEEN = 8192  # slots, a power of two
_LINE = 16  # tokens in a line of the cache
_WORD = 64  # tokens whose positions fit a word
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


class Seen(NamedTuple):
    """Which candidates a query has met; one that has its slot taken is forgotten.

    Attributes:
        marks: The query's number and the entry, by the entry's last bits, shape (_SEEN,).
        query: The number of the query, shape (1,).
    """

    marks: NDArray[np.uint64]
    query: NDArray[np.uint64]


@inlined
def _hopeless(candidate: np.uint64, m: int, best: int, best_score: float) -> bool:
    """Whether the candidate cannot be better than the best, nor as good and older."""
    entry = whole(candidate & _ENTRY)
    n = whole(candidate >> np.uint64(32)) & MOST
    most = whole(candidate >> np.uint64(40))
    bound = 1.0 if n == MOST else measured(most, m, n)
    return bound < best_score or (bound == best_score and entry >= best)


@reader
def _nearest(
    store: Store,
    bar: Bar,
    lookup: Lookup,
    m: int,
    candidates: tuple[NDArray[np.uint64], Seen],
    known: tuple[int, float],
) -> tuple[int, float]:
    """The best of the candidates that are too similar and of the one known, -1 and 0.0 for none.

    Of equals it is the oldest. An entry is compared again only when its mark was overwritten.
    """
    found, seen = candidates
    for place in range(found.size):
        prefetch(store.offsets, found[place] & _ENTRY)

    for place in range(found.size):
        start = store.offsets[found[place] & _ENTRY]
        prefetch(store.tokens, start)
        prefetch(store.tokens, start + _LINE)

    best, best_score = known
    for candidate in found:
        mark = seen.query[0] << np.uint64(32) | candidate & _ENTRY
        slot = candidate & np.uint64(_SEEN - 1)
        # One that is hopeless is not marked: its bound may be that of a posting in a list which
        # has several tokens, and the posting of the first token that is shared may allow more.
        if seen.marks[slot] == mark or (best >= 0 and _hopeless(candidate, m, best, best_score)):
            continue

        seen.marks[slot] = mark
        entry = whole(candidate & _ENTRY)
        start, end = store.offsets[entry], store.offsets[entry + 1]
        need = required(bar, m, end - start)
        lcs = lcs_with(lookup, store.tokens, start, end, end - start - need)
        if lcs < need:
            continue

        score = measured(lcs, m, end - start)
        if score > best_score or (score == best_score and entry < best):
            best, best_score = entry, score

    return best, best_score


@reader
def _append(store: Store, tail: Tail, bar: Bar, text: Text, tokens: NDArray[np.int32]) -> int:
    entry = whole(store.size[0])
    start = whole(store.offsets[entry])
    for position in range(tokens.size):  # a slice would take two seconds to compile
        store.tokens[start + position] = tokens[position]

    store.offsets[entry + 1] = start + tokens.size
    append_to_tail(tail, text, entry, tokens.size, prefix_length(bar, tokens.size))
    store.size[0] = entry + 1  # last: until now no view shows the entry
    return entry


@reader
def _decide(
    ids: NDArray[np.int32],
    index: tuple[Bar, NDArray[np.int32], Lists, Tail],
    store: Store,
    number: int,
    append: bool,  # noqa: FBT001 - Numba has no keyword-only arguments
    work: tuple[Decisions, Lookup, Text, NDArray[np.int16], NDArray[np.uint64], Seen],
) -> int:
    """Decide on one text; return 0, or if nothing was decided the room that it takes."""
    bar, ranks, lists, tail = index
    decisions, lookup, text, rows, found, seen = work
    seen.query[0] += ONE
    sort_text(ids, ranks, text)
    query = query_of(bar, text, ids.size, rows)
    # Of one type from the start: a literal would have `gather` and `_nearest` compiled twice.
    nearest, score, place, m = whole(-1), 0.0, whole(0), ids.size
    learned = False
    # What shares nothing before this place has at best all tokens from there on, and no other.
    while place < m and (nearest < 0 or measured(m - place, m, m - place) >= score):
        count, place = gather(lists, tail, query, found, place)
        if count > found.size:
            return count

        if count and not learned:
            learn_query(lookup, ids)
            learned = True

        nearest, score = _nearest(store, bar, lookup, m, (found[:count], seen), (nearest, score))

    decisions.nearest[number] = nearest
    decisions.score[number] = score
    decisions.entry[number] = -1
    if nearest < 0 and append:
        decisions.entry[number] = _append(store, tail, bar, text, ids)

    return 0


@compiled
def decide(
    texts: tuple[NDArray[np.int32], NDArray[np.int64]],
    index: tuple[Bar, NDArray[np.int32], Lists, Tail],
    store: Store,
    append: bool,  # noqa: FBT001 - Numba has no keyword-only arguments
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
    longest = longest_of(offsets)
    word = lookup_for(whole(_WORD))
    text, rows = text_for(longest), np.empty((3, SHORT), np.int16)
    found = np.empty(_ROOM, np.uint64)
    seen = Seen(np.zeros(_SEEN, np.uint64), np.zeros(1, np.uint64))
    number = whole(0)
    while number < offsets.size - 1:
        ids = tokens[offsets[number] : offsets[number + 1]]
        lookup = word if ids.size <= _WORD else lookup_for(whole(ids.size))
        work = (decisions, lookup, text, rows, found, seen)
        room = _decide(ids, index, store, number, append, work)
        if room:
            found = np.empty(2 * room, np.uint64)
        else:
            number += 1

"""Candidates compared with a query: by wide signatures where they are long, then by their LCS."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.bits import whole
from asyncgen_kernels.compiled import fused, inlined
from asyncgen_kernels.lookup import Lookup, lcs_with, learn_query
from asyncgen_kernels.measure import measured, required
from asyncgen_kernels.postings import MOST
from asyncgen_kernels.vectors import prefetch
from asyncgen_kernels.wide import (
    LONG_TEXT,
    WORDS,
    Signed,
    Wide,
    most_shared,
    nothing_signed,
    units_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.measure import Bar
    from asyncgen_kernels.plan import Query

_NAME = np.uint64(0xFFFF_FFFF)  # the part of a candidate that names it
_LENGTH, _MOST = np.uint64(32), np.uint64(40)  # where the others begin
_SEEN = 8192  # slots, a power of two
_LINE = 16  # tokens in a line of the cache


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


class Known(NamedTuple):
    """What was found out about a query; good for many.

    Attributes:
        signed: Its number, and its wide signatures.
        learned: Of which query the lookup is, shape (1,).
        seen: The query's number and an entry that was compared, by the entry's last bits, shape
            (_SEEN,). One that has its slot taken is forgotten.
    """

    signed: Signed
    learned: NDArray[np.uint64]
    seen: NDArray[np.uint64]


def nothing_known() -> Known:
    """What is known before the first query."""
    return Known(nothing_signed(), np.zeros(1, np.uint64), np.zeros(_SEEN, np.uint64))


@fused
def nearest_of(
    entries: tuple[Store, Wide],
    bar: Bar,
    query: Query,
    work: tuple[Lookup, Known],
    found: NDArray[np.uint64],
    known_best: tuple[int, float],
) -> tuple[int, float]:
    """The best of the candidates that are too similar and of the one known, -1 and 0.0 for none.

    Of equals it is the oldest. An entry is compared again only when it was forgotten.
    """
    store, _ = entries
    lookup, known = work
    best, score = known_best
    count = _sift(entries, query, known, found, known_best)
    if count and known.learned[0] != known.signed.query[0]:
        known.learned[0] = known.signed.query[0]
        learn_query(lookup, query.tokens)

    for place in range(count):
        start = store.offsets[found[place] & _NAME]
        prefetch(store.tokens, start)
        prefetch(store.tokens, start + _LINE)

    for place in range(count):
        candidate = found[place]
        entry = whole(candidate & _NAME)
        # One that is hopeless is not marked: its bound may be that of a posting in a list which
        # has several tokens, and the posting of the first token that is shared may allow more.
        if _is_seen(known, entry) or _hopeless(candidate, query.m, (best, score)):
            continue

        known.seen[entry & (_SEEN - 1)] = _mark(known, entry)
        start, end = store.offsets[entry], store.offsets[entry + 1]
        need = required(bar, query.m, end - start)
        lcs = lcs_with(lookup, store.tokens, start, end, end - start - need)
        if lcs < need:
            continue

        found_score = measured(lcs, query.m, end - start)
        if found_score > score or (found_score == score and entry < best):
            best, score = entry, found_score

    return best, score


@fused
def _sift(
    entries: tuple[Store, Wide],
    query: Query,
    known: Known,
    found: NDArray[np.uint64],
    best: tuple[int, float],
) -> int:
    """Put those candidates first that may be better than the best; return how many they are.

    They go by the numbers of their entries from here on.
    """
    store, wide = entries
    kept = whole(0)
    for number in range(_tell_apart(entries, query, known, found)):
        candidate = found[number]
        name = candidate & _NAME
        entry = np.uint64(wide.owners[name]) if _length(candidate) >= LONG_TEXT else name
        candidate ^= name ^ entry
        if not (_is_seen(known, whole(entry)) or _hopeless(candidate, query.m, best)):
            prefetch(store.offsets, entry)
            found[kept] = candidate
            kept += 1

    return kept


@fused
def _tell_apart(
    entries: tuple[Store, Wide], query: Query, known: Known, found: NDArray[np.uint64]
) -> int:
    """Put those candidates first whose wide signatures fit, or that have none; return how many.

    What is read next of each is on its way then.
    """
    store, wide = entries
    for candidate in found:
        name, n = candidate & _NAME, _length(candidate)
        if n < LONG_TEXT:
            prefetch(store.offsets, name)
        else:
            first = np.uint64(WORDS) * name
            prefetch(wide.words, first)
            prefetch(wide.words, first + np.uint64(WORDS * units_of(n) - 1))

    kept = whole(0)
    for candidate in found:
        name, n = candidate & _NAME, _length(candidate)
        most = whole(candidate >> _MOST)
        if n >= LONG_TEXT:
            most = min(most, most_shared(wide, query, known.signed, whole(name), n))
            if most == 0:
                continue

            prefetch(wide.owners, name)

        found[kept] = name | np.uint64(n) << _LENGTH | np.uint64(most) << _MOST
        kept += 1

    return kept


@inlined
def _length(candidate: np.uint64) -> int:
    return whole(candidate >> _LENGTH) & MOST


@inlined
def _mark(known: Known, entry: int) -> np.uint64:
    mark: np.uint64 = known.signed.query[0] << np.uint64(32) | np.uint64(entry)
    return mark


@inlined
def _is_seen(known: Known, entry: int) -> bool:
    return bool(known.seen[entry & (_SEEN - 1)] == _mark(known, entry))


@inlined
def _hopeless(candidate: np.uint64, m: int, best: tuple[int, float]) -> bool:
    """Whether the candidate cannot be better than the best, nor as good and older."""
    entry, n = whole(candidate & _NAME), _length(candidate)
    bound = 1.0 if n == MOST else measured(whole(candidate >> _MOST), m, n)
    return best[0] >= 0 and (bound < best[1] or (bound == best[1] and entry >= best[0]))

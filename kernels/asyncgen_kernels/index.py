"""The index of a pool: which entries are too similar to a text, found without looking at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from asyncgen_kernels.entries import Entries, EntriesView, roomy
from asyncgen_kernels.measure import bar_of
from asyncgen_kernels.postings import (
    COLUMNS,
    ENTRIES,
    POSTINGS,
    RUNS,
    SHIFT,
    STARTS,
    Lists,
    Tail,
    chain,
)
from asyncgen_kernels.search import Decisions, decide
from asyncgen_kernels.segments import build, rank_tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.segments import Segment
    from asyncgen_kernels.text import Encoded

_TAIL = 2048  # entries that are kept in chains
_CHAINS = 8192
_FEWEST_LISTS = 1024
_MOST_POSTINGS = 2**32 - 1
_MOST_CHAINED = 2**31 - 1

_Number = TypeVar("_Number", bound=np.generic)


class Index:
    """Entries, and postings of all of them: exact decisions at one threshold.

    The newest entries are in a tail of chains; when it is full they become a segment of sorted
    lists. Segments are merged so that each is larger than all after it together (as the digits
    of a binary counter, and as in a log-structured merge tree), so there are few; whenever the
    entries have doubled, all become one, with tokens ranked anew. Decisions do not depend on any
    of this.

    Args:
        threshold: Reject above this score, in (0, 1].

    Raises:
        ValueError: When the threshold is outside (0, 1].
    """

    def __init__(self, threshold: float) -> None:
        self._bar = bar_of(threshold)
        self._entries = Entries()
        self._ranks = np.empty(0, np.int32)
        self._fitted = 0  # entries when the tokens were ranked
        self._indexed = 0  # entries in segments
        self._chained = 0  # entries in segments or in the tail
        self._lists = _no_lists()
        self._tail = _empty_tail()

    @property
    def threshold(self) -> float:
        """Reject above this score."""
        return self._bar.threshold

    def view(self) -> EntriesView:
        """The entries up to now."""
        return self._entries.view()

    def search(self, texts: Encoded) -> Decisions:
        """What would become of each text alone; appends nothing."""
        return self._decide(texts, append=False)

    def admit(self, texts: Encoded) -> Decisions:
        """Append those texts that are novel, one after the other; `settle` after it.

        Raises:
            OverflowError: When the entries outgrow 32 bits; nothing is appended.
        """
        self._tail = _tail_with_room(self._tail, texts.tokens.size)
        return self._decide(texts, append=True)

    def append(self, texts: Encoded) -> None:
        """Append texts, however similar; nothing is found in them until `settle`.

        Raises:
            OverflowError: When the entries outgrow 32 bits; nothing is appended.
        """
        self._entries.extend(texts)

    def settle(self, vocabulary: int) -> None:
        """Index what was appended, and make a segment of the tail when it is full.

        Args:
            vocabulary: The number of tokens an id may name.

        Raises:
            OverflowError: When the postings of a segment outgrow 32 bits.
        """
        count = len(self._entries)
        if count - self._indexed >= _TAIL:
            self._make_segment(count, vocabulary)
        elif count > self._chained:
            tokens, offsets = self._entries.view()
            bounds = offsets[self._chained :]
            self._tail = _tail_with_room(self._tail, int(bounds[-1] - bounds[0]))
            chain(tokens, bounds, self._chained, (self._bar, self._ranks), self._tail)

        self._chained = count

    def _decide(self, texts: Encoded, *, append: bool) -> Decisions:
        count = texts.offsets.size - 1
        decisions = Decisions(
            np.empty(count, np.int64), np.empty(count, np.float64), np.empty(count, np.int64)
        )
        store = self._entries.room_for(texts) if append else self._entries.store
        index = (self._bar, self._ranks, self._lists, self._tail)
        decide((texts.tokens, texts.offsets), index, store, append, decisions)
        self._chained = len(self._entries)
        return decisions

    def _make_segment(self, count: int, vocabulary: int) -> None:
        segments = self._lists.segments
        kept = len(segments) - 1
        if count >= 2 * self._fitted:
            self._ranks = rank_tokens(self._entries.view().tokens, vocabulary)
            self._fitted, kept = count, 0

        first = self._indexed if kept else 0
        while kept and segments[kept - 1, ENTRIES] <= count - first:
            kept -= 1
            first -= int(segments[kept, ENTRIES])

        if kept == 0:
            self._lists = _no_lists()  # before the new one is built: memory

        self._lists = _with_segment(self._lists, kept, *self._build(first, count))
        self._tail = _empty_tail()
        self._indexed = count

    def _build(self, first: int, count: int) -> tuple[Segment, int]:
        tokens, offsets = self._entries.view()
        lists = max(_FEWEST_LISTS, 1 << (count - first - 1).bit_length())
        if int(offsets[count] - offsets[first]) + lists > _MOST_POSTINGS:
            raise OverflowError(f"an index holds at most {_MOST_POSTINGS} tokens")

        bounds = offsets[first : count + 1]
        return build(tokens, bounds, first, (self._bar, self._ranks), lists), count - first

    @property
    def nbytes(self) -> int:
        """Bytes reserved by all arrays, the room for growth included."""
        arrays = (self._ranks, *self._lists, *self._tail)
        return self._entries.nbytes + sum(array.nbytes for array in arrays)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return (
            f"<Index threshold={self.threshold} entries={len(self)}"
            f" segments={self._lists.segments[:-1, ENTRIES].tolist()}>"
        )


def _no_lists() -> Lists:
    words = np.empty(0, np.uint32)
    return Lists(
        np.zeros((1, COLUMNS), np.int64),
        words,
        words,
        np.empty(0, np.uint64),
        words,
        np.empty(0, np.uint16),
    )


def _with_segment(lists: Lists, kept: int, segment: Segment, entries: int) -> Lists:
    """The first `kept` segments and a new one, in the same arrays where there is room."""
    here = lists.segments[kept].copy()
    end = here.copy()
    here[SHIFT], here[ENTRIES] = 65 - (segment.starts.size - 1).bit_length(), entries
    end[STARTS] += segment.starts.size
    end[RUNS] += segment.runs.size
    end[POSTINGS] += segment.keys.size
    return Lists(
        np.vstack((lists.segments[:kept], here, end)),
        _put(lists.starts, int(here[STARTS]), segment.starts),
        _put(lists.runs, int(here[RUNS]), segment.runs),
        _put(lists.signatures, int(here[POSTINGS]), segment.signatures),
        _put(lists.entries, int(here[POSTINGS]), segment.entries),
        _put(lists.keys, int(here[POSTINGS]), segment.keys),
    )


def _put(array: NDArray[_Number], at: int, values: NDArray[_Number]) -> NDArray[_Number]:
    """The array with the values from there on; the values themselves where nothing is before."""
    if at == 0:
        return values

    array = roomy(array, at, at + values.size)
    array[at : at + values.size] = values
    return array


def _empty_tail() -> Tail:
    nothing = np.empty(0, np.int32)
    return Tail(
        np.full(_CHAINS, -1, np.int32),
        np.zeros(1, np.int64),
        nothing,
        np.empty(0, np.uint64),
        np.empty(0, np.uint32),
        np.empty(0, np.uint16),
    )


def _tail_with_room(tail: Tail, postings: int) -> Tail:
    """The tail with room for so many more.

    Raises:
        OverflowError: When its postings outgrow 32 bits.
    """
    used = int(tail.used[0])
    if used + postings > _MOST_CHAINED:
        raise OverflowError(f"at most {_MOST_CHAINED} tokens can be admitted at a time")

    return Tail(
        tail.heads,
        tail.used,
        *(roomy(array, used, used + postings) for array in tail[2:]),
    )

"""The index of a pool: which entries are too similar to a text, found without looking at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from asyncgen_kernels.segments import (
    Loose,
    Segment,
    arrange,
    list_starts,
    rank_tokens,
    scatter,
    write_tables,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.text import Encoded

_TAIL = 2048  # entries that are kept in chains
_CHAINS = 16_384
_FEWEST_LISTS = 1024
_MOST_POSTINGS = 2**32 - 1
_MOST_CHAINED = 2**31 - 1
_NO_TABLES = np.empty(0, np.uint32)


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
        decisions = self._decide(texts, append=True)
        self._chained = len(self._entries)
        return decisions

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
        return decisions

    def _make_segment(self, count: int, vocabulary: int) -> None:
        """Put all that is not in a segment into one, with those that it is too large beside."""
        segments = self._lists.segments[:-1, ENTRIES].tolist()
        ranks, fitted = self._ranks, self._fitted
        if count >= 2 * fitted:
            ranks, fitted, segments = rank_tokens(self.view().tokens, vocabulary), count, []

        kept, first = _kept(segments, count)
        # Nothing of the index changes before all of it is there: it may not fit into memory.
        self._lists = self._with_segment(kept, first, count, ranks)
        self._ranks, self._fitted = ranks, fitted
        self._tail = _emptied(self._tail)
        self._indexed = count

    def _with_segment(self, kept: int, first: int, end: int, ranks: NDArray[np.int32]) -> Lists:
        """The first `kept` segments, and one of the entries from `first` to `end`."""
        tokens, offsets = self._entries.view()
        bounds, number = offsets[first : end + 1], _number_of_lists(end - first)
        loose = _loose(int(bounds[-1] - bounds[0]))
        count = scatter(tokens, bounds, first, (self._bar, ranks), number, loose)
        loose = _first(loose, count)
        starts = list_starts(loose.lists, number)
        return _put_together(self._lists, kept, loose, starts, end - first)

    @property
    def nbytes(self) -> int:
        """Bytes that entries and postings take; room for growth, so far untouched, takes none."""
        lists, tail = self._lists, self._tail
        starts, runs, postings = map(int, lists.segments[-1, [STARTS, RUNS, POSTINGS]])
        own = 4 * (starts + runs + self._ranks.size + tail.heads.size)
        return (
            self._entries.nbytes
            + own
            + postings * _itemsize(lists.signatures, lists.entries, lists.keys)
            + int(tail.used[0]) * _itemsize(*tail[2:])
        )

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return (
            f"<Index threshold={self.threshold} entries={len(self)}"
            f" segments={self._lists.segments[:-1, ENTRIES].tolist()}>"
        )


def _itemsize(*arrays: NDArray[np.generic]) -> int:
    return sum(array.itemsize for array in arrays)


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


def _kept(segments: list[int], count: int) -> tuple[int, int]:
    """How many of the segments are each larger than all after it, and where they end."""
    end = 0
    for place, size in enumerate(segments):
        if size <= count - end - size:
            return place, end

        end += size

    return len(segments), end


def _number_of_lists(entries: int) -> int:
    return max(_FEWEST_LISTS, 1 << (entries - 1).bit_length())


def _loose(postings: int) -> Loose:
    """Room for postings.

    Raises:
        OverflowError: When a segment could not number them.
    """
    if postings > _MOST_POSTINGS:
        raise OverflowError(f"an index holds at most {_MOST_POSTINGS} tokens")

    return Loose(
        np.empty(postings, np.uint32),
        np.empty(postings, np.uint64),
        np.empty(postings, np.uint32),
        np.empty(postings, np.uint16),
    )


def _first(loose: Loose, count: int) -> Loose:
    return Loose(
        loose.lists[:count], loose.signatures[:count], loose.entries[:count], loose.keys[:count]
    )


def _put_together(
    lists: Lists, kept: int, loose: Loose, starts: NDArray[np.int64], entries: int
) -> Lists:
    """The first `kept` segments and one of these postings, in the same arrays if there is room.

    All arrays are NumPy's: it asks for huge pages, which a search in large ones needs.
    """
    here, total = lists.segments[kept].copy(), int(starts[-1])
    at = int(here[POSTINGS])
    signatures = roomy(lists.signatures, at, at + total)
    entry_of = roomy(lists.entries, at, at + total)
    keys = roomy(lists.keys, at, at + total)
    new = Segment(signatures[at : at + total], entry_of[at : at + total], keys[at : at + total])
    arrange(loose, starts, new)
    tables = np.empty(write_tables(starts, new, _NO_TABLES), np.uint32)
    write_tables(starts, new, tables)

    here[SHIFT], here[ENTRIES] = 65 - (starts.size - 1).bit_length(), entries
    end = here.copy()
    end[STARTS] += starts.size
    end[RUNS] += tables.size
    end[POSTINGS] += total
    return Lists(
        np.vstack((lists.segments[:kept], here, end)),
        _put(lists.starts, int(here[STARTS]), starts),
        _put(lists.runs, int(here[RUNS]), tables),
        signatures,
        entry_of,
        keys,
    )


def _put(array: NDArray[np.uint32], at: int, values: NDArray[np.integer]) -> NDArray[np.uint32]:
    """The array with the values from there on."""
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


def _emptied(tail: Tail) -> Tail:
    """The same tail without postings: its memory is used again."""
    tail.heads[:] = -1
    tail.used[0] = 0
    return tail


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
        roomy(tail.following, used, used + postings),
        roomy(tail.signatures, used, used + postings),
        roomy(tail.entries, used, used + postings),
        roomy(tail.keys, used, used + postings),
    )

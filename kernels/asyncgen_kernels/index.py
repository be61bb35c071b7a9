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
    SAMPLED,
    SHIFT,
    STARTS,
    Lists,
)
from asyncgen_kernels.search import Decisions, Indexed, Room, decide, room_to_decide
from asyncgen_kernels.segments import (
    Loose,
    Segment,
    arrange,
    list_starts,
    rank_tokens,
    scatter,
    write_tables,
)
from asyncgen_kernels.tail import Tail, fill_tail
from asyncgen_kernels.wide import WORDS, Wide, units_at_most, widen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.text import Encoded

_Number = TypeVar("_Number", bound=np.generic)

_TAIL = 1024  # entries
_FEWEST_LISTS = 1024
_MOST_POSTINGS = 2**32 - 1
_MOST_UNITS = 2**32 - 1
_LONGEST = 4096  # tokens of a text, until there is a longer one
_MANY_QUERIES = 2**31  # a mark of what a query has seen has 32 bits for its number
_VECTOR = 16  # postings that are read behind the last
_NO_TABLES = np.empty(0, np.uint32)


class Index:
    """Entries, and postings of all of them: exact decisions at one threshold.

    The newest entries are in a tail, all of which is looked at; when it is full they become a
    segment of sorted lists. Segments are merged so that each is larger than all after it together
    (as the digits of a binary counter, and as in a log-structured merge tree), so there are few;
    whenever the entries have doubled, all become one, with tokens ranked anew. Decisions do not
    depend on any of this.

    One thread at a time may use it.

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
        self._known = 0  # entries in segments or in the tail
        self._lists = _no_lists()
        self._tail = _empty_tail()
        self._wide = _nothing_wide()
        self._room = room_to_decide(_LONGEST)

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
        self._wide = _wide_with_room(self._wide, texts.tokens.size)
        self._tail = _tail_with_room(self._tail, texts.offsets.size - 1)
        decisions = self._decide(texts, append=True)
        self._known = len(self._entries)
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
        elif count > self._known:
            tokens, offsets = self._entries.view()
            new = offsets[self._known :]
            self._wide = _wide_with_room(self._wide, int(new[-1] - new[0]))
            self._tail = _tail_with_room(self._tail, count - self._known)
            fill_tail(tokens, new, self._known, self._ranks, (self._tail, self._wide))

        self._known = count

    def _decide(self, texts: Encoded, *, append: bool) -> Decisions:
        count = texts.offsets.size - 1
        decisions = Decisions(
            np.empty(count, np.int64), np.empty(count, np.float64), np.empty(count, np.int64)
        )
        store = self._entries.room_for(texts) if append else self._entries.store
        index = Indexed(self._bar, self._ranks, store, self._wide, self._tail, self._lists)
        self._room = _room_for(self._room, texts)

        decide((texts.tokens, texts.offsets), index, self._room, decisions, append=append)
        return decisions

    def _make_segment(self, count: int, vocabulary: int) -> None:
        """Put all that is not in a segment into one, with those that it is too large beside."""
        segments = self._lists.segments[:-1, ENTRIES].tolist()
        ranks, fitted = self._ranks, self._fitted
        if count >= 2 * fitted:
            ranks, fitted, segments = rank_tokens(self.view().tokens, vocabulary), count, []

        kept, first = _kept(segments, count)
        wide = self._widened(count)
        # Nothing of the index changes before all of it is there: it may not fit into memory.
        self._lists = self._with_segment(kept, first, count, ranks, wide)
        self._wide, self._ranks, self._fitted = wide, ranks, fitted
        self._tail.used[0] = 0
        self._indexed = count

    def _widened(self, end: int) -> Wide:
        """The wide signatures with those of the entries up to `end` that have none yet."""
        tokens, offsets = self._entries.view()
        new = offsets[self._known : end + 1]
        wide = _wide_with_room(self._wide, int(new[-1] - new[0]))
        wide = wide._replace(used=wide.used.copy())
        widen(tokens, new, self._known, wide)
        return wide

    def _with_segment(
        self, kept: int, first: int, end: int, ranks: NDArray[np.int32], wide: Wide
    ) -> Lists:
        """The first `kept` segments, and one of the entries from `first` to `end`."""
        tokens, offsets = self._entries.view()
        bounds, number = offsets[first : end + 1], _number_of_lists(end - first)
        loose = _loose(int(bounds[-1] - bounds[0]))
        unit = int(np.searchsorted(wide.owners[: wide.used[0]], first))
        count = scatter(tokens, bounds, (first, unit), (self._bar, ranks), number, loose)
        loose = _first(loose, count)
        starts = list_starts(loose.lists, number)
        return _put_together(self._lists, kept, loose, starts, end - first)

    @property
    def nbytes(self) -> int:
        """Bytes that entries and postings take; room for growth, so far untouched, takes none."""
        lists, tail, wide = self._lists, self._tail, self._wide
        starts, runs, postings = map(int, lists.segments[-1, [STARTS, RUNS, POSTINGS]])
        return (
            self._entries.nbytes
            + _itemsize(lists.starts) * starts
            + _itemsize(lists.runs) * runs
            + _itemsize(lists.signatures, lists.names, lists.keys) * postings
            + _itemsize(lists.samples) * _samples(postings)
            + _itemsize(*tail[1:]) * int(tail.used[0])
            + (_itemsize(wide.owners) + WORDS * _itemsize(wide.words)) * int(wide.used[0])
            + self._ranks.nbytes
        )

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return (
            f"<Index threshold={self.threshold} entries={len(self)}"
            f" segments={self._lists.segments[:-1, ENTRIES].tolist()}>"
        )


def _room_for(room: Room, texts: Encoded) -> Room:
    """Room to decide on the texts: the same if they fit and its queries can still be numbered."""
    longest = room.text.tokens.size
    if texts.tokens.size > longest:  # together, which is quick to tell
        longest = max(longest, int(np.diff(texts.offsets).max()))

    many = room.known.signed.query[0] > _MANY_QUERIES
    return room_to_decide(longest) if many or longest > room.text.tokens.size else room


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
        np.empty(0, np.uint16),
    )


def _samples(postings: int) -> int:
    return -(-postings // SAMPLED)


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
        loose.lists[:count], loose.signatures[:count], loose.names[:count], loose.keys[:count]
    )


def _put_together(
    lists: Lists, kept: int, loose: Loose, starts: NDArray[np.int64], entries: int
) -> Lists:
    """The first `kept` segments and one of these postings, in the same arrays if there is room.

    All arrays are NumPy's: it asks for huge pages, which a search in large ones needs.
    """
    here, total = lists.segments[kept].copy(), int(starts[-1])
    at = int(here[POSTINGS])
    signatures = roomy(lists.signatures, at, at + total + _VECTOR)
    names = roomy(lists.names, at, at + total)
    keys = roomy(lists.keys, at, at + total + _VECTOR)
    new = Segment(signatures[at : at + total], names[at : at + total], keys[at : at + total])
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
        names,
        keys,
        _put(lists.samples, _samples(at), keys[_samples(at) * SAMPLED : at + total : SAMPLED]),
    )


def _put(array: NDArray[_Number], at: int, values: NDArray[np.integer]) -> NDArray[_Number]:
    """The array with the values from there on."""
    array = roomy(array, at, at + values.size)
    array[at : at + values.size] = values
    return array


def _empty_tail() -> Tail:
    return Tail(
        np.zeros(1, np.int64),
        np.empty(0, np.uint64),
        np.empty(0, np.uint16),
        np.empty(0, np.uint32),
    )


def _tail_with_room(tail: Tail, entries: int) -> Tail:
    """The tail with room for so many more."""
    used = int(tail.used[0])
    return Tail(
        tail.used,
        roomy(tail.signatures, used, used + entries + _VECTOR),
        roomy(tail.keys, used, used + entries + _VECTOR),
        roomy(tail.names, used, used + entries),
    )


def _nothing_wide() -> Wide:
    return Wide(np.empty(0, np.uint32), np.empty(0, np.uint64), np.zeros(1, np.int64))


def _wide_with_room(wide: Wide, tokens: int) -> Wide:
    """The signatures with room for those of texts of so many tokens together.

    Raises:
        OverflowError: When the units outgrow 32 bits.
    """
    used = int(wide.used[0])
    units = used + units_at_most(tokens)
    if units > _MOST_UNITS:
        raise OverflowError(f"an index holds at most {_MOST_UNITS} units of wide signatures")

    return Wide(
        roomy(wide.owners, used, units), roomy(wide.words, WORDS * used, WORDS * units), wide.used
    )

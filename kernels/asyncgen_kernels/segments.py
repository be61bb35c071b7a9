"""Building a segment of an index: the postings of many entries at once, sorted into lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.bits import spread, whole
from asyncgen_kernels.compiled import compiled, part
from asyncgen_kernels.ordered import first_of_its_kind, longest_of, sort_text, text_for
from asyncgen_kernels.postings import LONG, key_of, list_shift, prefix_length
from asyncgen_kernels.wide import units_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.measure import Bar


class Segment(NamedTuple):
    """The arrays of one segment; see `asyncgen_kernels.postings.Lists`."""

    signatures: NDArray[np.uint64]
    names: NDArray[np.uint32]
    keys: NDArray[np.uint16]


class Loose(NamedTuple):
    """Postings in the order in which they came, each with the list that it belongs to."""

    lists: NDArray[np.uint32]
    signatures: NDArray[np.uint64]
    names: NDArray[np.uint32]
    keys: NDArray[np.uint16]


def rank_tokens(tokens: NDArray[np.int32], vocabulary: int) -> NDArray[np.int32]:
    """Each token's place when all are sorted by how often they stand in `tokens`, rarest first.

    Among equals the newest comes first. Shape (vocabulary,).
    """
    counts = np.bincount(tokens, minlength=vocabulary)
    order = vocabulary - 1 - np.argsort(counts[::-1], kind="stable")
    ranks = np.empty(vocabulary, np.int32)
    ranks[order] = np.arange(vocabulary, dtype=np.int32)
    return ranks


@compiled
def scatter(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    first: tuple[int, int],
    index: tuple[Bar, NDArray[np.int32]],
    lists: int,
    loose: Loose,
) -> int:
    """Write the postings of the entries that `offsets` bounds; return how many there are.

    `first` are the number of the first entry and that of the next unit; see
    `asyncgen_kernels.wide`.
    """
    bar, ranks = index
    number, unit = first
    shift = list_shift(lists)
    text, count = text_for(longest_of(offsets)), 0
    for entry in range(offsets.size - 1):
        ids = tokens[offsets[entry] : offsets[entry + 1]]
        units = units_of(ids.size)
        name = unit if units else number + entry
        unit += units
        sort_text(ids, ranks, text)
        for place in range(prefix_length(bar, ids.size)):
            if first_of_its_kind(text, place):
                loose.lists[count] = spread(text.tokens[place], shift)
                loose.signatures[count] = text.rest[place + 1]
                loose.names[count] = name
                loose.keys[count] = key_of(ids.size, place)
                count += 1

    return count


@part
def _by_key(keys: NDArray[np.uint16]) -> NDArray[np.uint32]:
    """The order of the postings by key, old before new: by their low bytes, then by the high."""
    order, other = np.empty(keys.size, np.uint32), np.empty(keys.size, np.uint32)
    for posting in range(keys.size):
        order[posting] = posting

    _by_byte(keys, np.uint16(0), order, other)
    _by_byte(keys, np.uint16(8), other, order)
    return order


@part
def _by_byte(
    keys: NDArray[np.uint16],
    shift: np.uint16,
    order: NDArray[np.uint32],
    into: NDArray[np.uint32],
) -> None:
    """Order the postings by a byte of their keys, equal ones as they are: a counting sort."""
    starts = np.zeros(257, np.int64)
    for key in keys:
        starts[(whole(key >> shift) & 255) + 1] += 1

    for value in range(256):
        starts[value + 1] += starts[value]

    for posting in order:
        value = whole(keys[posting] >> shift) & 255
        into[starts[value]] = posting
        starts[value] += 1


@compiled
def list_starts(lists: NDArray[np.uint32], count: int) -> NDArray[np.int64]:
    """Where each list begins, and the end, a place being kept at the head of every LONG one."""
    sizes = np.zeros(count + 1, np.int64)
    for number in lists:
        sizes[whole(number) + 1] += 1

    for number in range(1, count + 1):
        if sizes[number] >= LONG - 1:
            sizes[number] += 1

        sizes[number] += sizes[number - 1]

    return sizes


@part
def _table_of_places(keys: NDArray[np.uint16], start: int, table: NDArray[np.uint32]) -> int:
    """Write the table of a LONG list's positions, as far as there is room; return its size.

    `keys` are those of the list without its head, `start` is where the first of them stands.
    """
    least, most = whole(keys[0]) >> 8, whole(keys[-1]) >> 8
    size = most - least + 4
    if size > table.size:
        return size

    table[0], table[1] = least, most
    posting = 0
    for place in range(least, most + 2):
        while posting < keys.size and whole(keys[posting]) >> 8 < place:
            posting += 1

        table[2 + place - least] = start + posting

    return size


@compiled
def write_tables(starts: NDArray[np.int64], segment: Segment, tables: NDArray[np.uint32]) -> int:
    """Write the tables of the LONG lists, as far as there is room; return the size of all.

    Where a list's table is, is written at its head.
    """
    used = 0
    for number in range(starts.size - 1):
        start, end = starts[number], starts[number + 1]
        if end - start >= LONG:
            segment.names[start] = used
            segment.keys[start] = 0
            segment.signatures[start] = 0
            room = tables[min(used, tables.size) :]
            used += _table_of_places(segment.keys[start + 1 : end], start + 1, room)

    return used


@compiled
def arrange(loose: Loose, starts: NDArray[np.int64], segment: Segment) -> None:
    """Put each posting into its list, sorted by key."""
    ends = np.empty(starts.size - 1, np.int64)
    for number in range(ends.size):
        ends[number] = starts[number]
        if starts[number + 1] - starts[number] >= LONG:
            ends[number] += 1

    for posting in _by_key(loose.keys):
        number = loose.lists[posting]
        at = ends[number]
        ends[number] += 1
        segment.signatures[at] = loose.signatures[posting]
        segment.names[at] = loose.names[posting]
        segment.keys[at] = loose.keys[posting]

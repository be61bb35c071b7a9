"""What a query will read of an index's lists, found out before any of it is read.

Finding a posting takes four steps from memory to memory. Each is taken for all of the query's
tokens before the next, so that the memory, too far away for any cache in a large index, is waited
for four times and not thousands of times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.bits import spread, whole
from asyncgen_kernels.compiled import fused
from asyncgen_kernels.ordered import first_of_its_kind
from asyncgen_kernels.postings import LONG, MOST, POSTINGS, RUNS, SAMPLED, SHIFT, STARTS
from asyncgen_kernels.spans import (
    END,
    MOST_SPANS,
    PLACE,
    POSITION,
    SEVERAL,
    START,
    Spans,
    fetch_beginning,
    fetch_first,
    note,
    room_for_spans,
)
from asyncgen_kernels.vectors import prefetch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.ordered import Text
    from asyncgen_kernels.postings import Lists

_LISTS = 128  # looked up at a time
_ROW = 16  # places of runs in a line of the cache
_START, _END, _PLACE, _BASE, _TABLE = range(5)  # columns of Plan.lists


class Query(NamedTuple):
    """A text on its way through the lists.

    Attributes:
        tokens: Its tokens, shape (m,).
        text: The same in the common order.
        m: How many they are.
        unknown: How many of them, the first, no entry can have.
        shared: How much any entry must share, and how much more for each of its tokens, see
            `shared_by_all` of `asyncgen_kernels.candidates`.
        required: See `Bar`, whose rows for m these are.
        spare: See `Bar`.
        least: See `Bar`.
        longest: For each place the greatest length of which an entry can be similar if this is
            the first token that the two share; shape (m + 1,), 0 from where none can be.
    """

    tokens: NDArray[np.int32]
    text: Text
    m: int
    unknown: int
    shared: tuple[int, int]
    required: NDArray[np.int16]
    spare: NDArray[np.int16]
    least: NDArray[np.int16]
    longest: NDArray[np.int64]


class Plan(NamedTuple):
    """Room for what will be read.

    Attributes:
        lists: Where a list begins and ends, the place of its token in the query, and for a LONG
            one where its table and its segment's postings begin, shape (_LISTS, 5).
        spans: What of them is read.
    """

    lists: NDArray[np.int64]
    spans: Spans


def room_for_plan() -> Plan:
    """Room for a plan."""
    return Plan(np.empty((_LISTS, 5), np.int64), room_for_spans())


@fused
def plan(lists: Lists, query: Query, first: int, room: Plan) -> tuple[int, int]:
    """Note which spans to read for the tokens from place `first` on, as far as there is room.

    Returns:
        How many spans there are, and the place from where to go on.
    """
    picked, after = _pick(lists, query, first, room.lists)
    opened = _open(lists, room.lists, picked)
    spans = whole(0)
    for number in range(opened):
        list_ = room.lists[number]
        if list_[_END] - list_[_START] < LONG:
            spans = note(room.spans, spans, (list_[_START], list_[_END], list_[_PLACE], SEVERAL))
        else:
            spans = _note_runs(lists, query, list_, room.spans, spans)

    for number in range(spans):
        span = room.spans.rows[number]
        _narrow(lists, query, span)
        fetch_beginning(lists, span)

    fetch_first(lists, room.spans, spans)

    return spans, after


@fused
def _pick(lists: Lists, query: Query, first: int, picked: NDArray[np.int64]) -> tuple[int, int]:
    """Note the lists of the tokens: where in `starts` each is, and its segment."""
    count, at, segments = whole(0), first, lists.segments.shape[0] - 1
    positions = min(whole(query.spare[query.longest[first]]), MOST) + 1
    most = min(_LISTS, MOST_SPANS // positions) - segments
    while query.longest[at] > 0 and count <= most:
        token = query.text.tokens[at]
        if token >= 0 and first_of_its_kind(query.text, at):
            for segment in range(segments):
                shift = np.uint64(lists.segments[segment, SHIFT])
                number = lists.segments[segment, STARTS] + whole(spread(token, shift))
                prefetch(lists.starts, number)
                picked[count, _START], picked[count, _END] = number, segment
                picked[count, _PLACE] = at
                count += 1

        at += 1

    return count, at


@fused
def _open(lists: Lists, picked: NDArray[np.int64], count: int) -> int:
    """Find where the lists begin and end, and the tables of LONG ones; drop empty ones."""
    opened = whole(0)
    for number in range(count):
        at, segment, place = picked[number, _START], picked[number, _END], picked[number, _PLACE]
        base = lists.segments[segment, POSTINGS]
        start, end = base + whole(lists.starts[at]), base + whole(lists.starts[at + 1])
        if start == end:
            continue

        picked[opened, _START], picked[opened, _END], picked[opened, _PLACE] = start, end, place
        picked[opened, _BASE], picked[opened, _TABLE] = base, lists.segments[segment, RUNS]
        opened += 1
        if end - start < LONG:
            prefetch(lists.signatures, start)
        else:
            prefetch(lists.names, start)

    for number in range(opened):
        if picked[number, _END] - picked[number, _START] >= LONG:
            picked[number, _TABLE] += whole(lists.names[picked[number, _START]])
            prefetch(lists.runs, picked[number, _TABLE])
            prefetch(lists.runs, picked[number, _TABLE] + _ROW)

    return opened


@fused
def _note_runs(
    lists: Lists, query: Query, list_: NDArray[np.int64], spans: Spans, count: int
) -> int:
    """Note those positions of a LONG list at which an entry of some length can be similar.

    Short ones that are side by side are one span.
    """
    base, table, place = list_[_BASE], list_[_TABLE], list_[_PLACE]
    first, last = whole(lists.runs[table]), whole(lists.runs[table + 1])
    table += 2 - first
    while last >= first and whole(query.least[last]) > query.longest[place]:
        last -= 1

    begin = base + whole(lists.runs[table + first])
    for position in range(first, last + 1):
        start = base + whole(lists.runs[table + position])
        end = base + whole(lists.runs[table + position + 1])
        if end - start >= LONG:
            if begin < start:
                count = note(spans, count, (begin, start, place, SEVERAL))

            count = note(spans, count, (start, end, place, position))
            prefetch(lists.samples, start // SAMPLED)
            prefetch(lists.samples, (end - 1) // SAMPLED)
            begin = end

    end = base + whole(lists.runs[table + last + 1])
    return note(spans, count, (begin, end, place, SEVERAL)) if begin < end else count


@fused
def _narrow(lists: Lists, query: Query, span: NDArray[np.int64]) -> None:
    """Leave out of a long span what the samples show to have other lengths than are similar."""
    if span[POSITION] == SEVERAL:
        return

    key = span[POSITION] << 8
    low, high = key + whole(query.least[span[POSITION]]), key + query.longest[span[PLACE]]
    first = (span[START] + SAMPLED - 1) // SAMPLED
    last = (span[END] - 1) // SAMPLED
    while first <= last and whole(lists.samples[first]) < low:
        first += 1

    while first <= last and whole(lists.samples[last]) > high:
        last -= 1

    span[START] = max(span[START], (first - 1) * SAMPLED)
    span[END] = min(span[END], (last + 1) * SAMPLED)

"""The index's decisions: find candidates, compare them, append what is novel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asyncgen_kernels.bits import ONE, whole
from asyncgen_kernels.candidates import (
    Reading,
    query_of,
    read_spans,
    read_tail,
    room_for_reading,
)
from asyncgen_kernels.comparing import Known, Store, nearest_of, nothing_known
from asyncgen_kernels.compiled import compiled_reader, in_python, inlined, reader
from asyncgen_kernels.lookup import Lookup, cut_down, lookup_for
from asyncgen_kernels.measure import Bar, measured
from asyncgen_kernels.ordered import Text, sort_text, text_for
from asyncgen_kernels.plan import Plan, Query, plan, room_for_plan
from asyncgen_kernels.postings import Lists
from asyncgen_kernels.spans import PLACE, Spans
from asyncgen_kernels.tail import Tail, add_to_tail
from asyncgen_kernels.wide import Signed, Wide

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_WORD = 64  # tokens whose positions fit a word


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


class Indexed(NamedTuple):
    """An index as it stands, with room for the texts that are decided on.

    Attributes:
        bar: The threshold.
        ranks: Those of the tokens.
        store: All entries.
        wide: The signatures of the long ones.
        tail: The newest ones.
        lists: Postings of all others.
    """

    bar: Bar
    ranks: NDArray[np.int32]
    store: Store
    wide: Wide
    tail: Tail
    lists: Lists


class Room(NamedTuple):
    """Room to decide in that is worth keeping; for one thread at a time.

    Attributes:
        text: For the text that is decided on.
        reading: For what is found.
        plan: For what is to be read.
        known: For what was found out.
        word: A lookup for texts of up to a word of tokens.
        words: One for all longer ones.
    """

    text: Text
    reading: Reading
    plan: Plan
    known: Known
    word: Lookup
    words: Lookup


def room_to_decide(longest: int) -> Room:
    """Room for texts of up to `longest` tokens."""
    return Room(
        in_python(text_for)(longest),
        room_for_reading(longest),
        room_for_plan(),
        nothing_known(),
        in_python(lookup_for)(_WORD),
        in_python(lookup_for)(max(longest, _WORD + 1)),
    )


@reader
def _append(index: Indexed, text: Text, tokens: NDArray[np.int32]) -> int:
    store = index.store
    entry = whole(store.size[0])
    start = whole(store.offsets[entry])
    for position in range(tokens.size):  # a slice would take two seconds to compile
        store.tokens[start + position] = tokens[position]

    store.offsets[entry + 1] = start + tokens.size
    add_to_tail(index.tail, index.wide, text, entry, tokens.size)
    store.size[0] = entry + 1  # last: until now no view shows the entry
    return entry


@inlined
def _worth_it(query: Query, place: int, best: int, score: float) -> bool:
    """Whether an entry that shares nothing before this place may be better than the best.

    At best it has all tokens from there on, and no other.
    """
    left = query.m - place
    return left > 0 and (best < 0 or measured(left, query.m, left) >= score)


@inlined
def _nearest(index: Indexed, query: Query, lookup: Lookup, room: Room) -> tuple[int, float]:
    """The most similar of the entries too similar, the oldest of equals; -1 and 0.0 for none."""
    entries, spans, newest = (index.store, index.wide), room.plan.spans, index.tail.used[0]
    # Of one type from the start: a literal would have `nearest_of` and others compiled twice.
    best, score, at, place, span, end = whole(-1), 0.0, whole(0), whole(0), whole(0), whole(0)
    while True:
        count = whole(0)
        if at < newest:
            count, at = read_tail(index.tail, query, at, room.reading.found)
        elif span < end and _worth_it(query, spans.rows[span, PLACE], best, score):
            count, span = read_spans(index.lists, query, spans, (span, end), room.reading)
        elif span == end and query.longest[place] > 0 and _worth_it(query, place, best, score):
            end, place = plan(index.lists, query, place, room.plan)
            span = whole(0)
        else:
            return best, score

        if count:
            found, known = room.reading.found[:count], (lookup, room.known)
            best, score = nearest_of(entries, index.bar, query, known, found, (best, score))


def decide(
    texts: tuple[NDArray[np.int32], NDArray[np.int64]],
    index: Indexed,
    room: Room,
    decisions: Decisions,
    *,
    append: bool,
) -> None:
    """Decide on texts one after the other, each compared with those admitted before it, too.

    Args:
        texts: Tokens, -1 standing for an unknown one, and the offsets of the texts.
        index: With room for all the texts.
        room: To decide in.
        decisions: Written.
        append: Whether to append those that are novel.
    """
    # A call takes half as long as with named ones, whose types Numba is slow to find.
    bar, ranks, store, wide, tail, lists = index
    text, reading, (heads, spans), (signed, *known), word, words = room
    _decide(
        texts,
        (tuple(bar), ranks, tuple(store), tuple(wide), tuple(tail), tuple(lists)),
        (
            tuple(text),
            tuple(reading),
            (heads, tuple(spans)),
            (tuple(signed), *known),
            tuple(word),
            tuple(words),
        ),
        tuple(decisions),
        append,
    )


@inlined
def _named_index(index: Any) -> Indexed:
    bar, ranks, store, wide, tail, lists = index
    return Indexed(Bar(*bar), ranks, Store(*store), Wide(*wide), Tail(*tail), Lists(*lists))


@inlined
def _named_room(room: Any) -> Room:
    text, reading, (heads, spans), (signed, learned, seen), word, words = room
    return Room(
        Text(*text),
        Reading(*reading),
        Plan(heads, Spans(*spans)),
        Known(Signed(*signed), learned, seen),
        Lookup(*word),
        Lookup(*words),
    )


@compiled_reader
def _decide(
    texts: tuple[NDArray[np.int32], NDArray[np.int64]],
    plain_index: Any,
    plain_room: Any,
    plain_decisions: Any,
    append: bool,  # noqa: FBT001 - Numba has no keyword-only arguments
) -> None:
    """The same, the tuples being plain ones."""
    tokens, offsets = texts
    index, room = _named_index(plain_index), _named_room(plain_room)
    decisions = Decisions(*plain_decisions)
    for number in range(offsets.size - 1):
        ids = tokens[offsets[number] : offsets[number + 1]]
        room.known.signed.query[0] += ONE
        sort_text(ids, index.ranks, room.text)
        query = query_of(index.bar, ids, room.text, room.reading)
        lookup = room.word if ids.size <= _WORD else cut_down(room.words, ids.size)
        nearest, score = _nearest(index, query, lookup, room)
        decisions.nearest[number] = nearest
        decisions.score[number] = score
        decisions.entry[number] = -1
        if nearest < 0 and append:
            decisions.entry[number] = _append(index, room.text, ids)

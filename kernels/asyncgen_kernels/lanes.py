"""Queries side by side: arithmetic on 128 bytes at a time.

128 bytes are 128 lanes of 8 bits, 64 of 16, 32 of 32 or 16 of 64. See `asyncgen_kernels.vectors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types

from asyncgen_kernels.vectors import (
    BYTE,
    ONE,
    WORD,
    Arguments,
    in_all_lanes,
    llvm,
    part_of_kernels,
    popcounts,
    reduced,
    splat,
    vector_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

BYTES = 128
"""In a vector."""

WIDTHS = (8, 16, 32, 64)
"""Bits a lane may have."""


class _Lanes:
    """What a walk does for one width of lanes: the recurrence, and its beginning and end."""

    def __init__(self, arguments: Arguments, width: int) -> None:
        self._arguments = arguments
        self._builder = arguments.builder
        self._kind = vector_of(width, 8 * BYTES // width)
        self._narrow = vector_of(8, self._kind.count)
        _, self._masks, self._where, *_ = arguments

    def state(self) -> Any:
        """Room for a state, in registers; at first that before any term."""
        state = llvm.alloca_once(self._builder, self._kind)
        self._builder.store(in_all_lanes(self._kind, -1), state)
        return state

    def load(self, state: Any, states: Any, number: Any) -> None:
        """Go on from the state with that number."""
        saved = self._arguments.vector(states, number, self._kind)
        self._builder.store(self._builder.load(saved, align=BYTES // 2), state)

    def save(self, state: Any, states: Any, number: Any) -> None:
        """Keep a state under that number."""
        target = self._arguments.vector(states, number, self._kind)
        self._builder.store(self._builder.load(state), target, align=BYTES // 2)

    def step(self, state: Any, terms: Any, position: Any) -> None:
        """Take one term: old ^ common is old & ~mask."""
        builder, arguments = self._builder, self._arguments
        row = arguments.item(self._where, arguments.item(terms, position))
        mask = builder.load(arguments.vector(self._masks, row, self._kind), align=BYTES // 2)
        old = builder.load(state)
        common = builder.and_(old, mask)
        builder.store(builder.or_(builder.add(old, common), builder.xor(old, common)), state)

    def write(self, state: Any, found: Any, row: Any) -> None:
        """Write the LCS, a byte for each lane."""
        builder = self._builder
        zeros = builder.xor(builder.load(state), in_all_lanes(self._kind, -1))
        lengths = popcounts(builder, zeros)
        if self._kind.element.width > 8:
            lengths = builder.trunc(lengths, self._narrow)

        builder.store(lengths, self._arguments.vector(found, row, self._narrow), align=1)


def _each_width(builder: ir.IRBuilder, arguments: Arguments) -> Iterator[_Lanes]:
    """Code for lanes of each width, whichever the masks have; the caller writes it meanwhile."""
    bits = next(iter(arguments))
    for width in WIDTHS:
        with builder.if_then(builder.icmp_unsigned("==", bits, ir.Constant(WORD, width))):
            yield _Lanes(arguments, width)


@part_of_kernels
def grow(_: Any, masks: Any, stems: Any, first: Any, last: Any, states: Any) -> Any:
    """Write the state before any term and those after the stems `first` to `last`, a chapter's.

    See `Masks` in `asyncgen_kernels.scan_kernels` and `Stems` in `asyncgen_kernels.stems`. One
    step of all lanes is V ← (V + (V & M)) | (V & ~M), see `asyncgen_kernels.lookup`; lanes do not
    carry into each other.
    """
    kinds = (masks, stems, first, last, states)

    def generate(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        arguments = Arguments(context, builder, kinds, values)
        _, _, _, _, parents, words, start, end, target = arguments
        four = ir.Constant(WORD, 4)
        for lanes in _each_width(builder, arguments):
            state = lanes.state()
            lanes.save(state, target, ir.Constant(WORD, 0))
            with llvm.for_range_slice(builder, start, end, ONE, WORD) as (stem, _):
                lanes.load(state, target, arguments.item(parents, stem))
                at = builder.mul(stem, four)
                for place in range(4):
                    lanes.step(state, words, builder.add(at, ir.Constant(WORD, place)))

                number = builder.add(builder.sub(stem, start), ONE)
                lanes.save(state, target, number)

        return context.get_dummy_value()

    return types.void(*kinds), generate


@part_of_kernels
def walk(_: Any, masks: Any, tails: Any, first: Any, last: Any, states: Any, found: Any) -> Any:
    """Write the LCS of the queries in the lanes with the entries at the places `first` to `last`.

    See `Masks` in `asyncgen_kernels.scan_kernels` and `Tails` in `asyncgen_kernels.blocks`;
    `states` are those that `grow` wrote. An entry's row of `found` gets a byte for each lane.

    Two entries are walked side by side, as each step waits for the one before. Their tails are
    equally long, and a last one without another is walked twice.
    """
    kinds = (masks, tails, first, last, states, found)

    def generate(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        arguments = Arguments(context, builder, kinds, values)
        _, _, _, heads, rows, starts, terms, begin, end, saved, result = arguments
        final = builder.sub(end, ONE)
        two = ir.Constant(WORD, 2)
        for lanes in _each_width(builder, arguments):
            states = (lanes.state(), lanes.state())
            with llvm.for_range_slice(builder, begin, end, two, WORD) as (place, _):
                alone = builder.icmp_unsigned("==", place, final)
                second = builder.select(alone, place, builder.add(place, ONE))
                places = (place, second)
                spans = [arguments.item(starts, one) for one in places]
                until = arguments.item(starts, builder.add(place, ONE))
                for state, one in zip(states, places, strict=True):
                    lanes.load(state, saved, arguments.item(heads, one))

                with llvm.for_range(builder, builder.sub(until, spans[0])) as step:
                    for state, start in zip(states, spans, strict=True):
                        lanes.step(state, terms, builder.add(start, step.index))

                for state, one in zip(states, places, strict=True):
                    lanes.write(state, result, arguments.item(rows, one))

        return context.get_dummy_value()

    return types.void(*kinds), generate


@part_of_kernels
def count(_: Any, found: Any, vectors: Any, totals: Any) -> Any:
    """Add to `totals`, uint32 of shape (values, 128), how often each value is in each column.

    `found` has shape (vectors, 128), at most 255 vectors of signed bytes; negative ones do not
    count. Returns the greatest value, 0 where there is none.
    """
    kinds = (found, vectors, totals)

    def generate(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        kind, wide = vector_of(8, BYTES), vector_of(32, BYTES)
        arguments = Arguments(context, builder, kinds, values)
        data, rows, sums = arguments
        state = llvm.alloca_once(builder, kind)
        builder.store(in_all_lanes(kind, 0), state)
        with llvm.for_range(builder, rows) as row:
            read = builder.load(arguments.vector(data, row.index, kind), align=1)
            most = builder.load(state)
            builder.store(builder.select(builder.icmp_signed(">", read, most), read, most), state)

        greatest = reduced(builder, "vector.reduce.smax", BYTE, builder.load(state))
        greatest = builder.zext(greatest, WORD)
        with llvm.for_range(builder, builder.add(greatest, ONE)) as value:
            wanted = splat(builder, builder.trunc(value.index, BYTE), kind)
            builder.store(in_all_lanes(kind, 0), state)
            with llvm.for_range(builder, rows) as row:
                read = builder.load(arguments.vector(data, row.index, kind), align=1)
                equal = builder.sext(builder.icmp_signed("==", read, wanted), kind)  # -1 or 0
                builder.store(builder.sub(builder.load(state), equal), state)

            target = arguments.vector(sums, value.index, wide)
            counts = builder.zext(builder.load(state), wide)
            builder.store(builder.add(builder.load(target, align=1), counts), target, align=1)

        return greatest

    return types.int64(*kinds), generate


@part_of_kernels
def above(_: Any, found: Any, half: Any, bars: Any) -> Any:
    """Which of 64 signed bytes, a half of a vector, exceed their column's bar, as 64 bits."""
    kinds = (found, half, bars)

    def generate(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        kind = vector_of(8, BYTES // 2)
        arguments = Arguments(context, builder, kinds, values)
        data, place, limits = arguments
        left = builder.load(arguments.vector(data, place, kind), align=1)
        column = builder.and_(place, ONE)
        right = builder.load(arguments.vector(limits, column, kind), align=1)
        return builder.bitcast(builder.icmp_signed(">", left, right), WORD)

    return types.uint64(*kinds), generate

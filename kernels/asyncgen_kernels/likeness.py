"""Signatures compared, sixteen at a time. See `asyncgen_kernels.vectors`."""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types

from asyncgen_kernels.vectors import (
    WORD,
    ZERO,
    Arguments,
    in_all_lanes,
    llvm,
    part_of_kernels,
    popcounts,
    reduced,
    splat,
    vector_of,
)

_ALIKE, _QUARTER = 16, 4  # signatures in a vector, and words of a wide one


@part_of_kernels
def alike(_: Any, postings: Any, start: Any, count: Any, own: Any, bounds: Any) -> Any:
    """Which of `count` postings, at most 64, from `start` on may be of similar texts, as bits.

    `postings` are signatures and keys, see `asyncgen_kernels.postings`, `own` is a signature too.
    Of a text of n tokens (base + slope · n) / 2^8, rounded down, must be shared, `bounds` being
    left, base and slope, whose sum fits 16 bits: a bit that it lacks is none of the `left` that may
    be, and a bit that `own` lacks none of the n less the position. Texts of 255 tokens may have
    more. Reads up to a vector more.
    """
    kinds = (postings, start, count, own, bounds)

    def generate(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        kind, narrow = vector_of(64, _ALIKE), vector_of(16, _ALIKE)
        signatures, keys, first, size, word, *numbers = Arguments(context, builder, kinds, values)
        mine = splat(builder, word, kind)
        left, base, slope = (
            splat(builder, builder.trunc(number, ir.IntType(16)), narrow) for number in numbers
        )
        # A text lacks as many bits as `own` has and are not common: the first is said on this side.
        all_mine = splat(builder, builder.trunc(builder.ctpop(word), ir.IntType(16)), narrow)
        left = builder.sub(left, all_mine)
        fitting = llvm.alloca_once_value(builder, ir.Constant(WORD, 0))
        step = ir.Constant(WORD, _ALIKE)
        with llvm.for_range_slice(builder, ZERO, size, step, WORD) as (place, _):
            at = builder.add(first, place)
            pointer = builder.bitcast(builder.gep(signatures, [at]), kind.as_pointer())
            theirs = builder.load(pointer, align=8)
            common = builder.trunc(popcounts(builder, builder.and_(mine, theirs)), narrow)
            all_theirs = builder.trunc(popcounts(builder, theirs), narrow)
            pointer = builder.bitcast(builder.gep(keys, [at]), narrow.as_pointer())
            both = builder.load(pointer, align=2)
            n = builder.and_(both, in_all_lanes(narrow, 255))
            position = builder.lshr(both, in_all_lanes(narrow, 8))
            shared = builder.add(builder.mul(n, slope), base)
            shared = builder.lshr(shared, in_all_lanes(narrow, 8))
            theirs_left = builder.sub(n, position)
            beyond = builder.icmp_unsigned("==", n, in_all_lanes(narrow, 255))
            needed = builder.sub(shared, common)
            fits = builder.and_(
                builder.icmp_signed("<=", needed, left),
                builder.or_(
                    builder.icmp_signed("<=", builder.add(needed, all_theirs), theirs_left), beyond
                ),
            )
            bits = builder.zext(builder.bitcast(fits, ir.IntType(_ALIKE)), WORD)
            bits = builder.shl(bits, place)
            builder.store(builder.or_(builder.load(fitting), bits), fitting)

        unused = builder.sub(ir.Constant(WORD, 64), size)
        used = builder.lshr(ir.Constant(WORD, 2**64 - 1), unused)
        return builder.and_(builder.load(fitting), used)

    return types.uint64(*kinds), generate


@part_of_kernels
def apart(_: Any, own: Any, first: Any, words: Any, start: Any, count: Any) -> Any:
    """How many bits of `own`, from word `first` on, `words` lacks from `start` on, and the reverse.

    Compares `count` words, a multiple of 4. Returns the sum of the one and 2^32 times the other.
    """
    kinds = (own, first, words, start, count)

    def generate(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        kind = vector_of(64, _QUARTER)
        mine, mine_first, theirs, theirs_first, size = Arguments(context, builder, kinds, values)
        state = llvm.alloca_once(builder, kind)
        builder.store(in_all_lanes(kind, 0), state)
        step = ir.Constant(WORD, _QUARTER)
        with llvm.for_range_slice(builder, ZERO, size, step, WORD) as (place, _):
            sides: list[Any] = []
            for data, begin in ((mine, mine_first), (theirs, theirs_first)):
                pointer = builder.gep(data, [builder.add(begin, place)])
                sides.append(builder.load(builder.bitcast(pointer, kind.as_pointer()), align=8))

            common = builder.and_(*sides)
            lacking, spared = (popcounts(builder, builder.xor(side, common)) for side in sides)
            both = builder.add(lacking, builder.shl(spared, in_all_lanes(kind, 32)))
            builder.store(builder.add(builder.load(state), both), state)

        return reduced(builder, "vector.reduce.add", WORD, builder.load(state))

    return types.int64(*kinds), generate

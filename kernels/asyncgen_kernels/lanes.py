"""What Numba's loops do not become: arithmetic on 128 bytes at a time, written as LLVM vectors.

128 bytes are 128 lanes of 8 bits, 64 of 16, 32 of 32 or 16 of 64; LLVM spreads them over as many
registers as the machine needs, and nothing here names a machine. The functions become part of the
kernel that calls them: nothing is compiled for itself. They check no bounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BYTES = 128
"""In a vector."""

WIDTHS = (8, 16, 32, 64)
"""Bits a lane may have."""

_ir: Any = cgutils  # it has no types
_BYTE, _WORD = ir.IntType(8), ir.IntType(64)
_ONE = ir.Constant(_WORD, 1)


def _part(function: Callable[..., Any]) -> Any:
    """Let kernels call it, without its first argument: it gives the types, and writes the code."""
    return intrinsic(function)


def _vector(bits: int, count: int) -> ir.VectorType:
    return ir.VectorType(ir.IntType(bits), count)


def _all(kind: ir.VectorType, value: int) -> ir.Constant:
    return ir.Constant(kind, [value] * kind.count)


def _splat(builder: ir.IRBuilder, value: Any, kind: ir.VectorType) -> Any:
    """A vector with the value in all lanes."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(_WORD, 0))
    return builder.shuffle_vector(first, first, _all(_vector(32, kind.count), 0))


def _reduced(builder: ir.IRBuilder, name: str, result: Any, vector: Any) -> Any:
    """What one of LLVM's functions of a vector gives."""
    lanes = f"v{vector.type.count}i{vector.type.element.width}"
    kind = ir.FunctionType(result, [vector.type])
    function = _ir.get_or_insert_function(builder.module, kind, f"llvm.{name}.{lanes}")
    return builder.call(function, [vector])


class _Arguments:
    """The values of a call, named tuples unpacked, arrays as pointers to their first item."""

    def __init__(
        self, context: Any, builder: ir.IRBuilder, kinds: Sequence[Any], values: Sequence[Any]
    ) -> None:
        self.builder = builder
        self._values: list[Any] = []
        for kind, value in zip(kinds, values, strict=True):
            if isinstance(kind, types.NamedTuple):
                self._values += _Arguments(
                    context, builder, kind.types, _ir.unpack_tuple(builder, value)
                )
            elif isinstance(kind, types.Array):
                self._values.append(context.make_array(kind)(context, builder, value).data)
            else:
                self._values.append(value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def item(self, pointer: Any, index: Any) -> Any:
        """An array's item, not negative, as a number of 64 bits."""
        value = self.builder.load(self.builder.gep(pointer, [index]))
        return value if value.type == _WORD else self.builder.zext(value, _WORD)

    def vector(self, pointer: Any, index: Any, kind: ir.VectorType) -> Any:
        """A pointer to the vector with that index, the array taken as one of vectors."""
        return self.builder.gep(self.builder.bitcast(pointer, kind.as_pointer()), [index])


def _walk_lanes(arguments: _Arguments, width: int) -> None:
    """The body of `walk` for one width of lanes."""
    builder, kind = arguments.builder, _vector(width, 8 * BYTES // width)
    _, masks, where, _, _, _, rows, starts, terms, first, last, found = arguments
    state = _ir.alloca_once(builder, kind)
    with _ir.for_range_slice(builder, first, last, _ONE, _WORD) as (place, _):
        builder.store(_all(kind, -1), state)
        start = arguments.item(starts, place)
        end = arguments.item(starts, builder.add(place, _ONE))
        with _ir.for_range_slice(builder, start, end, _ONE, _WORD) as (position, _):
            row = arguments.item(where, arguments.item(terms, position))
            mask = builder.load(arguments.vector(masks, row, kind), align=BYTES // 2)
            old = builder.load(state)
            common = builder.and_(old, mask)  # old ^ common is old & ~mask
            builder.store(builder.or_(builder.add(old, common), builder.xor(old, common)), state)

        zeros = builder.xor(builder.load(state), _all(kind, -1))
        lengths: Any = _reduced(builder, "ctpop", kind, zeros)
        if width > 8:
            lengths = builder.trunc(lengths, _vector(8, kind.count))

        target = arguments.vector(found, arguments.item(rows, place), lengths.type)
        builder.store(lengths, target, align=1)


@_part
def walk(_: Any, masks: Any, entries: Any, first: Any, last: Any, found: Any) -> Any:
    """Write the LCS of the queries in the lanes with the entries at the places `first` to `last`.

    See `Masks` and `Blocks` in `asyncgen_kernels.scan_kernels`. An entry's row of `found` gets a
    byte for each lane. One step of all lanes is V ← (V + (V & M)) | (V & ~M), see
    `asyncgen_kernels.lookup`; lanes do not carry into each other.
    """
    kinds = (masks, entries, first, last, found)

    def generate(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        arguments = _Arguments(context, builder, kinds, values)
        bits = next(iter(arguments))
        for width in WIDTHS:
            with builder.if_then(builder.icmp_unsigned("==", bits, ir.Constant(_WORD, width))):
                _walk_lanes(arguments, width)

        return context.get_dummy_value()

    return types.void(*kinds), generate


@_part
def count(_: Any, found: Any, vectors: Any, totals: Any) -> Any:
    """Add to `totals`, uint32 of shape (values, 128), how often each value is in each column.

    `found` has shape (vectors, 128), at most 255 vectors of signed bytes; negative ones do not
    count. Returns the greatest value, 0 where there is none.
    """
    kinds = (found, vectors, totals)

    def generate(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        kind, wide = _vector(8, BYTES), _vector(32, BYTES)
        arguments = _Arguments(context, builder, kinds, values)
        data, rows, sums = arguments
        state = _ir.alloca_once(builder, kind)
        builder.store(_all(kind, 0), state)
        with _ir.for_range(builder, rows) as row:
            read = builder.load(arguments.vector(data, row.index, kind), align=1)
            most = builder.load(state)
            builder.store(builder.select(builder.icmp_signed(">", read, most), read, most), state)

        greatest = _reduced(builder, "vector.reduce.smax", _BYTE, builder.load(state))
        greatest = builder.zext(greatest, _WORD)
        with _ir.for_range(builder, builder.add(greatest, _ONE)) as value:
            wanted = _splat(builder, builder.trunc(value.index, _BYTE), kind)
            builder.store(_all(kind, 0), state)
            with _ir.for_range(builder, rows) as row:
                read = builder.load(arguments.vector(data, row.index, kind), align=1)
                equal = builder.sext(builder.icmp_signed("==", read, wanted), kind)  # -1 or 0
                builder.store(builder.sub(builder.load(state), equal), state)

            target = arguments.vector(sums, value.index, wide)
            counts = builder.zext(builder.load(state), wide)
            builder.store(builder.add(builder.load(target, align=1), counts), target, align=1)

        return greatest

    return types.int64(*kinds), generate


@_part
def above(_: Any, found: Any, half: Any, bars: Any) -> Any:
    """Which of 64 signed bytes, a half of a vector, exceed their column's bar, as 64 bits."""
    kinds = (found, half, bars)

    def generate(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        kind = _vector(8, BYTES // 2)
        arguments = _Arguments(context, builder, kinds, values)
        data, place, limits = arguments
        left = builder.load(arguments.vector(data, place, kind), align=1)
        column = builder.and_(place, _ONE)
        right = builder.load(arguments.vector(limits, column, kind), align=1)
        return builder.bitcast(builder.icmp_signed(">", left, right), _WORD)

    return types.uint64(*kinds), generate


@_part
def lowest_bit(_: Any, word: Any) -> Any:
    """The number of the lowest bit that is set, in a word that is not 0."""

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(word), generate


@_part
def prefetch(_: Any, array: Any, index: Any) -> Any:
    """Have the memory around an item fetched, as it will be read soon; any index will do."""
    kinds = (array, index)

    def generate(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        data, place = _Arguments(context, builder, kinds, values)
        pointer: Any = builder.bitcast(builder.gep(data, [place]), _BYTE.as_pointer())
        flag = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, flag, flag, flag])
        function = _ir.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [pointer, flag(0), flag(3), flag(1)])  # read, keep, data
        return context.get_dummy_value()

    return types.void(*kinds), generate

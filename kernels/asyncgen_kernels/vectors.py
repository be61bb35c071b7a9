"""What Numba's loops do not become, written as LLVM's own code: how, and the smallest pieces.

LLVM spreads a vector over as many registers as the machine needs; nothing here names a machine.
The functions become part of the kernel that calls them: nothing is compiled for itself. They
check no bounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

llvm: Any = cgutils  # it has no types
BYTE, WORD = ir.IntType(8), ir.IntType(64)
ZERO, ONE = ir.Constant(WORD, 0), ir.Constant(WORD, 1)
_LANES = 8


def part_of_kernels(function: Callable[..., Any]) -> Any:
    """Let kernels call it, without its first argument: it gives the types, and writes the code."""
    return intrinsic(function)


def vector_of(bits: int, count: int) -> ir.VectorType:
    """The type of a vector of `count` whole numbers."""
    return ir.VectorType(ir.IntType(bits), count)


def in_all_lanes(kind: ir.VectorType, value: int) -> ir.Constant:
    """A vector with the constant in all lanes."""
    return ir.Constant(kind, [value] * kind.count)


def splat(builder: ir.IRBuilder, value: Any, kind: ir.VectorType) -> Any:
    """A vector with the value in all lanes."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(WORD, 0))
    return builder.shuffle_vector(first, first, in_all_lanes(vector_of(32, kind.count), 0))


def popcounts(builder: ir.IRBuilder, vector: Any) -> Any:
    """How many bits are set in each lane."""
    return reduced(builder, "ctpop", vector.type, vector)


def reduced(builder: ir.IRBuilder, name: str, result: Any, vector: Any) -> Any:
    """What one of LLVM's functions of a vector gives."""
    lanes = f"v{vector.type.count}i{vector.type.element.width}"
    kind = ir.FunctionType(result, [vector.type])
    function = llvm.get_or_insert_function(builder.module, kind, f"llvm.{name}.{lanes}")
    return builder.call(function, [vector])


class Arguments:
    """The values of a call, tuples unpacked, arrays as pointers to their first item."""

    def __init__(
        self, context: Any, builder: ir.IRBuilder, kinds: Sequence[Any], values: Sequence[Any]
    ) -> None:
        self.builder = builder
        self._values: list[Any] = []
        for kind, value in zip(kinds, values, strict=True):
            if isinstance(kind, types.BaseTuple):
                inner: Any = kind
                items = llvm.unpack_tuple(builder, value)
                self._values += Arguments(context, builder, tuple(inner), items)
            elif isinstance(kind, types.Array):
                self._values.append(context.make_array(kind)(context, builder, value).data)
            else:
                self._values.append(value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def item(self, pointer: Any, index: Any) -> Any:
        """An array's item, not negative, as a number of 64 bits."""
        value = self.builder.load(self.builder.gep(pointer, [index]))
        return value if value.type == WORD else self.builder.zext(value, WORD)

    def vector(self, pointer: Any, index: Any, kind: ir.VectorType) -> Any:
        """A pointer to the vector with that index, the array taken as one of vectors."""
        return self.builder.gep(self.builder.bitcast(pointer, kind.as_pointer()), [index])


@part_of_kernels
def lowest_bit(_: Any, word: Any) -> Any:
    """The number of the lowest bit that is set, in a word that is not 0."""

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(word), generate


@part_of_kernels
def eight_bytes(_: Any, array: Any, position: Any) -> Any:
    """Those of an array of bytes from `position` on as one number, the first highest."""
    kinds = (array, position)

    def generate(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        data, first = Arguments(context, builder, kinds, values)
        pointer = builder.bitcast(builder.gep(data, [first]), WORD.as_pointer())
        return builder.bswap(builder.load(pointer, align=1))

    return types.uint64(*kinds), generate


@part_of_kernels
def count_less(_: Any, items: Any, count: Any, less: Any) -> Any:
    """Write for each of the first `count` numbers how many of them are less.

    In time that grows with the square of `count`. Reads and writes up to a vector more.
    """
    kinds = (items, count, less)

    def generate(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        kind = vector_of(64, _LANES)
        numbers, size, counts = Arguments(context, builder, kinds, values)
        state, step = llvm.alloca_once(builder, kind), ir.Constant(WORD, _LANES)
        with llvm.for_range_slice(builder, ZERO, size, step, WORD) as (place, _):
            pointer = builder.bitcast(builder.gep(numbers, [place]), kind.as_pointer())
            some = builder.load(pointer, align=8)
            builder.store(in_all_lanes(kind, 0), state)
            with llvm.for_range(builder, size) as loop:
                other = splat(builder, builder.load(builder.gep(numbers, [loop.index])), kind)
                found = builder.zext(builder.icmp_signed("<", other, some), kind)
                builder.store(builder.add(builder.load(state), found), state)

            pointer = builder.bitcast(builder.gep(counts, [place]), kind.as_pointer())
            builder.store(builder.load(state), pointer, align=8)

        return context.get_dummy_value()

    return types.void(*kinds), generate


@part_of_kernels
def prefetch(_: Any, array: Any, index: Any) -> Any:
    """Have the memory around an item fetched, as it will be read soon; any index will do.

    Into the second cache: more lines can be on their way to it than to the first.
    """
    kinds = (array, index)

    def generate(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        data, place = Arguments(context, builder, kinds, values)
        pointer: Any = builder.bitcast(builder.gep(data, [place]), BYTE.as_pointer())
        flag = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, flag, flag, flag])
        function = llvm.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [pointer, flag(0), flag(2), flag(1)])  # read, second cache, data
        return context.get_dummy_value()

    return types.void(*kinds), generate

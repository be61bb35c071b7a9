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


class _Lanes:
    """What a walk does for one width of lanes: the recurrence, and its beginning and end."""

    def __init__(self, arguments: _Arguments, width: int) -> None:
        self._arguments = arguments
        self._builder = arguments.builder
        self._kind = _vector(width, 8 * BYTES // width)
        self._narrow = _vector(8, self._kind.count)
        _, self._masks, self._where, *_ = arguments

    def state(self) -> Any:
        """Room for a state, in registers; at first that before any term."""
        state = _ir.alloca_once(self._builder, self._kind)
        self._builder.store(_all(self._kind, -1), state)
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
        zeros = builder.xor(builder.load(state), _all(self._kind, -1))
        lengths: Any = _reduced(builder, "ctpop", self._kind, zeros)
        if self._kind.element.width > 8:
            lengths = builder.trunc(lengths, self._narrow)

        builder.store(lengths, self._arguments.vector(found, row, self._narrow), align=1)


def _each_width(builder: ir.IRBuilder, arguments: _Arguments) -> Iterator[_Lanes]:
    """Code for lanes of each width, whichever the masks have; the caller writes it meanwhile."""
    bits = next(iter(arguments))
    for width in WIDTHS:
        with builder.if_then(builder.icmp_unsigned("==", bits, ir.Constant(_WORD, width))):
            yield _Lanes(arguments, width)


@_part
def grow(_: Any, masks: Any, stems: Any, first: Any, last: Any, states: Any) -> Any:
    """Write the state before any term and those after the stems `first` to `last`, a chapter's.

    See `Masks` in `asyncgen_kernels.scan_kernels` and `Stems` in `asyncgen_kernels.stems`. One
    step of all lanes is V ← (V + (V & M)) | (V & ~M), see `asyncgen_kernels.lookup`; lanes do not
    carry into each other.
    """
    kinds = (masks, stems, first, last, states)

    def generate(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        arguments = _Arguments(context, builder, kinds, values)
        _, _, _, _, parents, words, start, end, target = arguments
        four = ir.Constant(_WORD, 4)
        for lanes in _each_width(builder, arguments):
            state = lanes.state()
            lanes.save(state, target, ir.Constant(_WORD, 0))
            with _ir.for_range_slice(builder, start, end, _ONE, _WORD) as (stem, _):
                lanes.load(state, target, arguments.item(parents, stem))
                at = builder.mul(stem, four)
                for place in range(4):
                    lanes.step(state, words, builder.add(at, ir.Constant(_WORD, place)))

                number = builder.add(builder.sub(stem, start), _ONE)
                lanes.save(state, target, number)

        return context.get_dummy_value()

    return types.void(*kinds), generate


@_part
def walk(_: Any, masks: Any, tails: Any, first: Any, last: Any, states: Any, found: Any) -> Any:
    """Write the LCS of the queries in the lanes with the entries at the places `first` to `last`.

    See `Masks` in `asyncgen_kernels.scan_kernels` and `Tails` in `asyncgen_kernels.blocks`;
    `states` are those that `grow` wrote. An entry's row of `found` gets a byte for each lane.

    Two entries are walked side by side, as each step waits for the one before. Their tails are
    equally long, and a last one without another is walked twice.
    """
    kinds = (masks, tails, first, last, states, found)

    def generate(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        arguments = _Arguments(context, builder, kinds, values)
        _, _, _, heads, rows, starts, terms, begin, end, saved, result = arguments
        final = builder.sub(end, _ONE)
        two = ir.Constant(_WORD, 2)
        for lanes in _each_width(builder, arguments):
            states = (lanes.state(), lanes.state())
            with _ir.for_range_slice(builder, begin, end, two, _WORD) as (place, _):
                alone = builder.icmp_unsigned("==", place, final)
                second = builder.select(alone, place, builder.add(place, _ONE))
                places = (place, second)
                spans = [arguments.item(starts, one) for one in places]
                until = arguments.item(starts, builder.add(place, _ONE))
                for state, one in zip(states, places, strict=True):
                    lanes.load(state, saved, arguments.item(heads, one))

                with _ir.for_range(builder, builder.sub(until, spans[0])) as step:
                    for state, start in zip(states, spans, strict=True):
                        lanes.step(state, terms, builder.add(start, step.index))

                for state, one in zip(states, places, strict=True):
                    lanes.write(state, result, arguments.item(rows, one))

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

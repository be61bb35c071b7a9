"""Where tokens begin and end, as bits, a block of 64 bytes at a time.

Of ASCII, [a-z0-9] in lower case are WORD and all else separates, in every tokenizer: that is seen
for the whole block at once, see `asyncgen_kernels.vectors`. Only characters beyond ASCII are looked
up one by one. Tokens begin and end where runs of bits do, so no byte is waited for and no branch
guessed at each token's end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import types

from asyncgen_kernels.bits import ONE, whole
from asyncgen_kernels.characters import ALONE, MARK, SEPARATOR, WORD
from asyncgen_kernels.compiled import fused
from asyncgen_kernels.vectors import WORD as BITS
from asyncgen_kernels.vectors import (
    Arguments,
    in_all_lanes,
    lowest_bit,
    part_of_kernels,
    vector_of,
)

if TYPE_CHECKING:
    from llvmlite import ir  # type: ignore[import-untyped]
    from numpy.typing import NDArray

END = 0xFF
"""The byte behind each text; UTF-8 has no use for it."""

BLOCK = 64
"""Bytes in a block. As many zeros stand behind the last text: what is read goes beyond its end."""

_LAST = np.uint64(BLOCK - 1)


@part_of_kernels
def _classes(_: Any, buffer: Any, base: Any) -> Any:
    """Of 64 bytes from `base` on, as bits: [a-z0-9], END, first and further bytes of others."""
    kinds = (buffer, base)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: Any) -> Any:
        kind = vector_of(8, BLOCK)
        data, first = Arguments(context, builder, kinds, values)
        pointer = builder.bitcast(builder.gep(data, [first]), kind.as_pointer())
        block = builder.load(pointer, align=1)

        def within(lowest: int, count: int) -> Any:
            above = builder.sub(block, in_all_lanes(kind, lowest))
            return builder.icmp_unsigned("<", above, in_all_lanes(kind, count))

        words = builder.or_(within(ord("a"), 26), within(ord("0"), 10))
        masks = (words, within(END, 1), within(0xC0, END - 0xC0), within(0x80, 0x40))
        bits = [builder.bitcast(mask, BITS) for mask in masks]
        return context.make_tuple(builder, signature.return_type, bits)

    result: Any = types.UniTuple
    return result(types.uint64, 4)(*kinds), generate


@fused
def _kind(buffer: NDArray[np.uint8], position: int, kinds: NDArray[np.uint8]) -> int:
    """The kind of the character beyond ASCII whose first byte is here."""
    byte, point = whole(buffer[position]), whole(buffer[position + 1] & 0x3F)
    if byte < 0xE0:
        point |= (byte & 0x1F) << 6
    else:
        point = ((byte & 0xF) << 12) | (point << 6) | whole(buffer[position + 2] & 0x3F)
        if byte >= 0xF0:
            point = (point << 6) | whole(buffer[position + 3] & 0x3F)

    return whole(kinds[point]) if point < kinds.size else SEPARATOR


@fused
def _with_marks(bits: np.uint64, marks: np.uint64, before: np.uint64) -> np.uint64:
    """The bits, and the runs of marks behind them; of one at bit 0 behind `before`, 0 or 1."""
    firsts = ((bits << ONE) | before) & marks
    return bits | (marks & ~(marks + firsts))  # a carry goes through all of a run


@fused
def edges(
    buffer: NDArray[np.uint8], base: int, kinds: NDArray[np.uint8], opened: int
) -> tuple[np.uint64, np.uint64, np.uint64, int]:
    """What a block holds: begins and ends of tokens, and END bytes, as bits.

    Args:
        buffer: Lower-cased UTF-8 and END bytes, a whole block from `base` on.
        base: The first byte of the block.
        kinds: Of each code point, see `asyncgen_kernels.characters`.
        opened: The kind of the token that the block before left open, or SEPARATOR.

    Returns:
        The three masks, and the kind of the token that is left open now. Begins and ends, of which
        an end comes before the begin at the same byte, take turns.
    """
    words, texts, firsts, marks = _classes(buffer, base)  # further bytes are as marks
    alone = np.uint64(0)
    while firsts:
        offset = lowest_bit(firsts)
        bit = firsts & -firsts
        kind = _kind(buffer, base + offset, kinds)
        words |= bit * np.uint64(kind == WORD)
        alone |= bit * np.uint64(kind == ALONE)
        marks |= bit * np.uint64(kind == MARK)
        firsts ^= bit

    in_word, in_alone = np.uint64(opened == WORD), np.uint64(opened == ALONE)
    word_open = _with_marks(words, marks, in_word)
    alone_open = _with_marks(alone, marks, in_alone)
    after_word, after_alone = (word_open << ONE) | in_word, (alone_open << ONE) | in_alone
    begins = (words & ~after_word) | alone
    ends = ((after_word & ~words) | after_alone) & ~marks
    opened = WORD if word_open >> _LAST else ALONE if alone_open >> _LAST else SEPARATOR
    return begins, ends, texts, opened

"""Words of 64 bits: counting ones, spreading token numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from asyncgen_kernels.compiled import inlined, reader

if TYPE_CHECKING:
    from collections.abc import Callable

whole = cast("Callable[[Any], int]", np.int64)
"""A signed number of 64 bits: in a kernel np.int64, for type checkers the int that it becomes."""

# Kernels mix uint64 with uint64 only: with a signed integer Numba makes a float64 of both.
ONE = np.uint64(1)
ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_PAIRS = np.uint64(0x5555_5555_5555_5555)
_NIBBLES = np.uint64(0x3333_3333_3333_3333)
_BYTES = np.uint64(0x0F0F_0F0F_0F0F_0F0F)
_SUM = np.uint64(0x0101_0101_0101_0101)
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)  # 2^64 / golden ratio: Fibonacci hashing


@reader
def popcount(word: np.uint64) -> int:
    """The number of one bits; LLVM knows this idiom and makes one instruction of it."""
    word -= (word >> np.uint64(1)) & _PAIRS
    word = (word & _NIBBLES) + ((word >> np.uint64(2)) & _NIBBLES)
    word = (word + (word >> np.uint64(4))) & _BYTES
    return whole((word * _SUM) >> np.uint64(56))


@inlined
def spread(token: int, shift: np.uint64) -> np.uint64:
    """A hash of a token of 64 - `shift` bits."""
    return (np.uint64(token) * _SPREAD) >> shift

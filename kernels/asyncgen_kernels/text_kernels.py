"""Bytes to tokens, and tokens to numbers by a hash table.

Texts arrive as UTF-8, one END behind each, lower-cased but for ASCII. A token is looked up by its
key, a word. Up to eight bytes are their own key, so that equal keys are equal tokens. A longer
token has a hash for a key, and its bytes are compared as well. The two sorts never meet: packed
bytes begin with a character's first byte, or with a zero, for no token contains one; a hash is made
to begin with the bits 10, with which no character begins.

The table has open addressing, linear probing, and at most half of its slots taken. One thread may
write it while others read. Readers pass over tokens beyond those that were there when they took
the table, so it does not matter in which order they see the parts of a new one appear.

Each kernel is compiled at its first call, for one set of types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from asyncgen_kernels.bits import ONE, popcount
from asyncgen_kernels.characters import SEPARATOR
from asyncgen_kernels.compiled import compiled, fused, inlined, part
from asyncgen_kernels.edges import BLOCK, edges
from asyncgen_kernels.vectors import eight_bytes, lowest_bit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Table: TypeAlias = tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.int64]]
    """Slots, bytes, starts. Token i is bytes[starts[i] : starts[i + 1]].

    A slot is a token's key and its id + 1, or two zeros; shape (capacity, 2), capacity a power of
    two and starts.size at most capacity / 2 + 1.
    """

    Spans: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.uint64]]
    """Bytes, and of each token in them its key, its begin and its end, shape (tokens, 3)."""

_SHORT = 8

# Kernels mix uint64 with uint64 only: with a signed integer Numba makes a float64 of both.
_EMPTY = np.uint64(0)
_BYTE = np.uint64(8)
_HALF = np.uint64(32)
_FIRST_FACTOR = np.uint64(0x9E37_79B9_7F4A_7C15)  # 2^64 / golden ratio
_SECOND_FACTOR = np.uint64(0xD6E8_FEB8_6659_FD93)
_HASH_BITS = np.uint64(0x3FFF_FFFF_FFFF_FFFF)
_HASH_MARK = np.uint64(0x8000_0000_0000_0000)


@inlined
def _signed(number: np.uint8 | np.uint64) -> int:
    """The number as int64; int() alone would stay unsigned."""
    return int(np.int64(number))


@part
def _lower(buffer: NDArray[np.uint8]) -> None:
    """Lower the case of ASCII letters, in place."""
    for position in range(buffer.size):  # without a branch: LLVM makes vectors of it
        upper = np.uint8(buffer[position] - np.uint8(65)) < np.uint8(26)
        buffer[position] += np.uint8(32) * np.uint8(upper)


@fused
def _packed(buffer: NDArray[np.uint8], begin: int, length: int) -> np.uint64:
    """One to eight bytes as one number, the first highest; eight are read."""
    word: np.uint64 = eight_bytes(buffer, begin)
    return word >> (_BYTE * np.uint64(_SHORT - length))


@fused
def _mixed(word: np.uint64) -> np.uint64:
    """Another word, one to one; every bit of the argument has a say in its low half."""
    word *= _FIRST_FACTOR
    word = (word ^ (word >> _HALF)) * _SECOND_FACTOR
    return word ^ (word >> _HALF)


@part
def _hashed(buffer: NDArray[np.uint8], begin: int, end: int) -> np.uint64:
    """What a token of more than eight bytes is looked up by."""
    word = np.uint64(0)
    for step in range(begin, end - _SHORT, _SHORT):
        word = _mixed(word ^ eight_bytes(buffer, step))

    rest = (end - begin - 1) % _SHORT + 1
    word = _mixed(word ^ _packed(buffer, end - rest, rest))
    return (word & _HASH_BITS) | _HASH_MARK


@inlined
def _place(
    spans: NDArray[np.uint64], base: int, begun: int, begins: np.uint64, ended: int, ends: np.uint64
) -> None:
    """Write begins and ends of tokens, given as bits, from rows `begun` and `ended` on.

    Both in one loop, so that its end is guessed wrong but once. Where there is one more of the one,
    the other's column gets a number without meaning in the next row, and later the right one.
    """
    for step in range(max(popcount(begins), popcount(ends))):
        spans[begun + step, 1] = base + lowest_bit(begins)
        spans[ended + step, 2] = base + lowest_bit(ends)
        begins &= begins - ONE
        ends &= ends - ONE


@fused
def _key(buffer: NDArray[np.uint8], begin: int, end: int) -> np.uint64:
    """What a token is looked up by."""
    if end - begin <= _SHORT:
        return _packed(buffer, begin, end - begin)

    return _hashed(buffer, begin, end)


@compiled
def split(
    buffer: NDArray[np.uint8],
    kinds: NDArray[np.uint8],
    spans: NDArray[np.uint64],
    offsets: NDArray[np.int64],
) -> int:
    """Cut texts into tokens.

    Args:
        buffer: The texts, an END behind each, and BLOCK zeros; ASCII is lower-cased in place.
        kinds: Of each code point, shape (128,) or more; characters beyond are separators.
        spans: Written, shape (buffer.size // 2, 3) or more. That is enough: two tokens have a
            separator between them, or one of them is a character ALONE, of three bytes or more.
        offsets: Written from 1 on: where the tokens of each text end; shape (texts + 1,).

    Returns:
        The number of tokens.
    """
    _lower(buffer)
    begun, ended, text, opened = 0, 0, 0, SEPARATOR
    for base in range(0, buffer.size - BLOCK, BLOCK):
        begins, ends, texts, opened = edges(buffer, base, kinds, opened)
        while texts:
            text += 1
            offsets[text] = ended + popcount(ends & (texts ^ (texts - ONE)))
            texts &= texts - ONE

        _place(spans, base, begun, begins, ended, ends)
        begun += popcount(begins)
        ended += popcount(ends)

    for token in range(ended):
        spans[token, 0] = _key(buffer, _signed(spans[token, 1]), _signed(spans[token, 2]))

    return ended


@part
def _same(
    buffer: NDArray[np.uint8], begin: int, pool: NDArray[np.uint8], first: int, length: int
) -> bool:
    """Whether `length` bytes from `begin` and from `first` are equal."""
    offset = 0
    while offset < length and buffer[begin + offset] == pool[first + offset]:
        offset += 1

    return offset == length


@part
def _seek(
    buffer: NDArray[np.uint8], span: NDArray[np.uint64], table: Table, known: int
) -> tuple[int, int]:
    """A token's slot and its number, one more than its id; or the free slot for it, and 0."""
    slots, pool, starts = table
    length = _signed(span[2] - span[1])
    mask = slots.shape[0] - 1
    slot = _signed(_mixed(span[0])) & mask
    while True:
        number = _signed(slots[slot, 1])
        if slots[slot, 0] == _EMPTY:
            return slot, 0

        if slots[slot, 0] == span[0] and 0 < number <= known:
            if length <= _SHORT:
                return slot, number

            first = starts[number - 1]
            if starts[number] - first == length and _same(
                buffer, _signed(span[1]), pool, first, length
            ):
                return slot, number

        slot = (slot + 1) & mask


@compiled
def find(texts: Spans, table: Table, known: int, tokens: NDArray[np.int32]) -> None:
    """Write the ids of the tokens, -1 for one that is not among the `known` oldest.

    Args:
        texts: Tokens as `split` found them.
        table: May be written meanwhile.
        known: The number of tokens in the table when it was taken.
        tokens: Written, shape (tokens,).
    """
    buffer, spans = texts
    for place in range(tokens.size):
        _, number = _seek(buffer, spans[place], table, known)
        tokens[place] = number - 1


@compiled
def learn(
    texts: Spans, table: Table, learned: NDArray[np.int64], tokens: NDArray[np.int32], done: int
) -> int:
    """Write the ids of the tokens, and append the new ones to the table while there is room.

    Args:
        texts: Tokens as `split` found them.
        table: Written.
        learned: The number of tokens in the table, kept up to date, shape (1,).
        tokens: Written from `done` on, shape (tokens,).
        done: Where to begin.

    Returns:
        Where there was no more room, or tokens.size.
    """
    buffer, spans = texts
    slots, pool, starts = table
    known = learned[0]
    for place in range(done, tokens.size):
        slot, number = _seek(buffer, spans[place], table, known)
        if number == 0:
            begin, end = _signed(spans[place, 1]), _signed(spans[place, 2])
            first = starts[known]
            if known + 1 == starts.size or first + end - begin > pool.size:
                return place

            for offset in range(end - begin):
                pool[first + offset] = buffer[begin + offset]
            starts[known + 1] = first + end - begin
            known += 1
            slots[slot, 0] = spans[place, 0]
            slots[slot, 1] = known
            learned[0] = known
            number = known
        tokens[place] = number - 1

    return tokens.size


@compiled
def rehash(slots: NDArray[np.uint64], larger: NDArray[np.uint64]) -> None:
    """Copy the taken slots into others, empty and more, shapes (capacity, 2)."""
    mask = larger.shape[0] - 1
    for old in range(slots.shape[0]):
        if slots[old, 0] != _EMPTY:
            slot = _signed(_mixed(slots[old, 0])) & mask
            while larger[slot, 0] != _EMPTY:
                slot = (slot + 1) & mask
            larger[slot, 0] = slots[old, 0]
            larger[slot, 1] = slots[old, 1]

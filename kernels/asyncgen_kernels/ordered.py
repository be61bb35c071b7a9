"""A text's tokens in an order common to all texts, and signatures of them.

The order is that of rarity, the rarest first, so that two texts which share anything are likely to
share something rare, and few other texts do.

A signature has a bit for each of a number of hash values. A bit that one text's has and another's
lacks stands for at least one token of the one that the other does not have. Of a token that stands
in a text several times each is counted: what is hashed is the token and how many of it follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.bits import ONE, spread, whole
from asyncgen_kernels.compiled import fused, inlined, part, reader
from asyncgen_kernels.vectors import count_less

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIGNATURE, _WIDE_SIGNATURE = np.uint64(58), np.uint64(50)
_WORD, _BIT = np.uint64(6), np.uint64(63)
_NO_TOKEN = -(2**31)
_PLACE = whole(0xFFFF_FFFF)
_FEW = 256  # tokens that are sorted by counting
_VECTOR = 8  # numbers
_AGAIN = 0x5851_F42D  # what sets a token apart from the same one before it


class Text(NamedTuple):
    """A text in the common order, with room for a longer one.

    Attributes:
        tokens: Its tokens, the rarest first, equal ones side by side, shape (m,).
        rest: The signature of the tokens from each place on, shape (m + 1,).
        orders: Scratch, shape (m,), and room for a vector behind it.
        before: The same.
    """

    tokens: NDArray[np.int64]
    rest: NDArray[np.uint64]
    orders: NDArray[np.int64]
    before: NDArray[np.int64]


@part
def text_for(longest: int) -> Text:
    """Room for a text of up to `longest` tokens."""
    return Text(
        np.empty(longest, np.int64),
        np.empty(longest + 1, np.uint64),
        np.empty(longest + _VECTOR, np.int64),
        np.empty(longest + _VECTOR, np.int64),
    )


@reader
def longest_of(offsets: NDArray[np.int64]) -> int:
    """The tokens of the longest text that `offsets` bounds, at least 1."""
    longest = 1
    for text in range(offsets.size - 1):
        longest = max(longest, offsets[text + 1] - offsets[text])

    return longest


@fused
def sort_text(tokens: NDArray[np.int32], ranks: NDArray[np.int32], text: Text) -> None:
    """Put the tokens into the common order, in the given room.

    A token with a rank comes at that rank. One learned after the ranks were made is rarer than
    all of them, the newest first; unknown ones come before those, since nothing can share them.
    """
    orders, m = text.orders, tokens.size
    for place in range(m):
        token = whole(tokens[place])
        order = whole(_NO_TOKEN)
        if token >= 0:
            order = whole(ranks[token]) if token < ranks.size else ranks.size - token - 1

        orders[place] = (order << 32) | place

    if m <= _FEW:
        count_less(orders, m, text.before)
        for place in range(m):  # no branch to guess wrong
            text.tokens[np.uint64(text.before[place])] = tokens[place]
    else:
        _sort_many(orders[:m])
        for place in range(m):
            text.tokens[place] = tokens[orders[place] & _PLACE]

    _sign(text, m)


@reader
def _sort_many(items: NDArray[np.int64]) -> None:
    """Shell's sort: quick enough for what is rare, and quick to compile."""
    gap = 1
    while 3 * gap < items.size:
        gap = 3 * gap + 1

    while gap > 0:
        for place in range(gap, items.size):
            item, at = items[place], place
            while at >= gap and items[at - gap] > item:
                items[at] = items[at - gap]
                at -= gap

            items[at] = item

        gap //= 3


@fused
def _sign(text: Text, m: int) -> None:
    bits, again, last = np.uint64(0), whole(0), whole(_NO_TOKEN)
    text.rest[m] = bits
    for place in range(m - 1, -1, -1):
        token = text.tokens[place]
        again = again + _AGAIN if token == last else whole(0)
        last = token
        if token >= 0:
            bits |= ONE << spread(token + again, _SIGNATURE)

        text.rest[place] = bits


@reader
def sign_wide(text: Text, m: int, words: NDArray[np.uint64]) -> None:
    """Write a signature of the whole text, shape (words,), a power of two of up to 256."""
    for word in range(words.size):
        words[word] = 0

    last_word, last, again = np.uint64(words.size - 1), whole(_NO_TOKEN), whole(0)
    for place in range(m - 1, -1, -1):
        token = text.tokens[place]
        again = again + _AGAIN if token == last else whole(0)
        last = token
        if token >= 0:
            value = spread(token + again, _WIDE_SIGNATURE)
            words[(value >> _WORD) & last_word] |= ONE << (value & _BIT)


@inlined
def first_of_its_kind(text: Text, place: int) -> bool:
    """Whether the token stands here for the first time: only there can two texts share first."""
    return place == 0 or text.tokens[place] != text.tokens[place - 1]


@reader
def known_from(text: Text, m: int) -> int:
    """The place of the first token that is not unknown, m where all are."""
    place = whole(0)
    while place < m and text.tokens[place] < 0:
        place += 1

    return place

"""What each character is to a token: a letter of a word, a token alone, a mark, or a separator."""

from __future__ import annotations

import functools
import unicodedata
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Letters, so that a pattern can be written over them.
SEPARATOR = ord(" ")
"""Ends a token."""
WORD = ord("w")
"""A token is a run of these."""
ALONE = ord("a")
"""A token by itself: a letter of a script that is written without blanks."""
MARK = ord("m")
"""Belongs to the character before it, and to no token where that is a separator."""

# First and last code points. By blocks: Python does not know the scripts of characters.
_WITHOUT_BLANKS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x1B00, 0x1B7F),  # Balinese
    (0x3000, 0x312F),  # ideographic iteration mark and zero, kana, bopomofo
    (0x31A0, 0x31FF),  # bopomofo and katakana, extended
    (0x3400, 0xA4CF),  # ideographs, Yi
    (0xA980, 0xA9FF),  # Javanese, Myanmar extended
    (0xAA60, 0xAADF),  # Myanmar extended, Tai Viet
    (0xF900, 0xFAFF),  # compatibility ideographs
    (0x11700, 0x1174F),  # Ahom
    (0x16FE0, 0x18DFF),  # Tangut, Khitan, Nushu's iteration mark
    (0x1AFF0, 0x1B2FF),  # kana extended, Nushu
    (0x20000, 0x3FFFF),  # ideographs
)

# First and last code points where Unicode has letters, numbers and marks, with room for more.
_CHARTED = ((0x0000, 0x33FFF), (0xE0000, 0xE0FFF))


@functools.cache
def ascii_kinds() -> NDArray[np.uint8]:
    """The kind of each character up to U+007F, of which [a-z0-9] are WORD; uint8, shape (128,)."""
    kinds = np.full(0x80, SEPARATOR, np.uint8)
    kinds[ord("0") : ord("9") + 1] = WORD
    kinds[ord("a") : ord("z") + 1] = WORD
    return kinds


@functools.cache
def unicode_kinds() -> NDArray[np.uint8]:
    """The kind of every character, uint8, shape (0x110000,), by this Python's Unicode.

    Letters and numbers are WORD, in the scripts without blanks ALONE but for decimal digits;
    combining marks are MARK.
    """
    blankless = np.zeros(0x110000, np.bool_)
    for first, last in _WITHOUT_BLANKS:
        blankless[first : last + 1] = True

    kinds = np.full(0x110000, SEPARATOR, np.uint8)
    for first, last in _CHARTED:
        here = slice(first, last + 1)
        major, minor = _categories(first, last)
        letter = major == ord("L")
        number = major == ord("N")
        kinds[here][letter | number] = WORD
        kinds[here][blankless[here] & (letter | (number & (minor != ord("d"))))] = ALONE
        kinds[here][major == ord("M")] = MARK

    return kinds


def _categories(first: int, last: int) -> NDArray[np.uint8]:
    """The two letters of each general category, shape (2, last - first + 1)."""
    names = "".join(map(unicodedata.category, map(chr, range(first, last + 1))))
    return np.frombuffer(names.encode(), np.uint8).reshape(-1, 2).T

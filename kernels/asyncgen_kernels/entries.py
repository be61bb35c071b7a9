"""Where a pool keeps its texts: one flat array of tokens that grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from asyncgen_kernels.comparing import Store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.text import Encoded

_Number = TypeVar("_Number", bound=np.generic)
_LINE = 64  # bytes
_MOST_ENTRIES = 2**32 - 1  # postings number them in 32 bits


class EntriesView(NamedTuple):
    """Entries as they stood at one moment; the arrays are views and must not be written.

    Attributes:
        tokens: The ids of all entries, one after another, shape (tokens,).
        offsets: Entry e is tokens[offsets[e] : offsets[e + 1]], shape (entries + 1,).
    """

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]


class Entries:
    """Texts as arrays of ids, append only. One thread may append while others hold views."""

    def __init__(self) -> None:
        self._store = Store(np.empty(1024, np.int32), np.zeros(65, np.int64), np.zeros(1, np.int64))

    @property
    def store(self) -> Store:
        """The arrays as they are."""
        return self._store

    def room_for(self, texts: Encoded) -> Store:
        """The arrays, with room for all of these texts.

        Raises:
            OverflowError: When there would be 2^32 entries.
        """
        count = len(self) + texts.offsets.size - 1
        if count > _MOST_ENTRIES:
            raise OverflowError(f"a pool holds at most {_MOST_ENTRIES} texts")

        tokens, offsets, size = self._store
        used = int(offsets[len(self)])
        larger = Store(
            roomy(tokens, used, used + texts.tokens.size),
            roomy(offsets, len(self) + 1, count + 1),
            size.copy(),  # whoever holds the arrays as they were keeps the size that fits them
        )
        self._store = larger
        return larger

    def extend(self, texts: Encoded) -> None:
        """Append texts.

        Raises:
            OverflowError: When there would be 2^32 entries; nothing is appended.
        """
        tokens, offsets, size = self.room_for(texts)
        count = len(self)
        start, end = int(offsets[count]), count + texts.offsets.size - 1
        tokens[start : start + texts.tokens.size] = texts.tokens
        offsets[count + 1 : end + 1] = texts.offsets[1:] - texts.offsets[0] + start
        size[0] = end  # last: until now no view shows them

    def view(self) -> EntriesView:
        """The entries up to now."""
        tokens, offsets, size = self._store
        offsets = offsets[: int(size[0]) + 1]
        return EntriesView(tokens[: offsets[-1]], offsets)

    @property
    def nbytes(self) -> int:
        """Bytes that the entries take; the room for growth, so far untouched, takes none."""
        tokens, offsets = self.view()
        return tokens.nbytes + offsets.nbytes

    def __len__(self) -> int:
        return int(self._store.size[0])


def roomy(array: NDArray[_Number], used: int, size: int) -> NDArray[_Number]:
    """The array, or a larger copy of its used part with room for at least `size` numbers.

    It grows by half. What is not yet written is address space only: the system gives it memory
    page by page, at the first touch, which takes longer than copying does. It begins at a line of
    the cache, so that what is as large as a line, or a part of one, is in no two.
    """
    if size <= array.size:
        return array

    count, line = size + size // 2, _LINE // array.itemsize
    memory = np.empty(count + line, array.dtype)
    skip = -memory.__array_interface__["data"][0] % _LINE // array.itemsize
    larger = memory[skip : skip + count]
    larger[:used] = array[:used]
    return larger

"""Where a pool keeps its texts: one flat array of tokens, growing by doubling."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from asyncgen_kernels.kernels import signature

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Number = TypeVar("_Number", bound=np.generic)


class EntriesView(NamedTuple):
    """Entries as they stood at one moment; the arrays are views and must not be written.

    Attributes:
        tokens: The ids of all entries, one after another, shape (tokens,).
        offsets: Entry e is tokens[offsets[e] : offsets[e + 1]], shape (entries + 1,).
        signatures: Of each entry, shape (entries,); see `asyncgen_kernels.kernels.signature`.
    """

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]
    signatures: NDArray[np.uint64]


class Entries:
    """Texts as arrays of ids, append only. One thread may append while others hold views."""

    def __init__(self) -> None:
        self._tokens = np.empty(1024, np.int32)
        self._offsets = np.zeros(65, np.int64)
        self._signatures = np.empty(64, np.uint64)
        self._count = 0

    def append(self, ids: NDArray[np.int32]) -> int:
        """Append an entry, shape (tokens,), and return its index."""
        index = self._count
        start = int(self._offsets[index])
        end = start + ids.size
        self._tokens = _roomy(self._tokens, end)
        self._offsets = _roomy(self._offsets, index + 2)
        self._signatures = _roomy(self._signatures, index + 1)

        self._tokens[start:end] = ids
        self._offsets[index + 1] = end
        self._signatures[index] = signature(ids)
        self._count = index + 1  # last: until now no view shows the entry
        return index

    def view(self) -> EntriesView:
        """The entries up to now."""
        count = self._count
        offsets = self._offsets[: count + 1]
        return EntriesView(self._tokens[: offsets[-1]], offsets, self._signatures[:count])

    @property
    def nbytes(self) -> int:
        """Bytes reserved by the arrays, the room for growth included."""
        return self._tokens.nbytes + self._offsets.nbytes + self._signatures.nbytes

    def __len__(self) -> int:
        return self._count


def _roomy(array: NDArray[_Number], size: int) -> NDArray[_Number]:
    """The array, or a copy with room for at least `size` numbers and twice as large."""
    if size <= array.size:
        return array

    larger = np.empty(max(size, 2 * array.size), array.dtype)
    larger[: array.size] = array
    return larger

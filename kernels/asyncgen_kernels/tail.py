"""The newest entries of an index, not yet in any list: all of them are looked at.

A processor compares thousands of signatures in a microsecond, so a few thousand entries take no
more time than finding them in lists would, and adding one takes next to none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asyncgen_kernels.bits import whole
from asyncgen_kernels.compiled import compiled, reader
from asyncgen_kernels.ordered import Text, longest_of, sort_text, text_for
from asyncgen_kernels.postings import key_of
from asyncgen_kernels.wide import Wide, add_wide

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Tail(NamedTuple):
    """Entries in order of age, as postings at position 0, with room for more.

    Attributes:
        used: How many there are, shape (1,).
        signatures: Of all tokens of each, and room for a vector behind the last.
        keys: Of each, and room for a vector.
        names: Of each; see `asyncgen_kernels.wide`.
    """

    used: NDArray[np.int64]
    signatures: NDArray[np.uint64]
    keys: NDArray[np.uint16]
    names: NDArray[np.uint32]


@reader
def add_to_tail(tail: Tail, wide: Wide, text: Text, entry: int, n: int) -> None:
    """Add an entry of n tokens, the newest of all; there must be room."""
    at = whole(tail.used[0])
    tail.signatures[at] = text.rest[0]
    tail.keys[at] = key_of(n, whole(0))
    tail.names[at] = add_wide(wide, text, entry, n)
    tail.used[0] = at + 1


@compiled
def fill_tail(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    first: int,
    ranks: NDArray[np.int32],
    newest: tuple[Tail, Wide],
) -> None:
    """Add the entries that `offsets` bounds, the first numbered `first`; there must be room."""
    tail, wide = newest
    text = text_for(longest_of(offsets))
    for entry in range(offsets.size - 1):
        ids = tokens[offsets[entry] : offsets[entry + 1]]
        sort_text(ids, ranks, text)
        add_to_tail(tail, wide, text, first + entry, ids.size)

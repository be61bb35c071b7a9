"""Two texts, already encoded, against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asyncgen_kernels.lookup import lcs_pair
from asyncgen_kernels.measure import f_measure

if TYPE_CHECKING:
    from numpy.typing import NDArray


def lcs_length(a: NDArray[np.int32], b: NDArray[np.int32]) -> int:
    """The length of the longest common subsequence of two arrays of tokens, shapes (m,) and (n,).

    The tokens may be any int32. For one text against many, a `Pool` is the quicker way.

    Raises:
        TypeError: When an array is not a flat one of int32.
    """
    for array in (a, b):
        if array.dtype != np.int32 or array.ndim != 1:
            raise TypeError(f"expected a flat int32 array, not {array.ndim}-d {array.dtype}")

    if a.size == 0 or b.size == 0:
        return 0

    _, numbered = np.unique(np.concatenate((a, b)), return_inverse=True)
    ids = numbered.astype(np.int32)
    return lcs_pair(ids[: a.size], ids[a.size :])


def rouge_l(a: NDArray[np.int32], b: NDArray[np.int32]) -> float:
    """The reference's ROUGE-L F of two arrays of tokens, shapes (m,) and (n,), in [0, 1].

    Raises:
        TypeError: When an array is not a flat one of int32.
    """
    return f_measure(lcs_length(a, b), a.size, b.size)

"""What a scan finds: the nearest entries of each query, the mean and the distribution of F."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.compiled import compiled, part
from asyncgen_kernels.measure import measured

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 100
"""Of a histogram of F; bin b is [b / BINS, (b + 1) / BINS), the last one with 1."""

_EDGES = np.arange(BINS + 1) / BINS


class Best(NamedTuple):
    """The nearest entries of each query of a scan.

    Attributes:
        entries: Best first, among equals the oldest first, shape (queries, k); -1 where none is.
        scores: Their F, shape (queries, k); -1 where there is none.
    """

    entries: NDArray[np.int64]
    scores: NDArray[np.float64]


class Sums(NamedTuple):
    """Over all pairs that were compared.

    Attributes:
        total: The sum of F, shape (queries,).
        histogram: Of F, shape (BINS,).
    """

    total: NDArray[np.float64]
    histogram: NDArray[np.int64]


@part
def near_bar(score: float, index: int, entry: int, m: int, n: int) -> int:
    """The greatest LCS with which entries younger than `entry` stay behind the given one.

    F is 2 · lcs / (m + n) but for a few units of its last place, far less than the margin; near a
    whole LCS the float decides.
    """
    if score < 0:
        return -1

    lcs = int(min(score * (m + n) / 2 + 0.000_001, m, n))
    behind = measured(lcs, m, n)
    return lcs if behind < score or (behind == score and index <= entry) else lcs - 1


@part
def insert(
    scores: NDArray[np.float64], indices: NDArray[np.int64], query: int, score: float, entry: int
) -> None:
    """Put an entry where it belongs among the nearest of a query; the last of them drops out."""
    rank = scores.shape[1] - 1
    while rank > 0:
        better, older = scores[query, rank - 1], indices[query, rank - 1]
        if better > score or (better == score and older < entry):
            break

        scores[query, rank] = better
        indices[query, rank] = older
        rank -= 1

    scores[query, rank] = score
    indices[query, rank] = entry


@part
def bin_of(score: float) -> int:
    """The bin that holds a score."""
    step = min(int(score * BINS), BINS - 1)  # the product is rounded: one too high or too low
    if score < _EDGES[step]:
        return step - 1

    return step + 1 if step < BINS - 1 and score >= _EDGES[step + 1] else step


@compiled
def add_scores(scores: NDArray[np.float64], query: int, best: Best, sums: Sums) -> None:
    """Add a query's scores with entries 0, 1, 2, …, shape (entries,)."""
    last = best.scores.shape[1] - 1
    for entry in range(scores.size):
        score = scores[entry]
        sums.total[query] += score
        sums.histogram[bin_of(score)] += 1
        if last >= 0 and score > best.scores[query, last]:
            insert(best.scores, best.entries, query, score, entry)

"""The decision by brute force: every pair, and nothing of our own in it.

The LCS is rapidfuzz's, and F is computed in the reference's order of operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist

from asyncgen.bench.selection import cut, listed, sampled, size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asyncgen_kernels.entries import EntriesView
    from asyncgen_kernels.search import Decisions
    from asyncgen_kernels.text import Encoded

__all__ = ["Agreement", "Verdicts", "agreement", "brute_force"]

_BLOCK = 65_536
_PAIRS = 200_000_000
"""What a check may take: a few seconds."""

_MOST = 256
"""Candidates to be checked; the memory of a block's scores rises with them."""

_SLACK = 1e-6
"""What floats cannot differ by."""


class Verdicts(NamedTuple):
    """The most similar entry above the threshold, the oldest of equals, and its score.

    Both have shape (queries,); -1 and 0.0 where there is none.
    """

    nearest: NDArray[np.int64]
    score: NDArray[np.float64]


class Agreement(NamedTuple):
    """How many of some decisions are those of brute force.

    Attributes:
        checked: Decisions compared.
        decisions: Share of equal ones.
        nearest: Share of those whose nearest entry and score are equal, too.
    """

    checked: int
    decisions: float
    nearest: float


def agreement(
    candidates: Encoded, decisions: Decisions, entries: EntriesView, threshold: float
) -> Agreement:
    """Check a sample of decisions, each about a candidate and all of these entries."""
    most = max(16, min(_MOST, _PAIRS // max(size(entries), 1)))
    numbers = np.arange(size(candidates))
    if numbers.size > most:
        numbers = np.arange(most) * numbers.size // most
    truth = brute_force(sampled(candidates, most), entries, threshold)
    nearest, score = decisions.nearest[numbers], decisions.score[numbers]
    same = (nearest == truth.nearest) & (score == truth.score)
    return Agreement(
        numbers.size,
        float(np.mean((nearest >= 0) == (truth.nearest >= 0))),
        float(np.mean(same)),
    )


def brute_force(queries: Encoded, entries: EntriesView, threshold: float) -> Verdicts:
    """Compare all queries with all entries."""
    verdicts = Verdicts(np.full(size(queries), -1), np.zeros(size(queries)))
    asked = listed(queries)
    for start in range(0, size(entries), _BLOCK):
        block = cut(entries, start, min(start + _BLOCK, size(entries)))
        _compare(asked, listed(block), start, threshold, verdicts)
    return verdicts


def _compare(
    queries: list[list[int]],
    entries: list[list[int]],
    first: int,
    threshold: float,
    verdicts: Verdicts,
) -> None:
    lcs = cdist(queries, entries, scorer=LCSseq.similarity, dtype=np.int32, workers=1)
    m = np.array([len(query) for query in queries])
    n = np.array([len(entry) for entry in entries])
    close = 2 * lcs >= (threshold - _SLACK) * (m[:, None] + n)
    rows, columns = np.nonzero(close & (lcs > 0))
    common = lcs[rows, columns].astype(np.float64)
    precision, recall = common / n[columns], common / m[rows]
    scores = 2 * precision * recall / (precision + recall)

    above = scores > threshold
    rows, columns, scores = rows[above], columns[above], scores[above]
    order = np.lexsort((columns, -scores, rows))
    found, places = np.unique(rows[order], return_index=True)
    best = order[places]
    higher = scores[best] > verdicts.score[found]  # equals of earlier blocks are older
    verdicts.nearest[found[higher]] = columns[best[higher]] + first
    verdicts.score[found[higher]] = scores[best[higher]]

"""Agreement of two raters: Cohen's kappa and Spearman's rho.

Both are NaN where they are undefined: without ratings, and kappa where both raters gave one and
the same level to everything (chance alone would agree as well), rho where either gave only one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Kappa", "contingency", "kappa", "merged", "spearman"]


class Kappa(Struct, frozen=True, kw_only=True):
    """Cohen's kappa of a table.

    Attributes:
        value: 1 for full agreement, 0 for what chance would give, NaN where it is undefined.
        observed: Share of rows on which both agree.
        expected: Share on which they would by chance, each keeping how often it gives a level.
        error: Standard error for large samples.
    """

    value: float
    observed: float
    expected: float
    error: float


def contingency(first: ArrayLike, second: ArrayLike, levels: int) -> NDArray[np.float64]:
    """Count pairs of levels.

    Args:
        first: Shape (n,): the first rater's level of each row, from 0.
        second: Shape (n,): the second's, in the same order.
        levels: How many there are.

    Returns:
        Shape (levels, levels): the first rater's level down, the second's across.

    Raises:
        ValueError: They are not equally many, or a level is outside.
    """
    one, other = np.asarray(first, np.intp), np.asarray(second, np.intp)
    if one.shape != other.shape or one.ndim != 1:
        raise ValueError(f"paired ratings must be equally many: {one.shape} and {other.shape}")
    if one.size and not (0 <= min(one.min(), other.min()) <= max(one.max(), other.max()) < levels):
        raise ValueError(f"levels must lie between 0 and {levels - 1}")
    cells = np.bincount(one * levels + other, minlength=levels * levels)
    return cells.reshape(levels, levels).astype(np.float64)


def merged(table: ArrayLike, groups: Sequence[int]) -> NDArray[np.float64]:
    """Return a table with levels taken together.

    Args:
        table: Shape (levels, levels).
        groups: The new level of each old one, from 0: (0, 0, 1, 1) makes two of four.
    """
    counts = np.asarray(table, np.float64)
    fold = np.zeros((len(groups), max(groups) + 1))
    fold[np.arange(len(groups)), groups] = 1
    result: NDArray[np.float64] = fold.T @ counts @ fold
    return result


def kappa(table: ArrayLike) -> Kappa:
    """Return Cohen's kappa of two raters.

    Cohen (1960), A Coefficient of Agreement for Nominal Scales. The standard error is that of
    Fleiss, Cohen and Everitt (1969), Large Sample Standard Errors of Kappa and Weighted Kappa: of
    kappa as it is, not under the hypothesis that it is zero.

    Args:
        table: Shape (levels, levels), as :func:`contingency` makes it.
    """
    counts = np.asarray(table, np.float64)
    total = counts.sum()
    if not total:
        return Kappa(value=np.nan, observed=np.nan, expected=np.nan, error=np.nan)
    share = counts / total
    rows, columns, both = share.sum(axis=1), share.sum(axis=0), np.trace(share)
    chance = float(rows @ columns)
    if np.isclose(chance, 1.0, rtol=0, atol=1e-12):
        return Kappa(value=np.nan, observed=float(both), expected=chance, error=np.nan)
    value = float((both - chance) / (1 - chance))
    error = _variance(share, value, chance) / total
    # Rounding may leave a hair below zero where the raters agree on everything.
    return Kappa(
        value=value, observed=float(both), expected=chance, error=float(np.sqrt(max(error, 0.0)))
    )


def _variance(share: NDArray[np.float64], value: float, chance: float) -> float:
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    diagonal = np.diag(share)
    agreeing = diagonal @ (1 - (rows + columns) * (1 - value)) ** 2
    # Of the cell (i, j): how often the first gives j and the second i.
    crossed = share * (rows[np.newaxis, :] + columns[:, np.newaxis]) ** 2
    differing = (1 - value) ** 2 * (crossed.sum() - np.trace(crossed))
    offset = (value - chance * (1 - value)) ** 2
    return float((agreeing + differing - offset) / (1 - chance) ** 2)


def spearman(first: ArrayLike, second: ArrayLike, times: ArrayLike | None = None) -> float:
    """Return Spearman's rank correlation, ties having the mean of the ranks that they share.

    That is Pearson's correlation of the ranks; the formula of squared differences holds without
    ties only (Kendall and Gibbons, Rank Correlation Methods, 1990, chapter 3).

    Args:
        first: Shape (n,).
        second: Shape (n,).
        times: Shape (n,): how often each pair was seen; ``None`` for once.

    Returns:
        From -1 to 1; NaN if either side has one value only.

    Raises:
        ValueError: They are not equally many.
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    weight = np.ones_like(one) if times is None else np.asarray(times, np.float64)
    if not (one.shape == other.shape == weight.shape) or one.ndim != 1:
        raise ValueError(f"pairs must be equally many: {one.shape} and {other.shape}")
    total = weight.sum()
    if not total:
        return np.nan
    middle = (total + 1) / 2
    across, up = _ranks(one, weight) - middle, _ranks(other, weight) - middle
    spread = (weight @ across**2) * (weight @ up**2)
    return float((weight * across) @ up / np.sqrt(spread)) if spread > 0 else np.nan


def _ranks(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank of each value, from 1; the mean one where several are equal."""
    _, place = np.unique(values, return_inverse=True)
    tied = np.bincount(place, weights=weight)
    mean = np.cumsum(tied) - (tied - 1) / 2
    ranks: NDArray[np.float64] = mean[place]
    return ranks

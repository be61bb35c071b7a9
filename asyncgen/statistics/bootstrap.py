"""Intervals by the bootstrap and tests of paired differences.

Percentile intervals as in Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter
13: the statistic of many samples drawn from the rows with replacement, and its quantiles. The
paired test is approximate randomisation (Noreen, Computer-Intensive Methods for Testing
Hypotheses, 1989), the one that Dror et al. (2018, "The Hitchhiker's Guide to Testing Statistical
Significance in NLP") name for metrics without a known distribution: if two models are alike, each
pair of scores could as well be the other way round. Its p-value counts the observed arrangement
among the drawn ones (Phipson and Smyth, 2010), so it is never zero.

The same rows, plan and version of numpy give the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Interval", "PairedTest", "Resampling", "interval", "mean_interval", "paired_test"]

_CHUNK = 1 << 20
"""Draws that are held at once."""

_EXACT_UP_TO = 12
"""Pairs whose 2^n arrangements are all counted instead of drawn."""

_HAIR = 1e-9
"""Sums of the same numbers in another order may differ by this share of their size."""


class Interval(Struct, frozen=True):
    """What a statistic lies between, with confidence `level`; NaN where it is undefined."""

    low: float
    high: float
    level: float


class Resampling(Struct, frozen=True):
    """How samples are drawn."""

    resamples: int = 10_000
    seed: int = 0
    level: float = 0.95


class PairedTest(Struct, frozen=True):
    """Two models on the same rows: the difference is the second's mean less the first's."""

    difference: float
    interval: Interval
    p_value: float
    rows: int


_PLAN = Resampling()


def interval(
    rows: ArrayLike,
    statistic: Callable[[NDArray[np.float64]], float],
    plan: Resampling = _PLAN,
) -> Interval:
    """Return the percentile interval of a statistic over rows.

    Args:
        rows: Shape (n,) or (n, columns): one row for each thing measured, what belongs together
            (two raters' marks of one answer) in one row.
        statistic: Takes as many rows, some of them more than once. Where it is NaN (kappa of a
            sample in which all marks are the same), that sample is left out.
        plan: How many samples, from which seed.

    Returns:
        NaN at both ends if there are no rows or the statistic is undefined for every sample.
    """
    table = np.asarray(rows, np.float64)
    if not len(table):
        return Interval(np.nan, np.nan, plan.level)
    random = np.random.default_rng(plan.seed)
    picks = (random.integers(len(table), size=len(table)) for _ in range(plan.resamples))
    values = np.fromiter((statistic(table[pick]) for pick in picks), np.float64)
    return _percentiles(values, plan)


def mean_interval(
    values: ArrayLike, plan: Resampling = _PLAN, *, strata: Sequence[str] | None = None
) -> Interval:
    """Return the percentile interval of a mean over rows, each row counting the same.

    Args:
        values: Shape (n,).
        plan: How many samples, from which seed.
        strata: The group of each row. Samples are then drawn within groups, each keeping its
            size: the interval is that of new rows from the same groups, not of new groups.
    """
    row = np.asarray(values, np.float64)
    if not row.size:
        return Interval(np.nan, np.nan, plan.level)
    random = np.random.default_rng(plan.seed)
    sums = np.zeros(plan.resamples)
    for group in _groups(row, strata):
        for place in _places(plan.resamples, group.size):
            picks = random.integers(group.size, size=(place.stop - place.start, group.size))
            sums[place] += group[picks].sum(axis=1)
    return _percentiles(sums / row.size, plan)


def paired_test(
    first: ArrayLike,
    second: ArrayLike,
    plan: Resampling = _PLAN,
    *,
    strata: Sequence[str] | None = None,
) -> PairedTest:
    """Compare two models' scores on the same rows.

    Args:
        first: Shape (n,).
        second: Shape (n,), in the same order.
        plan: How many samples and arrangements, from which seed.
        strata: As for :func:`mean_interval`; the test needs none, it swaps within a row.

    Returns:
        The two-sided p-value is exact for a dozen rows or fewer, and drawn for more. It is NaN
        without rows.

    Raises:
        ValueError: They are not equally many.
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.shape != other.shape or one.ndim != 1:
        raise ValueError(f"paired rows must be equally many: {one.shape} and {other.shape}")
    differences = other - one
    if not differences.size:
        return PairedTest(np.nan, Interval(np.nan, np.nan, plan.level), np.nan, 0)
    return PairedTest(
        difference=float(differences.mean()),
        interval=mean_interval(differences, plan, strata=strata),
        p_value=_p_value(differences, plan),
        rows=differences.size,
    )


def _p_value(differences: NDArray[np.float64], plan: Resampling) -> float:
    # Equal scores stay equal either way round: only the rest can be rearranged.
    unequal = differences[differences != 0.0]
    if not unequal.size:
        return 1.0
    least = abs(unequal.sum()) - _HAIR * np.abs(unequal).sum()
    if unequal.size <= _EXACT_UP_TO:
        signs = np.array(np.meshgrid(*([-1.0, 1.0],) * unequal.size)).reshape(unequal.size, -1)
        return float((np.abs(unequal @ signs) >= least).mean())
    random = np.random.default_rng(plan.seed)
    extreme = 0
    for place in _places(plan.resamples, unequal.size):
        shape = (place.stop - place.start, unequal.size)
        signs = random.integers(2, size=shape, dtype=np.int8) * 2 - 1
        extreme += int((np.abs(signs @ unequal) >= least).sum())
    return (extreme + 1) / (plan.resamples + 1)


def _groups(
    values: NDArray[np.float64], strata: Sequence[str] | None
) -> Iterator[NDArray[np.float64]]:
    if strata is None:
        yield values
        return
    labels = np.asarray(strata)
    for label in np.unique(labels):
        yield values[labels == label]


def _places(resamples: int, size: int) -> Iterator[slice]:
    """Cut the samples into runs that fit into memory."""
    step = max(1, _CHUNK // size)
    for start in range(0, resamples, step):
        yield slice(start, min(start + step, resamples))


def _percentiles(values: NDArray[np.float64], plan: Resampling) -> Interval:
    defined = values[~np.isnan(values)]
    if not defined.size:
        return Interval(np.nan, np.nan, plan.level)
    tail = (1 - plan.level) / 2
    low, high = np.quantile(defined, (tail, 1 - tail))
    return Interval(float(low), float(high), plan.level)

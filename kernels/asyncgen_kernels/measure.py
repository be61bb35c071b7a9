"""The score, and the rule that follows its float.

The score is rouge_score's rougeL F-measure without a stemmer. Its float, not the fraction
2·LCS/(m+n), is what a threshold is compared with: where the fraction equals 7/10, the float lies
above 0.7 for some lengths, at it for most others and below it for a few. Decisions therefore ask
for whole numbers, `lcs >= required_lcs(threshold, m, n)`, found with the reference's own float.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.compiled import compiled, part, reader

if TYPE_CHECKING:
    from numpy.typing import NDArray

THRESHOLD = 0.7
"""What Self-Instruct rejects above."""

SHORT = 256
"""Lengths below this have their required LCS in a table."""

ANY = 1024
"""More tokens than a bound ever counts: those of an entry whose length is not known."""

_GREATEST = 2**15 - 1


def f_measure(lcs: int, m: int, n: int) -> float:
    """The reference's F for two texts of `m` and `n` tokens whose LCS has `lcs`, 0 <= lcs <= m, n.

    In float64 and in rouge_score's order of operations, so bit for bit its number; 0.0 where the
    LCS is empty. Symmetric in `m` and `n`, and strictly rising in `lcs`: neighbours are about
    1 / lcs apart, rounding is good to a few units of 2^-53.
    """
    if lcs == 0:
        return 0.0

    precision = lcs / n
    recall = lcs / m
    return 2 * precision * recall / (precision + recall)


measured = part(f_measure)
"""`f_measure` as a kernel."""


@compiled
def _least_lcs(threshold: float, m: int, n: int) -> int:
    beyond = min(m, n) + 1
    least = max(1, min(int(threshold * (m + n) / 2), beyond))
    while least > 1 and measured(least - 1, m, n) > threshold:
        least -= 1

    while least < beyond and measured(least, m, n) <= threshold:
        least += 1

    return least


class Bar(NamedTuple):
    """How much two texts must share to be too similar.

    For a given m the required LCS rises with n by 0 or 1 at each step, so the lengths n that can
    be similar to m at all are consecutive, and n - required never falls with n. All tables but
    `longest` are int16, shape (SHORT, SHORT); lengths from SHORT - 1 on are taken together in the
    last column, whose bounds hold for all of them.

    Attributes:
        threshold: Reject above this score, in (0, 1].
        required: The least LCS for lengths m, n.
        spare: How many tokens of the text of n may then be without a partner, n - required; -1
            where none suffices, ANY in the last column.
        least: The least n of which i tokens may be without a partner, for lengths m and i; SHORT
            where there is none.
        longest: The greatest n that can be similar, shape (SHORT,); 0 for none.
    """

    threshold: float
    required: NDArray[np.int16]
    spare: NDArray[np.int16]
    least: NDArray[np.int16]
    longest: NDArray[np.int16]


@reader
def required(bar: Bar, m: int, n: int) -> int:
    """`required_lcs` for a bar."""
    if m < SHORT and n < SHORT - 1:
        return int(np.int64(bar.required[m, n]))

    return _least_lcs(bar.threshold, m, n)


@reader
def fill_row(
    threshold: float,
    m: int,
    needs: NDArray[np.int16],
    spare: NDArray[np.int16],
    least: NDArray[np.int16],
) -> int:
    """Write the rows of a bar for texts of m tokens, of any number; return the greatest length.

    A required LCS too large for int16 is written as its greatest value: the query is so long
    that its bounds matter no more than they would at that value.
    """
    last = SHORT - 1
    low = _shortest(threshold, m)
    longest = 0
    for n in range(SHORT):
        need = _least_lcs(threshold, m, max(n, low) if n == last else n)
        fits = need <= m and (n == last or need <= n)
        needs[n] = min(need, _GREATEST)
        spare[n] = (ANY if n == last else n - need) if fits else -1
        longest = n if fits else longest

    n = 0
    for i in range(SHORT):
        while n < SHORT and spare[n] < i:
            n += 1

        least[i] = n

    return longest


@reader
def _shortest(threshold: float, m: int) -> int:
    """The least n with required_lcs(m, n) <= n; m + 1 where there is none."""
    low, high = 1, m + 1
    while low < high:
        middle = (low + high) // 2
        if _least_lcs(threshold, m, middle) <= middle:
            high = middle
        else:
            low = middle + 1

    return low


@compiled
def fill_bar(bar: Bar) -> None:
    """Write the tables of a bar; the first kernel that any pool needs."""
    for m in range(SHORT):
        bar.longest[m] = fill_row(bar.threshold, m, bar.required[m], bar.spare[m], bar.least[m])


@functools.lru_cache(maxsize=8)
def bar_of(threshold: float) -> Bar:
    """The bar at a threshold.

    Raises:
        ValueError: When the threshold is not in (0, 1].
    """
    check_threshold(threshold)
    table = (SHORT, SHORT)
    bar = Bar(
        float(threshold),
        np.empty(table, np.int16),
        np.empty(table, np.int16),
        np.empty(table, np.int16),
        np.empty(SHORT, np.int16),
    )
    fill_bar(bar)
    return bar


def required_lcs(threshold: float, m: int, n: int) -> int:
    """The least LCS of texts of `m` and `n` tokens whose F exceeds the threshold.

    It is min(m, n) + 1, which no pair attains, where not even a full overlap suffices.

    Raises:
        ValueError: When the threshold is not in (0, 1], or a length is negative.
    """
    check_threshold(threshold)
    if m < 0 or n < 0:
        raise ValueError(f"lengths count tokens, so they cannot be {m} and {n}")

    return _least_lcs(float(threshold), m, n)


def check_threshold(threshold: float) -> None:
    """Accept a threshold in (0, 1].

    Raises:
        ValueError: When it is outside, or not a number.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must lie in (0, 1], not {threshold}")

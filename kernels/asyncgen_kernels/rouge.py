"""Thresholds: the rule that follows the reference's float.

The reference is rouge_score's rougeL F-measure without a stemmer. Its float, not the fraction
2·LCS/(m+n), is what a threshold is compared with: where the fraction equals 7/10, the float lies
above 0.7 for some lengths, at it for most others and below it for a few. Decisions therefore ask
for whole numbers, `lcs >= required_lcs(threshold, m, n)`, found with the reference's own float.
"""

from __future__ import annotations

from asyncgen_kernels.kernels import f_measure

THRESHOLD = 0.7
"""What Self-Instruct rejects above."""


def required_lcs(threshold: float, m: int, n: int) -> int:
    """The least LCS of texts of `m` and `n` tokens whose F exceeds the threshold.

    It is min(m, n) + 1, which no pair attains, where not even a full overlap suffices.

    Raises:
        ValueError: When the threshold is not in (0, 1], or a length is negative.
    """
    check_threshold(threshold)
    if m < 0 or n < 0:
        raise ValueError(f"lengths count tokens, so they cannot be {m} and {n}")

    beyond = min(m, n) + 1
    least = max(1, min(int(threshold * (m + n) / 2), beyond))
    while least > 1 and f_measure(least - 1, m, n) > threshold:
        least -= 1

    while least < beyond and f_measure(least, m, n) <= threshold:
        least += 1

    return least


def check_threshold(threshold: float) -> None:
    """Accept a threshold in (0, 1].

    Raises:
        ValueError: When it is outside, or not a number.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must lie in (0, 1], not {threshold}")

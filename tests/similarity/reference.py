"""ROUGE-L from its definition: slow, plain, and importing nothing of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LETTERS_AND_DIGITS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


def tokens_of(text: str) -> list[str]:
    """Maximal runs of [a-z0-9] in the lower-cased text."""
    found = [""]
    for character in text.lower():
        if character in LETTERS_AND_DIGITS:
            found[-1] += character
        else:
            found.append("")

    return [token for token in found if token]


def lcs_of(a: Sequence[object], b: Sequence[object]) -> int:
    """Length of the longest common subsequence, by the table of the textbook."""
    above = [0] * (len(b) + 1)
    for left in a:
        row = [0]
        for column, right in enumerate(b):
            row.append(above[column] + 1 if left == right else max(above[column + 1], row[column]))
        above = row

    return above[-1]


def f_of(lcs: int, m: int, n: int) -> float:
    """The F-measure in float64, in the order in which rouge_score computes it."""
    if m == 0 or n == 0 or lcs == 0:
        return 0.0

    precision, recall = lcs / n, lcs / m
    return 2 * precision * recall / (precision + recall)


def score_of(a: str, b: str) -> float:
    """The F of two texts."""
    first, second = tokens_of(a), tokens_of(b)
    return f_of(lcs_of(first, second), len(first), len(second))


def verdict_of(scores: Iterable[float], threshold: float) -> tuple[int | None, float]:
    """Index and value of what rejects a text, as `nearest_of`; None and 0.0 when it is novel."""
    index, score = nearest_of(scores)
    return (index, score) if score > threshold else (None, 0.0)


def nearest_of(scores: Iterable[float]) -> tuple[int | None, float]:
    """Index and value of the first of the highest scores; None and 0.0 when all are 0."""
    best_index, best = None, 0.0
    for index, score in enumerate(scores):
        if score > best:
            best_index, best = index, score

    return best_index, best

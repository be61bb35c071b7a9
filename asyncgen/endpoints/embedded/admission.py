"""Which waiting request may start: a plain decision about prompts, without any clock.

The prefix cache holds what *was* computed, so requests that start in the same step do not
share: thirty-two requests with one long fixed beginning would compute it thirty-two times.
A request is therefore held back while another one is computing the beginning they share,
unless that beginning is in the cache already.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["MIN_SAVED_TOKENS", "next_admissible", "shared_prefix"]

# Below this many tokens, waiting one step costs more than computing them twice.
MIN_SAVED_TOKENS = 64
# Looking further down the queue would cost more than it finds.
_LOOKED_AT = 64


def shared_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how many leading tokens two prompts have in common."""
    length = min(len(first), len(second))
    if first[:length] == second[:length]:
        return length
    # Bisection: comparing slices runs in C, walking tokens would not.
    low, high = 0, length
    while low < high:
        middle = (low + high + 1) // 2
        if first[:middle] == second[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def next_admissible(
    waiting: Iterable[tuple[int, ...]],
    computing: Sequence[tuple[int, ...]],
    cached: Iterable[tuple[int, ...]] = (),
) -> int | None:
    """Return the index of the first waiting prompt for which waiting would save little.

    Args:
        waiting: Prompts in order of arrival.
        computing: Prompts whose first token is not there yet.
        cached: Prompts that are in the prefix cache.
    """
    for index, prompt in enumerate(islice(waiting, _LOOKED_AT)):
        being_computed = _longest_shared(prompt, computing)
        if being_computed < MIN_SAVED_TOKENS:
            return index
        if being_computed - _longest_shared(prompt, cached) < MIN_SAVED_TOKENS:
            return index
    return None


def _longest_shared(prompt: tuple[int, ...], others: Iterable[tuple[int, ...]]) -> int:
    return max((shared_prefix(prompt, other) for other in others), default=0)

"""Which waiting request may start: a plain decision about prompts, without any clock.

The prefix cache holds what *was* computed, so requests that start in the same step do not
share: thirty-two requests with one long fixed beginning would compute it thirty-two times.
A request is therefore held back while another one is computing the beginning they share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["MIN_SHARED_TOKENS", "next_admissible", "shared_prefix"]

# Below this many tokens, waiting one step costs more than computing them twice.
MIN_SHARED_TOKENS = 64


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
    waiting: Sequence[tuple[int, ...]],
    computing: Iterable[tuple[int, ...]],
    min_shared: int = MIN_SHARED_TOKENS,
) -> int | None:
    """Return the index of the first waiting prompt that shares no long beginning.

    Args:
        waiting: Prompts in order of arrival.
        computing: Prompts whose first token is not there yet.
        min_shared: Shared leading tokens from which on a prompt is held back.
    """
    busy = tuple(computing)
    for index, prompt in enumerate(waiting):
        if all(shared_prefix(prompt, other) < min_shared for other in busy):
            return index
    return None

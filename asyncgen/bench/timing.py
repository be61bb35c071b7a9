"""Time taken, told the same way for all: in one thread, the quickest of some rounds."""

from __future__ import annotations

import contextlib
import gc
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

__all__ = ["Spread", "laps", "quickest", "spread"]

_ROUNDS = 3
_LEAST = 0.2
"""Seconds in which further rounds are begun."""

_MOST = 6.0
"""Seconds after which no round is begun, even if there were fewer."""

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Spread:
    """Microseconds a candidate.

    Attributes:
        mean_us: Over all candidates, in the quickest of the rounds.
        p50_us: Over all calls of all rounds; a call's time is shared by its candidates.
        p99_us: Likewise.
    """

    mean_us: float
    p50_us: float
    p99_us: float


def quickest(work: Callable[[], object]) -> float:
    """Do the work some times and return the seconds of the quickest, so that it is warm."""
    return min(sum(lap) for lap in laps(lambda _: work(), [None]))


def laps(
    work: Callable[[_Item], object], items: Sequence[_Item], *, once: bool = False
) -> list[list[float]]:
    """Return the seconds that each item took, in one list for each round.

    Args:
        work: What to time.
        items: Handed to it one after the other.
        once: Do not begin a second round.
    """
    found: list[list[float]] = []
    with _undisturbed():
        begun = time.perf_counter()
        while not found or (not once and _another(len(found), time.perf_counter() - begun)):
            marks = [time.perf_counter()]
            for item in items:
                work(item)
                marks.append(time.perf_counter())
            found.append([end - start for start, end in pairwise(marks)])
    return found


def _another(rounds: int, seconds: float) -> bool:
    return seconds < _LEAST or (rounds < _ROUNDS and seconds < _MOST)


def spread(rounds: list[list[float]], sizes: Sequence[int]) -> Spread:
    """Return the time a candidate, from that of calls which took so many each."""
    each = np.array(rounds) / np.array(sizes) * 1e6
    mean = min(sum(lap) for lap in rounds) / sum(sizes) * 1e6
    return Spread(mean, float(np.percentile(each, 50)), float(np.percentile(each, 99)))


@contextlib.contextmanager
def _undisturbed() -> Generator[None]:
    """Keep the garbage collector out, as timeit does: it walks through millions of lists."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()

"""The similarity filter with names: kernels know texts by number, a run by id."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from asyncgen.records import Neighbour

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncgen_kernels import Pool

__all__ = ["Novelty"]

_BLOCK = 4096  # texts compared at a time: bounds the memory, not the result


class Novelty:
    """Every text that a new one must differ from: seeds first, then all that was kept.

    Args:
        threshold: A text is rejected when its ROUGE-L F-measure to any other exceeds it.
        seeds: The first texts by name, kept whatever they resemble.
    """

    def __init__(self, threshold: float, seeds: Mapping[str, str]) -> None:
        self._threshold = threshold
        self._ids = list(seeds)
        self._seeds = tuple(seeds.values())

    @cached_property
    def _pool(self) -> Pool:
        """Made when the first text comes: a run that is refused at once need not load Numba."""
        from asyncgen_kernels import Pool

        pool = Pool(self._threshold)
        pool.add_many(self._seeds)
        return pool

    def admit(self, name: str, text: str) -> tuple[int | None, Neighbour | None]:
        """Add a text if it is novel: return its place in the pool, or the one it is too near."""
        admission = self._pool.admit(text)
        if admission.nearest is not None:
            return None, Neighbour(self._ids[admission.nearest], admission.score)
        self._ids.append(name)
        return admission.entry, None

    def before(self, placed: Sequence[tuple[str, int]]) -> list[Neighbour | None]:
        """For each text the nearest of those before its place; ``None`` if none shares a word."""
        nearest: list[Neighbour | None] = []
        for start in range(0, len(placed), _BLOCK):
            texts, places = zip(*placed[start : start + _BLOCK], strict=True)
            found = self._pool.similar(texts, k=1, before=places)
            nearest += [
                Neighbour(self._ids[index], score) if score > 0 else None
                for index, score in zip(
                    found.index[:, 0].tolist(), found.score[:, 0].tolist(), strict=True
                )
            ]
        return nearest

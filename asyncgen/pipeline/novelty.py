"""The similarity filter with names: kernels know texts by number, a run by id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.records import Neighbour
from asyncgen_kernels import Pool

if TYPE_CHECKING:
    from asyncgen_kernels import Nearest

__all__ = ["Novelty"]


class Novelty:
    """Every text that a new one must differ from: seeds first, then all that was kept.

    Args:
        threshold: A text is rejected when its ROUGE-L F-measure to any other exceeds it.
    """

    def __init__(self, threshold: float) -> None:
        self._pool = Pool(threshold)
        self._ids: list[str] = []

    def add(self, name: str, text: str) -> None:
        """Add a text whatever it resembles."""
        self._pool.add(text)
        self._ids.append(name)

    def admit(self, name: str, text: str) -> tuple[bool, Neighbour | None]:
        """Add a text if it is novel; return whether it was, and its nearest before it."""
        admission = self._pool.admit(text)
        if admission.admitted:
            self._ids.append(name)
        return admission.admitted, self._named(admission.nearest)

    def _named(self, nearest: Nearest) -> Neighbour | None:
        if nearest.index is None:
            return None
        return Neighbour(self._ids[nearest.index], nearest.score)

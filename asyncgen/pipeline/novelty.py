"""The similarity filter with names: kernels know texts by number, a run by id."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from asyncgen.machine import processors
from asyncgen.records import Neighbour

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncgen.pipeline.exclusion import Excluded
    from asyncgen.records import Reason
    from asyncgen_kernels import Pool, Tokenizer

__all__ = ["Admission", "Novelty"]

_BLOCK = 4096  # texts compared at a time: bounds the memory, not the result


class Admission(NamedTuple):
    """What became of a candidate.

    Attributes:
        place: How many texts were kept before it, seeds included; ``None`` if it is rejected.
        nearest: The text that it is too near to.
        reason: "excluded" if that is one of the excluded texts.
        detail: What that says.
    """

    place: int | None
    nearest: Neighbour | None = None
    reason: Reason = "similar"
    detail: str = ""


class Novelty:
    """Every text that a new one must differ from: excluded ones, seeds, and all that was kept.

    Args:
        threshold: A text is rejected when its ROUGE-L F-measure to any other exceeds it.
        seeds: The first that are kept, by name, whatever they resemble.
        excluded: Texts that are no part of the run.
        tokenizer: How texts are cut to be compared.
    """

    def __init__(
        self,
        threshold: float,
        seeds: Mapping[str, str],
        excluded: Excluded,
        tokenizer: Tokenizer = "rouge",
    ) -> None:
        self._tokenizer: Tokenizer = tokenizer
        self._threshold = threshold
        self._ids = list(seeds)
        self._texts = list(seeds.values())
        self._excluded = excluded

    @cached_property
    def _pool(self) -> Pool:
        """Made when the first text comes: a run that is refused at once need not load Numba."""
        from asyncgen_kernels import Pool

        pool = Pool(self._threshold, self._tokenizer)
        for block in self._excluded.blocks():
            pool.add_many(block)
        pool.add_many(self._texts)
        return pool

    @cached_property
    def _kept(self) -> Pool:
        """What was kept, without what is excluded: to be scanned, which takes in every text."""
        from asyncgen_kernels import Pool

        return Pool(tokenizer=self._tokenizer) if self._excluded else self._pool

    def prepare(self) -> None:
        """Load the texts that are there from the start, which takes seconds for a million."""
        len(self._pool)

    def admit(self, name: str, text: str) -> Admission:
        """Add a text if it is novel, else say what it is too near to."""
        index, score = self._pool.admit(text)[1:]
        if index is None:
            self._ids.append(name)
            self._texts.append(text)
            return Admission(len(self._ids) - 1)
        others = len(self._excluded)
        if index >= others:
            return Admission(None, Neighbour(self._ids[index - others], score))
        nearest = Neighbour(self._excluded.name(index), score)
        return Admission(None, nearest, "excluded", self._excluded.snippet(index))

    def before(self, placed: Sequence[tuple[str, int]]) -> list[Neighbour | None]:
        """For each text the nearest kept before its place; ``None`` if none shares a word."""
        nearest: list[Neighbour | None] = []
        if placed and self._excluded:
            self._kept.add_many(self._texts[len(self._kept) :])
        for start in range(0, len(placed), _BLOCK):
            texts, places = zip(*placed[start : start + _BLOCK], strict=True)
            found = self._kept.similar(texts, k=1, before=places, threads=processors())
            nearest += [
                Neighbour(self._ids[index], score) if score > 0 else None
                for index, score in zip(
                    found.index[:, 0].tolist(), found.score[:, 0].tolist(), strict=True
                )
            ]
        return nearest

"""How near texts are to the seeds, and to what a run had kept before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen_kernels import Pool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.report.reading import RunRead

__all__ = ["Near", "Nearness"]

_BLOCK = 4096  # texts compared at a time: bounds the memory, not the result


class Near(Struct, frozen=True):
    """The nearest text, and its ROUGE-L F-measure; empty and 0 if none shares a word."""

    text: str = ""
    score: float = 0.0


class Nearness:
    """The seeds and the kept instructions of a run, each in a pool of their own."""

    def __init__(self, run: RunRead) -> None:
        threshold, tokenizer = run.settings.threshold, run.settings.tokenizer
        self._seeds = [seed.instruction for seed in run.seeds]
        self._kept = [draft.instruction for draft in run.fold.drafts]
        self._seed_pool = Pool(threshold, tokenizer)
        self._kept_pool = Pool(threshold, tokenizer)
        self._seed_pool.add_many(self._seeds)
        self._kept_pool.add_many(self._kept)

    def to_seeds(self, texts: Sequence[str]) -> list[Near]:
        """For each text the nearest seed."""
        everything = [len(self._seeds)] * len(texts)
        return _nearest(self._seed_pool, self._seeds, texts, everything)

    def to_kept(self, texts: Sequence[str], before: Sequence[int]) -> list[Near]:
        """For each text the nearest of the first so many kept instructions."""
        return _nearest(self._kept_pool, self._kept, texts, before)


def _nearest(
    pool: Pool, entries: list[str], texts: Sequence[str], before: Sequence[int]
) -> list[Near]:
    nearest: list[Near] = []
    for start in range(0, len(texts), _BLOCK):
        block = slice(start, start + _BLOCK)
        found = pool.similar(texts[block], k=1, before=before[block])
        indices, scores = found.index[:, 0].tolist(), found.score[:, 0].tolist()
        nearest += [
            Near(entries[index], score) if score > 0 else Near()
            for index, score in zip(indices, scores, strict=True)
        ]
    return nearest

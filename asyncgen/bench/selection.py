"""Parts of encoded texts: the first ones, some of them, batches, lists."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from asyncgen_kernels.text import Encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen_kernels import Vocabulary
    from asyncgen_kernels.entries import EntriesView

__all__ = ["batches", "cut", "learned", "listed", "sampled", "size"]

_LEARNED = 1024
"""Texts encoded at a time, as a pool does it."""


def size(texts: Encoded | EntriesView) -> int:
    """Return how many texts there are."""
    return texts.offsets.size - 1


def learned(vocabulary: Vocabulary, texts: Sequence[str]) -> Encoded:
    """Encode texts, adding what is new to the vocabulary."""
    parts = [
        vocabulary.learn(texts[start : start + _LEARNED])
        for start in range(0, len(texts), _LEARNED)
    ]
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    tokens = np.concatenate([part.tokens for part in parts])
    return Encoded(tokens, np.concatenate(([0], np.cumsum(lengths))))


def cut(texts: Encoded | EntriesView, start: int, end: int) -> Encoded:
    """Return texts from ``start`` on, those from ``end`` on left out."""
    offsets = texts.offsets[start : end + 1]
    return Encoded(texts.tokens[offsets[0] : offsets[-1]], offsets - offsets[0])


def batches(texts: Encoded, most: int) -> list[Encoded]:
    """Cut texts into batches of ``most``; the last one may be smaller."""
    count = size(texts)
    return [cut(texts, start, min(start + most, count)) for start in range(0, count, most)]


def sampled(texts: Encoded | EntriesView, most: int) -> Encoded:
    """Return at most so many texts, evenly spread over all."""
    count = size(texts)
    if count <= most:
        return cut(texts, 0, count)
    chosen = np.arange(most) * count // most
    starts, ends = texts.offsets[chosen], texts.offsets[chosen + 1]
    offsets = np.concatenate(([0], np.cumsum(ends - starts)))
    spans = zip(starts.tolist(), ends.tolist(), strict=True)
    return Encoded(np.concatenate([texts.tokens[a:b] for a, b in spans]), offsets)


def listed(texts: Encoded | EntriesView) -> list[list[int]]:
    """Return the tokens of each text."""
    tokens = texts.tokens[texts.offsets[0] : texts.offsets[-1]].tolist()
    bounds = (texts.offsets - texts.offsets[0]).tolist()
    return [tokens[start:end] for start, end in pairwise(bounds)]

"""Seeded synthetic corpora of any size, made block by block, with families of near-duplicates."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Rows = list[NDArray[np.int32]]

__all__ = [
    "BLOCK",
    "SEED",
    "WORDS",
    "Block",
    "block_of",
    "texts_of",
    "with_families",
    "word_shares",
    "zipf",
]

BLOCK = 65_536
SEED = 42

WORDS = 1_000_000
"""Of the vocabulary that Zipf's law draws from."""

_FAMILY = 0.25
"""Share of the texts that are an edited copy of an earlier one."""

_ANCESTORS = 16_384
"""How many texts of a block may have descendants in the next one."""

_MOST_EDITS = 0.6
"""Share of the words that a copy has changed at the most; drawn evenly from 0 on."""

_DROPPED = 0.3
"""Share of the edits that drop a word; the others replace it."""


class Block(NamedTuple):
    """Texts as numbers of words: text t is tokens[offsets[t] : offsets[t + 1]]."""

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @property
    def size(self) -> int:
        """How many texts it has."""
        return self.offsets.size - 1


def zipf(count: int, seed: int = SEED) -> Iterator[Block]:
    """Make texts of words drawn by Zipf's law from a million, of 16.5 words in the mean.

    The vocabulary grows with the corpus, as that of real text does. The first texts are the
    same for any count. Memory does not depend on it.
    """
    chance = np.random.default_rng((seed, 0))
    return with_families(_zipf(chance), count, chance)


def with_families(
    fresh: Iterator[Rows], count: int, chance: np.random.Generator
) -> Iterator[Block]:
    """Make a share of the texts edited copies of earlier ones, the others taken as they come.

    Args:
        fresh: Endless blocks of BLOCK texts of at least one word each.
        count: How many texts to make.
        chance: What is drawn from.
    """
    ancestors: Rows = []
    for start in range(0, count, BLOCK):
        rows = next(fresh)
        for index in np.flatnonzero(chance.random(len(rows)) < _FAMILY).tolist():
            if index + len(ancestors):
                pick = int(chance.integers(index + len(ancestors)))
                later = pick - len(ancestors)
                parent = ancestors[pick] if later < 0 else rows[later]
                rows[index] = _edited(parent, rows[index], chance)
        ancestors = rows[:_ANCESTORS]
        yield block_of(rows[: count - start])


def block_of(rows: Rows) -> Block:
    """Put texts together."""
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([row.size for row in rows], out=offsets[1:])
    return Block(np.concatenate(rows), offsets)


def texts_of(block: Block, words: Sequence[str] | None = None) -> list[str]:
    """Write a block as sentences; without a list of words, word 7 is "w7"."""
    tokens: list[int] = block.tokens.tolist()
    named = [f"w{token}" if words is None else words[token] for token in tokens]
    bounds = block.offsets.tolist()
    return [" ".join(named[start:end]).capitalize() + "." for start, end in pairwise(bounds)]


def word_shares() -> NDArray[np.float64]:
    """Return the share of the words up to each, by Zipf's law in Mandelbrot's form."""
    shares = np.cumsum((np.arange(WORDS) + 2.7) ** -1.05, dtype=np.float64)
    shares /= shares[-1]  # the commonest has 4 %
    return shares


def _zipf(chance: np.random.Generator) -> Iterator[Rows]:
    shares = word_shares()
    while True:
        lengths = _lengths(chance)
        tokens = np.searchsorted(shares, chance.random(int(lengths.sum()))).astype(np.int32)
        yield np.split(tokens, np.cumsum(lengths)[:-1])


def _lengths(chance: np.random.Generator) -> NDArray[np.int64]:
    """Draw lengths from 3 to 150, log-normal: the shape of real instructions."""
    drawn = np.exp(chance.normal(2.755, 0.47, BLOCK))
    return np.clip(drawn.astype(np.int64), 3, 150)


def _edited(
    parent: NDArray[np.int32], other: NDArray[np.int32], chance: np.random.Generator
) -> NDArray[np.int32]:
    """Copy a text, with some words replaced by those of another one and some dropped."""
    edits = chance.random(parent.size) < chance.random() * _MOST_EDITS
    drawn = other[chance.integers(other.size, size=parent.size)]
    copy = np.where(edits, drawn, parent)
    kept = ~edits | (chance.random(parent.size) >= _DROPPED)
    return copy[kept] if kept.any() else copy

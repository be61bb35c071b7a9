"""Seeded corpora of up to 10 million texts and more, as JSON lines: what the filter is measured on.

    python benchmarks/corpora.py KIND COUNT [--stream FILE] [--seed 42] > corpus.jsonl

Four kinds, each with families of near-duplicates, since that is what a filter meets:

zipf    words drawn by Zipf's law from a million, lengths log-normal with a mean of 16.5 tokens:
        the vocabulary grows with the corpus, as that of real text does
markov  a first-order Markov chain over the words of a real stream: real phrases, but no new word
        ever, so rare words become few as the corpus grows
named   real instructions with a third of their words replaced, one in three of these by a name
        that Zipf's law draws from a million: real phrases about ever new things
noise   the same without names: near-duplicates of a few texts out of a closed vocabulary, the
        hardest of all, and like no text that people or models write

All but zipf need the real stream, any corpus with a field "instruction" (--stream). Memory does
not depend on the count.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import orjson

from asyncgen.bench.synthetic import (
    BLOCK,
    SEED,
    WORDS,
    Block,
    block_of,
    texts_of,
    with_families,
    word_shares,
    zipf,
)
from asyncgen_kernels import tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

KINDS = ("zipf", "markov", "noise", "named")
NOISE = 0.35  # share of the words that are replaced
NAMES = 0.33  # share of these that become names
LONGEST = 60  # words of a chain


class Stream(NamedTuple):
    """A real corpus as numbers of words, and the word of each number."""

    texts: Block
    words: list[str]


def read(path: Path) -> list[str]:
    """Return the field "instruction" of JSON lines, gzip or plain, in order."""
    opened = gzip.open if path.suffix == ".gz" else Path.open
    with opened(path, "rb") as lines:
        return [orjson.loads(line)["instruction"] for line in lines]


def stream_of(texts: list[str]) -> Stream:
    """Number the words of texts; those without any are left out."""
    ids: dict[str, int] = {}
    rows = [[ids.setdefault(word, len(ids)) for word in tokenize(text)] for text in texts]
    return Stream(block_of([np.array(row, np.int32) for row in rows if row]), list(ids))


def sentences(
    kind: str, count: int, *, stream: Stream | None = None, seed: int = SEED
) -> Iterator[list[str]]:
    """Make `count` texts, in lists of at most BLOCK; the first ones are the same for any count.

    Raises:
        ValueError: If the kind needs a stream and has none.
    """
    if kind == "zipf":
        for block in zipf(count, seed):
            yield texts_of(block)
        return

    if stream is None:
        raise ValueError(f"a corpus of kind {kind} is made from a stream")
    chance = np.random.default_rng((seed, KINDS.index(kind)))
    words = stream.words
    if kind == "markov":
        fresh = _markov(stream, chance)
    elif kind == "noise":
        fresh = _noise(stream, chance, names=0)
    else:
        fresh = _noise(stream, chance, names=NAMES)
        words = [*words, *(f"n{number}" for number in range(WORDS))]
    for block in with_families(fresh, count, chance):
        yield texts_of(block, words)


def _markov(stream: Stream, chance: np.random.Generator) -> Iterator[list[NDArray[np.int32]]]:
    """Chain words from a first one to an end; the end is a word of its own, number `end`."""
    texts, end = stream.texts, len(stream.words)
    after = np.append(texts.tokens[1:], end)
    after[texts.offsets[1:] - 1] = end
    order = np.argsort(texts.tokens, kind="stable")
    successors = after[order]
    starts = np.searchsorted(texts.tokens[order], np.arange(end + 1))
    counts = np.diff(np.append(starts, successors.size))
    first = texts.tokens[texts.offsets[:-1]]
    while True:
        columns = [first[chance.integers(first.size, size=BLOCK)]]
        while len(columns) < LONGEST and (columns[-1] != end).any():
            now = columns[-1]
            pick = (chance.random(BLOCK) * counts[now]).astype(np.int64)
            column = successors[np.minimum(starts[now] + pick, successors.size - 1)]
            columns.append(np.where(now == end, end, column).astype(np.int32))
        table = np.stack(columns, axis=1)
        words = table != end
        yield np.split(table[words], np.cumsum(words.sum(axis=1))[:-1])


def _noise(
    stream: Stream, chance: np.random.Generator, *, names: float
) -> Iterator[list[NDArray[np.int32]]]:
    """Replace words of real texts, a share of them by names numbered behind the words."""
    texts, shares = stream.texts, word_shares()
    lengths = np.diff(texts.offsets)
    while True:
        picked = chance.integers(texts.size, size=BLOCK)
        ends = np.cumsum(lengths[picked])
        shifts = texts.offsets[picked] - ends + lengths[picked]
        tokens = texts.tokens[np.arange(ends[-1]) + np.repeat(shifts, lengths[picked])]
        drawn = texts.tokens[chance.integers(texts.tokens.size, size=tokens.size)]
        if names:
            named = np.searchsorted(shares, chance.random(tokens.size)) + len(stream.words)
            drawn = np.where(chance.random(tokens.size) < names, named, drawn).astype(np.int32)
        swapped = np.where(chance.random(tokens.size) < NOISE, drawn, tokens)
        yield np.split(swapped, ends[:-1])


def main() -> None:
    """Write a corpus as JSON lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("count", type=int)
    parser.add_argument("--stream", type=Path, help="the real stream that all but zipf need")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    if asked.kind != "zipf" and not asked.stream:
        parser.error(f"a corpus of kind {asked.kind} needs --stream")
    stream = stream_of(read(asked.stream)) if asked.stream else None
    for texts in sentences(asked.kind, asked.count, stream=stream, seed=asked.seed):
        for text in texts:
            sys.stdout.buffer.write(orjson.dumps({"instruction": text}) + b"\n")


if __name__ == "__main__":
    main()

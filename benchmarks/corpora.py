"""Seeded corpora of any size, as ids and as text: what the filter is measured on.

    python benchmarks/corpora.py KIND COUNT [--stream FILE] [--seed 42] > corpus.jsonl

Three kinds, each with families of near-duplicates, since that is what a filter meets:

zipf    words drawn by Zipf's law from a million, lengths log-normal with a mean of 16.5 tokens:
        the vocabulary grows with the corpus, as that of real text does
markov  a first-order Markov chain over the words of a real stream: real phrases, but no new word
        ever, so rare words become few as the corpus grows
noise   real instructions with a third of their words replaced by words drawn from the stream
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels import tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

KINDS = ("zipf", "markov", "noise")
BLOCK = 65_536
WORDS = 1_000_000
FAMILY = 0.25  # share of texts that are an edited copy of an earlier one
ANCESTORS = 16_384  # how many texts of a block may have descendants in the next
NOISE = 0.35


class Block(NamedTuple):
    """Texts as ids: text t is tokens[offsets[t] : offsets[t + 1]]."""

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return self.offsets.size - 1


class Stream(NamedTuple):
    """A real corpus as ids, and the word of each id."""

    texts: Block
    words: list[str]


def read(path: Path) -> list[str]:
    """The field "instruction" of JSON lines, gzip or plain, in order."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["instruction"] for line in lines]


def stream_of(texts: list[str]) -> Stream:
    """The texts with their words numbered."""
    ids: dict[str, int] = {}
    rows = [[ids.setdefault(word, len(ids)) for word in tokenize(text)] for text in texts]
    rows = [row for row in rows if row]
    return Stream(_block([np.array(row, np.int32) for row in rows]), list(ids))


def blocks(kind: str, count: int, *, stream: Stream | None = None, seed: int = 42) -> Iterator[Block]:
    """`count` texts in blocks of at most BLOCK; the first n texts are the same for any count.

    Raises:
        ValueError: When the kind is unknown, or needs a stream and has none.
    """
    chance = np.random.default_rng((seed, KINDS.index(kind)))
    if kind == "zipf":
        vocabulary = WORDS
        fresh = _zipf(chance)
    elif stream is None:
        raise ValueError(f"a corpus of kind {kind} is made from a stream")
    else:
        vocabulary = len(stream.words)
        fresh = _markov(stream, chance) if kind == "markov" else _noise(stream, chance)

    ancestors: list[NDArray[np.int32]] = []
    for start in range(0, count, BLOCK):
        rows = next(fresh)
        _grow_families(rows, ancestors, vocabulary, chance)
        ancestors = rows[:ANCESTORS]
        yield _block(rows[: count - start])


def texts_of(block: Block, words: list[str] | None = None) -> list[str]:
    """The block as sentences; without a word list, id 7 is the word "w7"."""
    named = [f"w{token}" for token in block.tokens] if words is None else None
    if words is not None:
        named = [words[token] for token in block.tokens]
    assert named is not None
    bounds = block.offsets.tolist()
    return [
        " ".join(named[start:end]).capitalize() + "."
        for start, end in zip(bounds, bounds[1:], strict=False)
    ]


def _zipf(chance: np.random.Generator) -> Iterator[list[NDArray[np.int32]]]:
    shares = np.cumsum((np.arange(WORDS) + 2.7) ** -1.05)  # Mandelbrot: the commonest is 4 %
    shares /= shares[-1]
    while True:
        lengths = _lengths(chance)
        tokens = np.searchsorted(shares, chance.random(int(lengths.sum()))).astype(np.int32)
        yield np.split(tokens, np.cumsum(lengths)[:-1])


def _lengths(chance: np.random.Generator) -> NDArray[np.int64]:
    """Log-normal, mean 16.5, from 3 to 150: the shape of real instructions."""
    drawn = np.exp(chance.normal(2.75, 0.47, BLOCK))
    return np.clip(drawn.astype(np.int64), 3, 150)


def _markov(stream: Stream, chance: np.random.Generator) -> Iterator[list[NDArray[np.int32]]]:
    """Chains from a first word to an end; the end is a word of its own, number `end`."""
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
        while len(columns) < 60 and (columns[-1] != end).any():
            now = columns[-1]
            pick = (chance.random(BLOCK) * counts[now]).astype(np.int64)
            column = successors[np.minimum(starts[now] + pick, successors.size - 1)]
            columns.append(np.where(now == end, end, column).astype(np.int32))
        table = np.stack(columns, axis=1)
        yield [row[row != end] for row in table]


def _noise(stream: Stream, chance: np.random.Generator) -> Iterator[list[NDArray[np.int32]]]:
    texts = stream.texts
    while True:
        rows = []
        for text in chance.integers(len(texts), size=BLOCK).tolist():
            row = texts.tokens[texts.offsets[text] : texts.offsets[text + 1]].copy()
            swapped = chance.random(row.size) < NOISE
            drawn = chance.integers(texts.tokens.size, size=int(swapped.sum()))
            row[swapped] = texts.tokens[drawn]
            rows.append(row)
        yield rows


def _grow_families(
    rows: list[NDArray[np.int32]],
    ancestors: list[NDArray[np.int32]],
    vocabulary: int,
    chance: np.random.Generator,
) -> None:
    """Make a share of the rows edited copies of earlier ones: each word changed by chance."""
    for index in np.flatnonzero(chance.random(len(rows)) < FAMILY).tolist():
        pick = int(chance.integers(index + len(ancestors))) if index + len(ancestors) else 0
        if not index + len(ancestors):
            continue
        parent = ancestors[pick] if pick < len(ancestors) else rows[pick - len(ancestors)]
        edits = chance.random(parent.size) < chance.random() * 0.6
        swapped = np.where(edits, rows[index][chance.integers(rows[index].size, size=parent.size)], parent)
        gone = edits & (chance.random(parent.size) < 0.3)
        rows[index] = swapped[~gone] if not gone.all() else swapped


def _block(rows: list[NDArray[np.int32]]) -> Block:
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([row.size for row in rows], out=offsets[1:])
    return Block(np.concatenate(rows), offsets)


def main() -> None:
    """Write a corpus as JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("count", type=int)
    parser.add_argument("--stream", type=Path, help="the real stream that markov and noise need")
    parser.add_argument("--seed", type=int, default=42)
    asked = parser.parse_args()
    stream = stream_of(read(asked.stream)) if asked.stream else None
    for block in blocks(asked.kind, asked.count, stream=stream, seed=asked.seed):
        for text in texts_of(block, stream.words if stream else None):
            sys.stdout.write(json.dumps({"instruction": text}) + "\n")


if __name__ == "__main__":
    main()

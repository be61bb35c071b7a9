"""The pool measured: deciding with and without tokenising, scanning, loading, memory."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asyncgen.bench.contender import Contender, contender
from asyncgen.bench.selection import batches, cut, listed, sampled, size
from asyncgen.bench.timing import Spread, laps, quickest, spread
from asyncgen_kernels import Pool
from asyncgen_kernels.columns import Columns
from asyncgen_kernels.scan import scan_many, scores, scores_many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen_kernels import PoolSnapshot, Tokenizer
    from asyncgen_kernels.entries import EntriesView
    from asyncgen_kernels.index import Index
    from asyncgen_kernels.text import Encoded

__all__ = ["Loaded", "alone", "decisions", "loaded", "scan_batch", "scan_single", "score_table"]

_BATCH = 64
"""Candidates a call, as a generator delivers them."""

_ALONE = 512
_SINGLE = 64
_PAIRS = 3_000_000
_FEWEST = 4
_MANY = 256
_SCORES = 1 << 26
"""Scores a call: eight bytes each."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A pool as its user has it: texts in.

    Attributes:
        seconds: For adding all texts, tokenising included.
        snapshot: Its counts then.
        decision: For tokenising, deciding and inserting, in batches of 64.
    """

    seconds: float
    snapshot: PoolSnapshot
    decision: Spread


def decisions(index: Index, candidates: Encoded) -> Spread:
    """Decide on tokens in batches of 64, appending nothing."""
    calls = batches(candidates, _BATCH)
    index.search(calls[0])
    return spread(laps(index.search, calls), [size(call) for call in calls])


def alone(index: Index, candidates: Encoded) -> Spread:
    """Decide on tokens one text a call, so that each decision has a time; the call is in it."""
    calls = batches(sampled(candidates, _ALONE), 1)
    index.search(calls[0])
    return spread(laps(index.search, calls), [1] * len(calls))


def loaded(
    pool: Sequence[str], candidates: Sequence[str], threshold: float, tokenizer: Tokenizer
) -> Loaded:
    """Load a pool and admit the candidates, once: those admitted would not be so again."""
    filled = Pool(threshold, tokenizer)
    begun = time.perf_counter()
    filled.add_many(pool)
    seconds = time.perf_counter() - begun
    snapshot = filled.snapshot()
    calls = [candidates[start : start + _BATCH] for start in range(0, len(candidates), _BATCH)]
    found = laps(filled.admit_many, calls, once=True)
    return Loaded(seconds, snapshot, spread(found, [len(call) for call in calls]))


def scan_single(candidates: Encoded, entries: EntriesView) -> Contender:
    """Score all entries, one candidate a call."""
    most = min(_SINGLE, max(_FEWEST, _PAIRS // size(entries)))
    queries = [np.array(query, np.int32) for query in listed(sampled(candidates, most))]

    columns = Columns()
    scores(queries[0], entries, columns)

    def work() -> None:
        for query in queries:
            scores(query, entries, columns)

    return contender(
        "asyncgen",
        "scan_single",
        seconds=quickest(work),
        candidates=len(queries),
        entries=size(entries),
        pool=size(entries),
    )


def scan_batch(candidates: Encoded, entries: EntriesView, vocabulary: int) -> Contender:
    """Score all entries for up to 256 candidates a call, short and long as they come.

    Of the scores the best ten, the mean and the histogram are kept; see `score_table`.
    """
    queries, columns = sampled(candidates, _MANY), Columns()

    def work() -> None:
        scan_many(queries, entries, vocabulary, columns=columns)

    work()
    return contender(
        "asyncgen",
        "scan_batch",
        seconds=quickest(work),
        candidates=size(queries),
        entries=size(entries),
        pool=size(entries),
    )


def score_table(candidates: Encoded, entries: EntriesView, vocabulary: int) -> float:
    """Return microseconds a candidate for the same with all scores written into one array."""
    queries = sampled(candidates, _MANY)
    most = max(_SINGLE, min(_MANY, _SCORES // size(entries)))
    calls = batches(queries, most)

    def work() -> None:
        for call in calls:
            scores_many(call, entries, vocabulary)

    scores_many(cut(queries, 0, 1), entries, vocabulary)
    return quickest(work) / size(queries) * 1e6

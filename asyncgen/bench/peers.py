"""What others would use: rapidfuzz at its best and as people use it, and rouge_score."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from rapidfuzz.distance import Indel
from rapidfuzz.process import cdist, extractOne

from asyncgen.bench.contender import Contender, contender
from asyncgen.bench.selection import listed, sampled, size
from asyncgen.bench.timing import quickest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen_kernels import Tokenizer
    from asyncgen_kernels.entries import EntriesView
    from asyncgen_kernels.text import Encoded

__all__ = ["rapidfuzz_cdist", "rapidfuzz_extract_one", "rouge_score"]

_CALL = 256
"""Candidates a call: more do not make it faster."""

_BLOCK = 65_536
"""Entries a call: the scores of a call take 64 MiB."""

_ENTRIES = 1_000_000
"""Entries at the most: as Python's lists they take more memory than the pool."""

_PAIRS = 3_000_000
_FEWEST, _MOST = 4, 64
"""Candidates of the slower ones."""

_FIRST_POINT = 0x10000
_LAST_POINT = 0x10FFFF

_REFERENCE_CANDIDATES = 4
_REFERENCE_ENTRIES = 512


def rapidfuzz_cdist(candidates: Encoded, entries: EntriesView, threshold: float) -> Contender:
    """Measure rapidfuzz at its best: lists of ints, many candidates a call, a cut-off."""
    queries = listed(sampled(candidates, _CALL))
    choices = listed(sampled(entries, _ENTRIES))
    blocks = [choices[start : start + _BLOCK] for start in range(0, len(choices), _BLOCK)]

    def work() -> None:
        for block in blocks:
            cdist(
                queries,
                block,
                scorer=Indel.normalized_similarity,
                score_cutoff=threshold,
                workers=1,
            )

    return contender(
        "rapidfuzz",
        "cdist",
        seconds=quickest(work),
        candidates=len(queries),
        entries=len(choices),
        pool=size(entries),
    )


def rapidfuzz_extract_one(candidates: Encoded, entries: EntriesView, threshold: float) -> Contender:
    """Measure rapidfuzz as people use it: one candidate a call, one code point a token."""
    choices = _strings(sampled(entries, _ENTRIES))
    most = min(_MOST, max(_FEWEST, _PAIRS // len(choices)))
    queries = _strings(sampled(candidates, most))

    def work() -> None:
        for query in queries:
            extractOne(query, choices, scorer=Indel.normalized_similarity, score_cutoff=threshold)

    return contender(
        "rapidfuzz",
        "extractOne",
        seconds=quickest(work),
        candidates=len(queries),
        entries=len(choices),
        pool=size(entries),
    )


def rouge_score(candidates: Sequence[str], pool: Sequence[str], tokenizer: Tokenizer) -> Contender:
    """Measure rouge_score as the reference uses it: text against text.

    A few candidates and entries: a pair takes the same time whatever the pool.
    """
    from rouge_score.rouge_scorer import RougeScorer

    own = None if tokenizer == "rouge" else _Words(tokenizer)
    scorer: Any = RougeScorer(["rougeL"], use_stemmer=False, tokenizer=own)
    queries = _spread(candidates, _REFERENCE_CANDIDATES)
    entries = _spread(pool, _REFERENCE_ENTRIES)

    def work() -> None:
        for query in queries:
            for entry in entries:
                scorer.score(query, entry)

    return contender(
        "rouge_score",
        "score",
        seconds=quickest(work),
        candidates=len(queries),
        entries=len(entries),
        pool=len(pool),
    )


class _Words:
    """Our tokenizer in the form that rouge_score takes."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer: Tokenizer = tokenizer

    def tokenize(self, text: str) -> list[str]:
        """Cut a text into tokens."""
        from asyncgen_kernels import tokenize

        return tokenize(text, self._tokenizer)


def _strings(texts: Encoded) -> list[str]:
    # Beyond a million tokens the latest share a code point: others matches, the same cost.
    points = np.minimum(texts.tokens.astype(np.uint32) + _FIRST_POINT, _LAST_POINT)
    every = points.astype("<u4").tobytes().decode("utf-32-le")
    bounds = texts.offsets.tolist()
    return [every[start:end] for start, end in pairwise(bounds)]


def _spread(texts: Sequence[str], most: int) -> list[str]:
    count = min(most, len(texts))
    return [texts[number * len(texts) // count] for number in range(count)]

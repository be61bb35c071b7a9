"""One assertion for everything that has to hold of a pair of texts, and texts to try it on."""

from __future__ import annotations

import functools
import random
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz.distance import Indel, LCSseq
from rouge_score.rouge_scorer import RougeScorer
from similarity import reference

from asyncgen_kernels import Pool, f_measure, lcs_length, required_lcs, rouge_l

if TYPE_CHECKING:
    from collections.abc import Sequence

THRESHOLDS = (0.05, 0.25, 1 / 3, 0.5, 0.6, 2 / 3, 0.7, 0.75, 0.8, 0.9, 0.999, 1.0)


@functools.cache
def rouge() -> RougeScorer:
    return RougeScorer(["rougeL"], use_stemmer=False)


def as_text(tokens: Sequence[int]) -> str:
    """A text with one word for each token."""
    return " ".join(f"w{token}" for token in tokens)


def check_scores(a: Sequence[int], b: Sequence[int]) -> None:
    """Every way to score the pair gives the reference's number, in both directions."""
    check_pair(a, b)
    check_pool(a, b)
    check_cut_off(a, b)
    if len(a) * len(b) <= 40_000:  # rouge_score's table is slow
        expected = rouge().score(as_text(a), as_text(b))["rougeL"].fmeasure

        assert rouge_l(np.array(a, np.int32), np.array(b, np.int32)) == expected


def check_pair(a: Sequence[int], b: Sequence[int]) -> None:
    """The single-pair kernel agrees with the table, with rapidfuzz, and with itself reversed."""
    first, second = np.array(a, np.int32), np.array(b, np.int32)
    lcs = reference.lcs_of(a, b)

    assert lcs_length(first, second) == lcs_length(second, first) == lcs
    assert LCSseq.similarity(a, b) == lcs
    assert Indel.distance(a, b) == len(a) + len(b) - 2 * lcs
    expected = reference.f_of(lcs, len(a), len(b))
    assert f_measure(lcs, len(a), len(b)) == f_measure(lcs, len(b), len(a)) == expected
    assert rouge_l(first, second) == rouge_l(second, first) == expected
    assert rouge_l(first, first) == (1.0 if len(a) else 0.0)


def check_pool(a: Sequence[int], b: Sequence[int]) -> None:
    """One against many gives the pair's score, also amid other entries."""
    score = reference.f_of(reference.lcs_of(a, b), len(a), len(b))
    for query, entry in ((a, b), (b, a)):
        pool = Pool()
        for text in ("", as_text(entry), "stranger", as_text(entry)):
            pool.add(text)
        nearest = pool.nearest(as_text(query))

        assert pool.scan(as_text(query)).tolist() == [0.0, score, 0.0, score]
        assert (nearest.index, nearest.score) == ((1, score) if score else (None, 0.0))


def check_cut_off(a: Sequence[int], b: Sequence[int]) -> None:
    """At every threshold the decision is the float's, and the integer rule's."""
    m, n = len(a), len(b)
    lcs = reference.lcs_of(a, b)
    for threshold in THRESHOLDS:
        rejected = reference.f_of(lcs, m, n) > threshold
        pool = Pool(threshold)
        pool.add(as_text(a))

        assert (lcs >= required_lcs(threshold, m, n)) == rejected
        assert pool.admit(as_text(b)).admitted != rejected


def sentences(count: int, seed: int) -> list[str]:
    """Texts as a model writes them: common and rare words, near-duplicates, empty ones, long ones.

    Every third is an edited copy of an earlier one; one in forty has no token or over 64.
    """
    chance = random.Random(seed)
    words = [f"word{number}" for number in range(400)]
    weights = [1 / (rank + 1) for rank in range(400)]
    texts: list[str] = []
    for number in range(count):
        if texts and number % 3 == 2:
            words_of_it = chance.choice(texts).split()
            for _ in range(chance.randint(0, 4)):
                words_of_it.insert(chance.randint(0, len(words_of_it)), chance.choice(words))
                del words_of_it[chance.randrange(len(words_of_it))]
            texts.append(" ".join(words_of_it))
        elif number % 40 == 7:
            texts.append(chance.choice(["", "?!", " ".join(chance.choices(words, weights, k=130))]))
        else:
            texts.append(" ".join(chance.choices(words, weights, k=chance.randint(3, 25))) + ".")

    return texts

"""What has to hold of texts against each other, and texts to try it on."""

from __future__ import annotations

import functools
import gzip
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rapidfuzz.distance import Indel, LCSseq
from rapidfuzz.process import cdist
from rouge_score.rouge_scorer import RougeScorer
from similarity import reference

from asyncgen_kernels import Pool, f_measure, lcs_length, required_lcs, rouge_l
from asyncgen_kernels.text import UNKNOWN, Encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from asyncgen_kernels.index import Index

STREAM = Path(__file__).parents[2].parent / "shared" / "data" / "instruction_stream.jsonl.gz"

needs_stream = pytest.mark.skipif(not STREAM.exists(), reason="the shared data folder is not here")

THRESHOLDS = (0.01, *(step / 20 for step in range(1, 20)), 1 / 3, 2 / 3, 0.999, 1.0)

AWKWARD_LENGTHS = (0, 1, 2, 7, 31, 63, 64, 65, 127, 128, 129, 254, 255, 256, 257, 300, 1000, 1023)

Text = list[int]


@functools.cache
def rouge() -> RougeScorer:
    return RougeScorer(["rougeL"], use_stemmer=False)


@functools.cache
def stream() -> list[str]:
    """The real instructions, 65 thousand of them."""
    with gzip.open(STREAM, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["instruction"] for line in lines]


def as_text(tokens: Sequence[int]) -> str:
    """A text with one word for each token."""
    return " ".join(f"w{token}" for token in tokens)


def encoded(texts: Sequence[Sequence[int]]) -> Encoded:
    """Texts as an index takes them."""
    offsets = np.cumsum([0, *(len(text) for text in texts)])
    return Encoded(np.array([token for text in texts for token in text], np.int32), offsets)


def scores_of(
    queries: Sequence[Sequence[int]], entries: Sequence[Sequence[int]]
) -> NDArray[np.float64]:
    """The reference's F of all pairs; the LCS is rapidfuzz's, UNKNOWN having no partner."""
    strangers = [[token if token != UNKNOWN else None for token in text] for text in queries]
    lcs = cdist(strangers, entries, scorer=LCSseq.similarity, dtype=np.int32)
    lengths = [np.array([len(text) for text in texts], np.int32) for texts in (queries, entries)]
    return floats_of(lcs, lengths[0][:, None], lengths[1][None, :])


def floats_of(
    lcs: NDArray[np.int32], m: NDArray[np.int32], n: NDArray[np.int32]
) -> NDArray[np.float64]:
    """`reference.f_of`, in the same order of operations, for arrays that fit together."""
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = lcs / n, lcs / m
        return np.where(lcs > 0, 2 * precision * recall / (precision + recall), 0.0)


def verdict_of(scores: NDArray[np.float64], threshold: float) -> tuple[int, float]:
    """`reference.verdict_of` for an array, with -1 for None."""
    best = int(scores.argmax()) if scores.size else -1  # the first of equals
    if best < 0 or scores[best] <= threshold:
        return -1, 0.0

    return best, float(scores[best])


def admit_one(index: Index, text: Text, vocabulary: int) -> tuple[int, float, int]:
    """Nearest, score and entry of a decision."""
    found = index.admit(encoded([text]))
    index.settle(vocabulary)
    return int(found.nearest[0]), float(found.score[0]), int(found.entry[0])


def search_one(index: Index, text: Text) -> tuple[int, float]:
    """Nearest and score of what would be decided."""
    found = index.search(encoded([text]))

    assert found.entry.tolist() == [-1]
    return int(found.nearest[0]), float(found.score[0])


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
        nearest, score = reference.verdict_of([reference.f_of(lcs, m, n)], threshold)
        pool = Pool(threshold)
        pool.add(as_text(a))
        admission = pool.admit(as_text(b))

        assert (lcs >= required_lcs(threshold, m, n)) == (nearest is not None)
        assert (admission.nearest, admission.score) == (nearest, score)
        assert admission.admitted == (nearest is None)


def edited(text: Sequence[int], chance: random.Random, alphabet: int, edits: int) -> Text:
    """A copy with so many tokens inserted, removed or replaced."""
    copy = list(text)
    for _ in range(edits):
        place = chance.randrange(len(copy) + 1)
        copy[place : place + chance.randrange(3)] = [
            chance.randrange(alphabet) for _ in range(chance.randrange(2))
        ]

    return copy


def mixed_texts(count: int, seed: int, longest: int = 20, alphabet: int = 60) -> list[Text]:
    """Common tokens and rare ones, a third edited copies, some of a single token repeated."""
    chance = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(alphabet)]
    texts: list[Text] = []
    for number in range(count):
        length = chance.randrange(longest + 1)
        if texts and number % 3 == 2:
            text = chance.choice(texts)
            texts.append(edited(text, chance, alphabet, chance.randrange(2 + len(text) // 5)))
        elif number % 20 == 10:
            texts.append([chance.randrange(alphabet)] * length)
        else:
            texts.append(chance.choices(range(alphabet), weights, k=length))

    return texts


def awkward_texts(seed: int) -> list[Text]:
    """Lengths around words and tables of kernels, alphabets of 1 to 5 tokens and a large one."""
    chance = random.Random(seed)
    texts: list[Text] = []
    for length in AWKWARD_LENGTHS:
        for alphabet in (1, 2, 3, 4, 5, 300):
            text = [chance.randrange(alphabet) for _ in range(length)]
            texts += [text, edited(text, chance, alphabet, length // 8)]

    texts += [[7] * 300, [7, 8] * 150, [9] * 256]
    chance.shuffle(texts)
    return texts


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

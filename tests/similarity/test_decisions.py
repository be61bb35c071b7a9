"""Decisions of an index equal brute force under the reference's float, after every single append.

Where the index keeps an entry, in its tail or in which segment, must not show; a small tail makes
it pass through all its stages within a few hundred texts.
"""

from __future__ import annotations

import functools
import random
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING

import pytest
from similarity import reference
from similarity.harness import (
    THRESHOLDS,
    Text,
    admit_one,
    as_text,
    awkward_texts,
    edited,
    encoded,
    mixed_texts,
    scores_of,
    search_one,
    sentences,
    verdict_of,
)

from asyncgen_kernels import Pool
from asyncgen_kernels import index as index_module
from asyncgen_kernels.index import Index
from asyncgen_kernels.postings import LONG
from asyncgen_kernels.text import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

VOCABULARY = 512

CORPORA: dict[str, list[Text]] = {
    "awkward": awkward_texts(seed=1),
    "short": mixed_texts(250, seed=2, longest=6, alphabet=3),
    "usual": mixed_texts(250, seed=3),
    "around a word": mixed_texts(120, seed=4, longest=140, alphabet=200),
}


@functools.cache
def scores_within(corpus: str) -> NDArray[np.float64]:
    return scores_of(CORPORA[corpus], CORPORA[corpus])


@pytest.fixture(params=[1, 8, 2048])
def tail(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """From so many entries on, a tail becomes a segment; the last one is never full."""
    size: int = request.param
    monkeypatch.setattr(index_module, "_TAIL", size)
    return size


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_admissions_equal_brute_force(
    corpus: str, threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other; what was admitted is found at once."""
    monkeypatch.setattr(index_module, "_TAIL", 8)
    texts, scores = CORPORA[corpus], scores_within(corpus)
    index, kept = Index(threshold), list[int]()
    for number, text in enumerate(texts):
        nearest, score = verdict_of(scores[number, kept], threshold)
        entry = len(kept) if nearest < 0 else -1

        assert admit_one(index, text, VOCABULARY) == (nearest, score, entry)
        if nearest < 0:
            kept.append(number)
            assert search_one(index, text) == verdict_of(scores[number, kept], threshold)

    assert len(index) == len(kept)
    assert index.view().tokens.tolist() == [token for number in kept for token in texts[number]]


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.7, 0.95])
def test_every_text_has_its_nearest_after_every_append(
    corpus: str, threshold: float, tail: int
) -> None:
    """Also among entries that are copies, or are like one another."""
    texts, scores = CORPORA[corpus], scores_within(corpus)
    index, chance = Index(threshold), random.Random(5)
    for count, text in enumerate(texts, start=1):
        index.append(encoded([text]))
        index.settle(VOCABULARY)
        asked = [count - 1, *chance.choices(range(len(texts)), k=2)]
        found = index.search(encoded([texts[number] for number in asked]))

        assert list(zip(found.nearest.tolist(), found.score.tolist(), strict=True)) == [
            verdict_of(scores[number, :count], threshold) for number in asked
        ]


def ties(numerator: int, denominator: int, most: int = 150) -> Iterator[tuple[int, int, int]]:
    """All (lcs, m, n) of which 2·lcs / (m + n) is the fraction, both lengths up to `most`."""
    for m, n in product(range(1, most + 1), repeat=2):
        lcs, rest = divmod(numerator * (m + n), 2 * denominator)
        if not rest and lcs <= min(m, n):
            yield lcs, m, n


def tied_pair(lcs: int, m: int, n: int, chance: random.Random, news: Iterator[int]) -> list[Text]:
    """Two texts of m and n tokens with exactly this LCS, and with at most 0.4 to any other pair's.

    A fifth of the common tokens, and of the rest, is one of a few that all pairs have, often
    twice; `news` gives the others.
    """
    common = [chance.randrange(5) for _ in range(lcs // 5)]
    core = [*common, *(next(news) for _ in range(lcs - len(common)))]
    chance.shuffle(core)
    pair: list[Text] = []
    for length, frequent in ((m, 5), (n, 10)):
        rest = length - lcs
        extra = [frequent + chance.randrange(5) for _ in range(rest // 5)]
        extra += [next(news) for _ in range(rest - len(extra))]
        places = set(chance.sample(range(length), lcs))
        ours, theirs = iter(core), iter(extra)
        pair.append([next(ours if place in places else theirs) for place in range(length)])

    return pair


@pytest.mark.parametrize(
    ("numerator", "denominator", "pairs"),
    [(7, 10, 531), (1, 2, 3825), (2, 3, 3850), (3, 4, 1163), (4, 5, 1560), (9, 10, 217)],
)
def test_ties_follow_the_float(
    numerator: int, denominator: int, pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every pair of lengths whose F is exactly the threshold as a fraction, amid many others."""
    monkeypatch.setattr(index_module, "_TAIL", 32)
    chance = random.Random(6)
    lengths = list(ties(numerator, denominator))
    chance.shuffle(lengths)
    for start in range(0, len(lengths), 120):
        check_ties(lengths[start : start + 120], numerator / denominator, chance)

    assert len(lengths) == pairs


def check_ties(
    lengths: list[tuple[int, int, int]], threshold: float, chance: random.Random
) -> None:
    """The first text of each pair is appended, the second then admitted or not, by the float."""
    vocabulary = 25_000
    news = iter(chance.sample(range(15, vocabulary), vocabulary - 15))
    index = Index(threshold)
    expected: list[tuple[int, float]] = []
    seconds: list[Text] = []
    for lcs, m, n in lengths:
        first, second = tied_pair(lcs, m, n, chance, news)
        index.append(encoded([first]))
        index.settle(vocabulary)
        score, entry = reference.f_of(lcs, m, n), len(index)
        rejected = score > threshold
        expected.append((entry - 1, score) if rejected else (entry, 1.0))
        decision = (entry - 1, score, -1) if rejected else (-1, 0.0, entry)

        assert admit_one(index, second, vocabulary) == decision
        assert search_one(index, second) == expected[-1]
        seconds.append(second)

    found = index.search(encoded(seconds))  # now that most are in segments, ranked anew
    assert list(zip(found.nearest.tolist(), found.score.tolist(), strict=True)) == expected


def test_the_float_lies_above_at_and_below_seven_tenths() -> None:
    scores = [reference.f_of(*lengths) for lengths in ties(7, 10)]

    assert Counter((score > 0.7) - (score < 0.7) for score in scores) == {1: 272, 0: 241, -1: 18}


@pytest.mark.parametrize("postings", [LONG - 2, LONG - 1, LONG, LONG + 40])
@pytest.mark.parametrize("threshold", [0.01, 0.7, 0.99])
def test_a_list_may_be_short_or_long(postings: int, threshold: float) -> None:
    """One token, repeated 1, 2, 3, … times: each entry stands in that token's list alone."""
    texts = [[7] * length for length in range(1, postings + 1)]
    random.Random(postings).shuffle(texts)
    index = Index(threshold)
    index.append(encoded(texts))
    index._make_segment(postings, 8)
    queries = [[7] * length for length in range(postings + 40)]
    scores = scores_of(queries, texts)
    found = index.search(encoded(queries))

    assert index._lists.runs.size == 0 or postings >= LONG - 1
    for number in range(len(queries)):
        expected = verdict_of(scores[number], threshold)

        assert (found.nearest[number], found.score[number]) == expected


@pytest.mark.parametrize("alphabet", [2, 3, 4, 5])
@pytest.mark.parametrize("threshold", [0.3, 0.7, 0.9])
def test_few_tokens_fill_long_lists(alphabet: int, threshold: float) -> None:
    """Twelve hundred entries of 2 to 5 different tokens, in the tail and then in one segment."""
    chance = random.Random(alphabet)
    texts = [
        [chance.randrange(alphabet) for _ in range(int(chance.triangular(0, 270, 10)))]
        for _ in range(1200)
    ]
    queries = [edited(text, chance, alphabet + 1, len(text) // 6) for text in texts[::13]]
    scores = scores_of(queries, texts)
    expected = [verdict_of(row, threshold) for row in scores]
    index = Index(threshold)
    index.append(encoded(texts))
    index.settle(alphabet + 1)
    for _ in range(2):
        found = index.search(encoded(queries))

        assert list(zip(found.nearest.tolist(), found.score.tolist(), strict=True)) == expected
        index._make_segment(len(texts), alphabet + 1)

    assert index._lists.runs.size > 0


@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.7, 0.9])
def test_the_vocabulary_may_grow_at_any_time(threshold: float, tail: int) -> None:
    """Tokens newer than the ranks, then ranked with all others; fresh ones in every text."""
    chance, index = random.Random(8), Index(threshold)
    entries: list[Text] = []
    queries: list[Text] = []
    for number in range(200):
        known = 3 + 2 * number
        text = [min(known - 1, int(chance.paretovariate(0.5))) for _ in range(number % 17)]
        text.append(known - chance.randrange(2))
        if number % 3 == 2:
            text = edited(chance.choice(entries), chance, known, 2)
        expected = verdict_of(scores_of([text], entries)[0], threshold)

        assert search_one(index, text) == expected
        nearest, score, entry = admit_one(index, text, known + 1)
        assert (nearest, score) == expected
        if entry >= 0:
            entries.append(text)
        queries.append(text)

    scores = scores_of(queries, entries)
    found = index.search(encoded(queries))
    for number in range(len(queries)):
        expected = verdict_of(scores[number], threshold)

        assert (found.nearest[number], found.score[number]) == expected


@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.7, 0.9])
def test_unknown_tokens_have_no_partner_but_count(threshold: float, tail: int) -> None:
    chance, index = random.Random(9), Index(threshold)
    entries = mixed_texts(150, seed=9, longest=80)
    for start in range(0, 150, 10):
        index.append(encoded(entries[start : start + 10]))
        index.settle(60)
    queries = [[UNKNOWN if chance.random() < 0.15 else token for token in text] for text in entries]
    queries += [[UNKNOWN], [UNKNOWN] * 100, [UNKNOWN] * 300]
    found = index.search(encoded(queries))

    for number, row in enumerate(scores_of(queries, entries)):
        assert (found.nearest[number], found.score[number]) == verdict_of(row, threshold)


@pytest.mark.parametrize("seed", range(24))
def test_any_order_of_calls_equals_brute_force(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool written to in all its ways, at random, and asked in between."""
    chance = random.Random(seed)
    monkeypatch.setattr(index_module, "_TAIL", chance.choice([1, 3, 8, 40]))
    threshold = chance.choice(THRESHOLDS)
    texts = mixed_texts(160, seed, chance.choice([4, 12, 70]), chance.choice([2, 5, 40, 500]))
    words, scores = [as_text(text) for text in texts], scores_of(texts, texts)
    pool, kept, done = Pool(threshold), list[int](), 0
    while done < len(texts):
        batch = range(done, min(len(texts), done + chance.choice([1, 1, 2, 9, 30])))
        done = batch.stop
        if chance.random() < 0.3:
            pool.add_many([words[number] for number in batch])
            kept += batch
        elif chance.random() < 0.2:
            for number in batch:
                kept.append(number)

                assert pool.add(words[number]) == len(kept) - 1
        else:
            for number, found in zip(
                batch, pool.admit_many([words[number] for number in batch]), strict=True
            ):
                nearest, score = reference.verdict_of(scores[number, kept].tolist(), threshold)

                assert (found.nearest, found.score) == (nearest, score)
                assert found.admitted == (nearest is None)
                assert found.entry == (len(kept) if nearest is None else None)
                if found.admitted:
                    kept.append(number)

        asked = chance.randrange(len(texts))
        nearest, score = reference.nearest_of(scores[asked, kept].tolist())
        found_nearest = pool.nearest(words[asked])
        assert (found_nearest.index, found_nearest.score) == (nearest, score)
        assert len(pool) == len(kept)


@pytest.mark.parametrize("threshold", [0.3, 0.7])
def test_decisions_depend_neither_on_batches_nor_on_the_tail(
    threshold: float, tail: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = sentences(1100, seed=10)
    together = Pool(threshold)
    expected = together.admit_many(texts)
    monkeypatch.undo()
    for size in (1, 7, 64, 1024):
        pool = Pool(threshold)
        found = [
            admission
            for start in range(0, len(texts), size)
            for admission in pool.admit_many(texts[start : start + size])
        ]

        assert found == expected
        assert pool.snapshot().tokens == together.snapshot().tokens


@pytest.mark.parametrize("threshold", [0.2, 0.4, 0.7])
@pytest.mark.parametrize("longest", [8, 30])
def test_lists_that_many_tokens_share_cost_time_but_no_exactness(
    threshold: float, longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There an entry is met by tokens that it does not share, whose bounds do not hold for it."""

    def two(_entries: int) -> int:
        return 2

    monkeypatch.setattr(index_module, "_number_of_lists", two)
    monkeypatch.setattr(index_module, "_TAIL", 64)
    entries = mixed_texts(600, seed=11, longest=longest, alphabet=40)
    index = Index(threshold)
    index.append(encoded(entries))
    index.settle(VOCABULARY)
    queries = mixed_texts(200, seed=12, longest=longest, alphabet=40)
    found = index.search(encoded(queries))

    for number, row in enumerate(scores_of(queries, entries)):
        assert (found.nearest[number], found.score[number]) == verdict_of(row, threshold)

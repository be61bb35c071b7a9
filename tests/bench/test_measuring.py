"""What the benchmarks are made of: corpora, samples, brute force, exponents."""

from __future__ import annotations

import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer

from asyncgen.bench.contender import contender
from asyncgen.bench.growth import Step, exponent
from asyncgen.bench.selection import batches, cut, learned, listed, sampled, size
from asyncgen.bench.start import measured_start
from asyncgen.bench.synthetic import BLOCK, Block, texts_of, zipf
from asyncgen.bench.timing import laps, spread
from asyncgen.bench.truth import agreement, brute_force
from asyncgen_kernels import Vocabulary
from asyncgen_kernels.entries import EntriesView
from asyncgen_kernels.index import Index
from asyncgen_kernels.text import Encoded


@pytest.fixture(scope="module")
def block() -> Block:
    return next(zipf(1200))


@pytest.fixture(scope="module")
def texts(block: Block) -> list[str]:
    return texts_of(block)


def test_the_first_texts_of_a_corpus_do_not_depend_on_its_size(block: Block) -> None:
    first, second = zipf(BLOCK + 10)

    assert (block.size, first.size, second.size) == (1200, BLOCK, 10)
    assert np.array_equal(first.offsets[:1201], block.offsets)
    assert np.array_equal(first.tokens[: block.tokens.size], block.tokens)
    assert 16 < np.diff(first.offsets).mean() < 17
    assert np.diff(first.offsets).min() >= 1


def test_a_corpus_has_texts_of_its_own_for_each_seed(texts: list[str]) -> None:
    assert texts_of(next(zipf(50, seed=7))) != texts[:50]
    assert all(text.startswith("W") and text.endswith(".") for text in texts)
    assert len(set(texts)) > 1100


def test_parts_are_those_asked_for() -> None:
    encoded = learned(Vocabulary(), ["a b", "", "c", "a", "d e f"])

    assert listed(encoded) == [[0, 1], [], [2], [0], [3, 4, 5]]
    assert listed(cut(encoded, 2, 4)) == [[2], [0]]
    assert listed(sampled(encoded, 2)) == [[0, 1], [2]]
    assert listed(sampled(encoded, 9)) == listed(encoded)
    assert [listed(part) for part in batches(encoded, 3)] == [
        [[0, 1], [], [2]],
        [[0], [3, 4, 5]],
    ]
    assert size(encoded) == 5


def test_many_texts_are_encoded_as_a_few_are(texts: list[str]) -> None:
    assert listed(learned(Vocabulary(), texts)) == listed(Vocabulary().learn(texts))


def test_brute_force_decides_as_rouge_score_does() -> None:
    texts = ["a b c d", "a b c x", "", "a b c d e f g h i j", "b c d e f g h q r s", "a b c d"]
    queries = ["a b c d", "a b c y", "x", "", "a b c d e f g x y z", "c d"]
    vocabulary = Vocabulary()
    pool, asked = learned(vocabulary, texts), learned(vocabulary, queries)
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    for threshold in (0.3, 0.5, 0.7, 0.75, 1.0):
        found = brute_force(asked, EntriesView(*pool), threshold)
        for query, nearest, score in zip(queries, found.nearest, found.score, strict=True):
            scores = [float(scorer.score(text, query)["rougeL"].fmeasure) for text in texts]
            best = max(scores)
            expected = (scores.index(best), best) if best > threshold else (-1, 0.0)
            assert (int(nearest), float(score)) == expected


def test_wrong_decisions_are_seen() -> None:
    index = Index(0.7)
    vocabulary = Vocabulary()
    index.append(learned(vocabulary, ["a b c", "d e f", "a b c"]))
    index.settle(len(vocabulary))
    candidates = learned(vocabulary, ["a b c", "d e f", "x", "y"])
    found = index.search(candidates)

    assert agreement(candidates, found, index.view(), 0.7) == (4, 1.0, 1.0)
    found.nearest[0] = 2
    assert agreement(candidates, found, index.view(), 0.7) == (4, 1.0, 0.75)
    found.nearest[:2] = -1
    assert agreement(candidates, found, index.view(), 0.7) == (4, 0.5, 0.5)


def test_a_sample_of_decisions_is_held_against_its_own_candidates(texts: list[str]) -> None:
    index = Index(0.7)
    vocabulary = Vocabulary()
    index.append(learned(vocabulary, texts[:700]))
    index.settle(len(vocabulary))
    candidates = learned(vocabulary, texts[700:])

    found = agreement(candidates, index.search(candidates), index.view(), 0.7)

    assert found == (256, 1.0, 1.0)


def test_the_exponent_is_the_slope_from_end_to_end() -> None:
    assert exponent([Step(100, 2.0), Step(200, 9.0), Step(10_000, 20.0)]) == pytest.approx(0.5)
    assert exponent([Step(100, 2.0)]) is None
    assert exponent([]) is None


def test_a_cost_on_some_entries_is_told_for_the_pool() -> None:
    found = contender("rapidfuzz", "cdist", seconds=1.0, candidates=10, entries=1000, pool=5000)

    assert found.ns_per_pair == pytest.approx(1e5)
    assert found.us_per_candidate == pytest.approx(5e5)


def test_a_spread_is_over_calls_and_its_mean_over_candidates() -> None:
    found = spread([[2e-6, 4e-6], [1e-6, 3e-6]], [2, 1])

    assert found.mean_us == pytest.approx(4 / 3)
    assert found.p50_us == pytest.approx((1.0 + 3.0) / 2)
    assert len(laps(lambda _: None, [1, 2, 3], once=True)) == 1


@pytest.mark.slow
def test_a_cold_start_compiles_and_a_cached_one_does_not() -> None:
    cold, cached = measured_start()

    assert 0 < cached < cold


def test_encoded_texts_need_not_begin_at_zero() -> None:
    part = Encoded(np.arange(6, dtype=np.int32), np.array([2, 4, 6]))

    assert listed(part) == [[2, 3], [4, 5]]

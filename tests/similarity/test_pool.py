"""Decisions of a pool equal brute force, after every single append."""

from __future__ import annotations

import gzip
import json
import math
import threading
from pathlib import Path

import numpy as np
import pytest
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist
from similarity import reference
from similarity.harness import sentences

from asyncgen_kernels import Admission, Nearest, Pool, PoolSnapshot

STREAM = Path(__file__).parents[2].parent / "shared" / "data" / "instruction_stream.jsonl.gz"


def test_the_first_text_is_admitted() -> None:
    assert Pool().admit("Write a poem.") == Admission(
        admitted=True, index=0, nearest=Nearest(index=None, score=0.0)
    )


def test_a_copy_is_rejected_with_its_neighbour() -> None:
    pool = Pool()
    pool.add("Name a river.")
    pool.add("Write a poem.")

    assert pool.admit("write A poem!") == Admission(
        admitted=False, index=None, nearest=Nearest(index=1, score=1.0)
    )
    assert len(pool) == 2


def test_an_admitted_text_has_an_exact_neighbour_too() -> None:
    pool = Pool()
    pool.add("Write a poem about rain")
    verdict = pool.admit("Write a song about snow")

    assert verdict == Admission(admitted=True, index=1, nearest=Nearest(index=0, score=0.6))


def test_the_oldest_of_the_best_is_named() -> None:
    pool = Pool()
    for text in ("x a", "a b c d", "a b c e", "f a b c"):
        pool.add(text)

    assert pool.nearest("a b c") == Nearest(index=1, score=reference.f_of(3, 3, 4))


def test_adding_asks_no_questions() -> None:
    pool = Pool()

    assert [pool.add("same text") for _ in range(3)] == [0, 1, 2]


def test_texts_without_tokens_are_like_nothing() -> None:
    pool = Pool()

    assert all(pool.admit(text).admitted for text in ("", "…", "诗", "…"))
    assert pool.nearest("") == pool.nearest("poem") == Nearest(index=None, score=0.0)
    assert pool.scan("poem").tolist() == [0.0] * 4


def test_an_empty_pool_has_no_scores() -> None:
    scores = Pool().scan("anything")

    assert scores.shape == (0,)
    assert scores.dtype == np.float64


def test_a_rejected_text_leaves_no_trace() -> None:
    pool = Pool(0.5)
    pool.add("one two three four")
    before = pool.snapshot()

    assert not pool.admit("one two three five").admitted
    assert pool.snapshot() == before


def test_nothing_exceeds_a_threshold_of_one() -> None:
    pool = Pool(1.0)

    assert pool.admit("same text").admitted
    assert pool.admit("same text").admitted


@pytest.mark.parametrize("threshold", [0.0, -0.1, 1.0000001, math.nan, math.inf])
def test_a_threshold_outside_zero_to_one_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        Pool(threshold)


def test_the_snapshot_counts() -> None:
    pool = Pool()
    pool.add("a b a")
    pool.add("?")

    assert pool.snapshot() == PoolSnapshot(
        entries=2, tokens=3, vocabulary=2, bytes=pool.snapshot().bytes
    )
    assert repr(pool) == "<Pool threshold=0.7 entries=2 tokens=3 vocabulary=2>"
    assert pool.threshold == 0.7


def test_storage_grows_with_what_it_holds() -> None:
    pool = Pool()
    for text in sentences(3000, seed=5):
        pool.add(text)
    now = pool.snapshot()

    assert now.tokens * 4 + now.entries * 16 < now.bytes <= 2 * (now.tokens * 4 + now.entries * 16)


@pytest.mark.parametrize("threshold", [0.3, 0.7, 0.9])
def test_decisions_equal_brute_force_after_every_append(threshold: float) -> None:
    """Scores of all entries, the nearest, and the decision, while the pool grows."""
    pool = Pool(threshold)
    kept: list[str] = []
    for text in sentences(240, seed=1):
        scores = [reference.score_of(text, other) for other in kept]
        index, score = reference.nearest_of(scores)

        assert pool.scan(text).tolist() == scores
        assert pool.nearest(text) == Nearest(index, score)
        verdict = pool.admit(text)
        assert verdict.nearest == Nearest(index, score)
        assert verdict.admitted == (score <= threshold)
        if verdict.admitted:
            assert verdict.index == len(kept)
            kept.append(text)

    assert 50 < len(kept) < 240


def test_many_are_admitted_as_if_one_after_the_other() -> None:
    texts = sentences(300, seed=2)
    together, apart = Pool(), Pool()
    for pool in (together, apart):
        pool.add(texts[0])

    assert together.admit_many(texts) == [apart.admit(text) for text in texts]
    assert together.snapshot() == apart.snapshot()


def test_candidates_of_one_batch_see_each_other() -> None:
    first, second = Pool().admit_many(["Write a poem", "write a poem"])

    assert first.admitted
    assert second == Admission(admitted=False, index=None, nearest=Nearest(index=0, score=1.0))


def test_readers_see_a_prefix_while_one_thread_writes() -> None:
    """Whatever length a reader finds, the scores are those of that prefix of the entries."""
    texts = sentences(2000, seed=3)
    pool = Pool()
    seen: list[list[float]] = []
    written = threading.Event()

    def read() -> None:
        while not written.is_set():
            seen.append(pool.scan(texts[0]).tolist())

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for text in texts:
        pool.add(text)
    written.set()
    for reader in readers:
        reader.join()

    final = pool.scan(texts[0]).tolist()
    assert len(final) == 2000
    assert all(scores == final[: len(scores)] for scores in seen)


@pytest.mark.skipif(not STREAM.exists(), reason="the shared data folder is not here")
def test_decisions_on_real_instructions_equal_brute_force() -> None:
    """Every decision on two slices of a real stream; LCS by rapidfuzz, F by rouge_score's rule."""
    with gzip.open(STREAM, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line)["instruction"] for line in lines]
    texts = rows[:1500] + rows[50_000:51_500]
    ids: dict[str, int] = {}
    encoded = [[ids.setdefault(t, len(ids)) for t in reference.tokens_of(x)] for x in texts]
    lcs = cdist(encoded, encoded, scorer=LCSseq.similarity, dtype=np.int32)
    lengths = np.array([len(x) for x in encoded])
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = lcs / lengths[None, :], lcs / lengths[:, None]
        scores = np.where(lcs > 0, 2 * precision * recall / (precision + recall), 0.0)

    pool = Pool()
    kept: list[int] = []
    for number, text in enumerate(texts):
        index, score = reference.nearest_of(scores[number, kept].tolist())
        verdict = pool.admit(text)

        assert verdict.nearest == Nearest(index, score)
        assert verdict.admitted == (score <= 0.7)
        if verdict.admitted:
            kept.append(number)

    assert 500 < len(kept) < len(texts)

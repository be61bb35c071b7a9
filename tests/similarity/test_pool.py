"""Decisions of a pool equal brute force, after every single append."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from similarity import reference
from similarity.harness import sentences

from asyncgen_kernels import Admission, Nearest, Pool

if TYPE_CHECKING:
    from asyncgen_kernels import Tokenizer


def test_the_first_text_is_admitted() -> None:
    assert Pool().admit("Write a poem.") == Admission(entry=0, nearest=None, score=0.0)


def test_a_copy_is_rejected_with_its_neighbour() -> None:
    pool = Pool()
    pool.add("Name a river.")
    pool.add("Write a poem.")

    assert pool.admit("write A poem!") == Admission(entry=None, nearest=1, score=1.0)
    assert len(pool) == 2


def test_a_score_at_the_threshold_is_admitted() -> None:
    pool = Pool(0.6)
    pool.add("Write a poem about rain")

    assert pool.nearest("Write a song about snow") == Nearest(index=0, score=0.6)
    assert pool.admit("Write a song about snow") == Admission(entry=1, nearest=None, score=0.0)


def test_the_oldest_of_the_best_is_named() -> None:
    pool = Pool()
    for text in ("x a", "a b c d", "a b c e", "f a b c"):
        pool.add(text)

    score = reference.f_of(3, 3, 4)

    assert pool.nearest("a b c") == Nearest(index=1, score=score)
    assert pool.admit("a b c") == Admission(entry=None, nearest=1, score=score)


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


def test_a_rejected_text_leaves_its_words_and_no_entry() -> None:
    pool = Pool(0.5)
    pool.add("one two three four")
    before = pool.snapshot()

    assert not pool.admit("one two three five").admitted
    after = pool.snapshot()
    assert (after.entries, after.tokens) == (before.entries, before.tokens)
    assert after.vocabulary == before.vocabulary + 1


@pytest.mark.parametrize("tokenizer", ["rouge", "unicode"])
def test_the_tokenizer_decides_what_is_alike(tokenizer: Tokenizer) -> None:
    pool = Pool(tokenizer=tokenizer)
    pool.add("写一首关于雨的诗")

    assert pool.tokenizer == tokenizer
    assert pool.admit("写一首关于雪的诗").admitted == (tokenizer == "rouge")


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
    now = pool.snapshot()

    assert (now.entries, now.tokens, now.vocabulary) == (2, 3, 2)
    assert repr(pool) == "<Pool threshold=0.7 tokenizer=rouge entries=2 tokens=3 vocabulary=2>"
    assert pool.threshold == 0.7


def test_storage_is_proportional_to_what_it_holds() -> None:
    pool = Pool()
    pool.add_many(sentences(20_000, seed=5))
    now = pool.snapshot()

    assert 4 * now.tokens + 8 * now.entries < now.bytes <= 200 * now.entries


@pytest.mark.parametrize("threshold", [0.3, 0.7, 0.9])
def test_decisions_equal_brute_force_after_every_append(threshold: float) -> None:
    """Scores of all entries, the nearest, and the decision, while the pool grows."""
    pool = Pool(threshold)
    kept: list[str] = []
    for text in sentences(150, seed=1):
        scores = [reference.score_of(text, other) for other in kept]
        index, score = reference.nearest_of(scores)

        assert pool.scan(text).tolist() == scores
        assert pool.nearest(text) == Nearest(index, score)
        admission = pool.admit(text)
        if score > threshold:
            assert admission == Admission(entry=None, nearest=index, score=score)
        else:
            assert admission == Admission(entry=len(kept), nearest=None, score=0.0)
            kept.append(text)

    assert 50 < len(kept) < 150


def test_many_are_admitted_as_if_one_after_the_other() -> None:
    texts = sentences(300, seed=2)
    together, apart = Pool(), Pool()
    for pool in (together, apart):
        pool.add(texts[0])

    assert together.admit_many(texts) == [apart.admit(text) for text in texts]
    assert len(together) == len(apart)


def test_candidates_of_one_batch_see_each_other() -> None:
    first, second = Pool().admit_many(["Write a poem", "write a poem"])

    assert first.admitted
    assert second == Admission(entry=None, nearest=0, score=1.0)


def test_texts_of_a_batch_that_failed_are_known_all_the_same() -> None:
    """Those appended before the fault are entries, so later candidates are compared with them."""
    pool = Pool()
    texts: list[Any] = ["a b c"] * 1024 + [None]
    with pytest.raises((TypeError, AttributeError)):
        pool.add_many(texts)

    if not len(pool):
        pool.add("a b c")
    assert not pool.admit("a b c").admitted

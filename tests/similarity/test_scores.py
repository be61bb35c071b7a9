"""The LCS kernels and the F-measure at the awkward sizes."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score import scoring
from similarity import reference
from similarity.harness import THRESHOLDS, as_text, check_pair, check_scores

from asyncgen_kernels import Pool, f_measure, lcs_length, required_lcs

EDGES = (0, 1, 2, 63, 64, 65, 127, 128, 129)


def tokens(lengths: st.SearchStrategy[int], alphabet: int) -> st.SearchStrategy[list[int]]:
    token = st.integers(0, alphabet - 1)
    return lengths.flatmap(lambda n: st.lists(token, min_size=n, max_size=n))


@given(tokens(st.integers(0, 64), 6), tokens(st.integers(0, 64), 6))
@settings(deadline=None, max_examples=30)
def test_one_word(a: list[int], b: list[int]) -> None:
    check_scores(a, b)


@given(tokens(st.sampled_from(EDGES), 30), tokens(st.sampled_from(EDGES), 30))
@settings(deadline=None, max_examples=30)
def test_word_boundaries(a: list[int], b: list[int]) -> None:
    check_scores(a, b)


@given(st.integers(65, 200), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=12)
def test_an_edited_copy_of_many_words(length: int, chance: random.Random) -> None:
    """Long overlaps carry from word to word."""
    a = [chance.randrange(50) for _ in range(length)]
    b = [token for token in a if chance.random() < 0.9] + [51] * chance.randrange(4)

    check_scores(a, b)


@pytest.mark.parametrize(("m", "n"), list(product(EDGES, EDGES)))
@pytest.mark.parametrize("alphabet", [1, 2, 40])
def test_every_pair_of_awkward_lengths(m: int, n: int, alphabet: int) -> None:
    chance = random.Random(1000 * m + n)

    check_pair(
        [chance.randrange(alphabet) for _ in range(m)],
        [chance.randrange(alphabet) for _ in range(n)],
    )


@pytest.mark.parametrize(("m", "n"), [(1000, 1000), (1025, 64), (3, 2000), (1300, 1290)])
def test_a_thousand_tokens_and_more(m: int, n: int) -> None:
    chance = random.Random(m + n)
    a = [chance.randrange(300) for _ in range(m)]
    b = [chance.randrange(300) for _ in range(n)]

    check_pair(a, b)
    check_pair(a, a[: m // 2] + b[n // 2 :])
    pool = Pool()
    pool.add(as_text(b))
    assert pool.nearest(as_text(a)).score == reference.f_of(reference.lcs_of(a, b), m, n)


@pytest.mark.parametrize("length", [1, 63, 64, 65, 128, 129, 300])
def test_repeated_tokens(length: int) -> None:
    """Where the carry of the addition runs through whole words."""
    for other in {1, length - 1, length + 1}:
        check_pair([7] * length, [7] * other)
        check_pair([7, 8] * length, [8, 7] * other)


def test_tokens_may_be_any_int32() -> None:
    a = np.array([-(2**31), 2**31 - 1, -1, 0], np.int32)
    b = np.array([2**31 - 1, 0, -(2**31)], np.int32)

    assert lcs_length(a, b) == 2


def test_arrays_may_be_read_only_and_strided() -> None:
    a = np.arange(20, dtype=np.int32)
    a.flags.writeable = False

    assert lcs_length(a[::2], a[::-1][::-1]) == 10


@pytest.mark.parametrize("wrong", [np.zeros(3, np.int64), np.zeros((2, 2), np.int32)])
def test_other_arrays_are_refused(wrong: np.ndarray[tuple[int, ...], np.dtype[np.int32]]) -> None:
    with pytest.raises(TypeError, match="flat int32"):
        lcs_length(np.zeros(3, np.int32), wrong)


def test_f_is_the_reference_s_float_symmetric_and_rising() -> None:
    for m, n in product(range(1, 81), repeat=2):
        scores = [f_measure(lcs, m, n) for lcs in range(min(m, n) + 1)]

        assert scores == [scoring.fmeasure(lcs / n, lcs / m) for lcs in range(min(m, n) + 1)]
        assert scores == [f_measure(lcs, n, m) for lcs in range(min(m, n) + 1)]
        assert all(low < high for low, high in pairwise(scores))


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_required_lcs_is_the_least_whose_float_exceeds(threshold: float) -> None:
    for m, n in product(range(61), repeat=2):
        least = required_lcs(threshold, m, n)
        exceeding = [lcs for lcs in range(min(m, n) + 1) if reference.f_of(lcs, m, n) > threshold]

        assert least == (exceeding[0] if exceeding else min(m, n) + 1)


def test_rational_ties_follow_the_float() -> None:
    """Where F is 7/10 as a fraction, the float decides: above, at or below 0.7."""
    seen: Counter[str] = Counter()
    for m, n in product(range(1, 151), repeat=2):
        lcs, rest = divmod(7 * (m + n), 20)
        if rest or lcs > min(m, n):
            continue

        score = scoring.fmeasure(lcs / n, lcs / m)

        assert score == reference.f_of(lcs, m, n)
        assert required_lcs(0.7, m, n) == (lcs if score > 0.7 else lcs + 1)
        seen["above" if score > 0.7 else "at" if score == 0.7 else "below"] += 1

    assert seen == {"above": 272, "at": 241, "below": 18}


def test_lengths_are_not_negative() -> None:
    with pytest.raises(ValueError, match="-1"):
        required_lcs(0.7, 3, -1)

"""What lets an index pass over an entry: never one that is similar."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from numba import njit
from similarity.harness import (
    THRESHOLDS,
    Text,
    admit_one,
    edited,
    encoded,
    scores_of,
    search_one,
    verdict_of,
)

from asyncgen_kernels import index as index_module
from asyncgen_kernels import required_lcs
from asyncgen_kernels.candidates import shared_by_all
from asyncgen_kernels.index import Index
from asyncgen_kernels.likeness import alike, apart
from asyncgen_kernels.measure import bar_of
from asyncgen_kernels.postings import LONG, SAMPLED
from asyncgen_kernels.wide import LONG_TEXT, units_at_most, units_of

LENGTHS = (30, 31, 32, 33, 62, 63, 64, 65, 100, 127, 128, 129, 200, 253, 254, 255, 256, 257, 600)


@njit
def alike_in(signatures, keys, start, count, own, bounds):  # type: ignore[no-untyped-def] # noqa: ANN001 - Numba finds the types
    return alike((signatures, keys), start, count, own, bounds)


@njit
def apart_in(own, first, words, start, count):  # type: ignore[no-untyped-def] # noqa: ANN001 - Numba finds the types
    return apart(own, first, words, start, count)


@pytest.mark.parametrize("seed", range(20))
def test_postings_are_alike_by_their_bits_length_and_position(seed: int) -> None:
    chance = np.random.default_rng(seed)
    own = chance.integers(0, 2**64, dtype=np.uint64)
    signatures = own ^ (
        chance.integers(0, 2**64, 90, dtype=np.uint64)
        & chance.integers(0, 2**64, 90, dtype=np.uint64)
        & chance.integers(0, 2**64, 90, dtype=np.uint64)
    )
    lengths = chance.choice([0, 3, 10, 12, 15, 200, 254, 255], 90)
    places = chance.choice([0, 1, 2, 7, 255], 90)
    keys = (places << 8 | lengths).astype(np.uint16)
    left, base, slope = int(chance.integers(0, 40)), int(chance.integers(0, 2**11)), 89
    for start, count in ((0, 1), (3, 7), (5, 8), (1, 64), (18, 64)):
        expected = 0
        for number in range(start, start + count):
            theirs, n = int(signatures[number]), int(lengths[number])
            shared = (base + slope * n) >> 8
            lacking = (int(own) & ~theirs).bit_count()
            spared = (theirs & ~int(own)).bit_count()
            fits = lacking + shared <= left
            fits &= n == 255 or spared + shared <= n - int(places[number])
            expected |= fits << number - start

        assert alike_in(signatures, keys, start, count, own, (left, base, slope)) == expected


@pytest.mark.parametrize("count", [4, 8, 16, 32])
def test_words_are_apart_by_the_bits_of_each(count: int) -> None:
    chance = np.random.default_rng(count)
    own, words = (chance.integers(0, 2**64, 50, dtype=np.uint64) for _ in range(2))
    pairs = [(int(own[3 + place]), int(words[9 + place])) for place in range(count)]
    lacking = sum((mine & ~theirs).bit_count() for mine, theirs in pairs)
    spared = sum((theirs & ~mine).bit_count() for mine, theirs in pairs)

    assert apart_in(own, 3, words, 9, count) == lacking + (spared << 32)


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_what_all_must_share_is_never_more_than_required(threshold: float) -> None:
    plain: Any = shared_by_all
    bar, chance = bar_of(threshold), random.Random(7)
    for m in [1, 2, 63, 64, 255, 256, 10_000, 10**6, *(chance.randrange(300) for _ in range(60))]:
        base, slope = map(int, plain.py_func(bar, m))
        for n in range(255):
            need = required_lcs(threshold, m, n)

            assert (base + slope * n) >> 8 <= need or need > min(m, n)

        assert 0 <= base + slope * 255 < 2**16


def test_units_are_for_no_fewer_tokens_than_said() -> None:
    plain: Any = units_of
    units = {n: int(plain.py_func(n)) for n in range(1000)}

    assert sorted(set(units.values())) == [0, 1, 2, 4, 8]
    assert [units[n] for n in (31, 32, 63, 64, 127, 128, 254, 255, 999)] == [
        *(0, 1, 1, 2, 2, 4, 4, 8, 8)
    ]
    assert all(count <= units_at_most(n) for n, count in units.items())


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("tail", [1, 8, 4096])
def test_long_texts_find_their_like(
    threshold: float, tail: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies with more and more edits, of texts with many repeated tokens, of all sizes."""
    monkeypatch.setattr(index_module, "_TAIL", tail)
    chance, index = random.Random(tail), Index(threshold)
    entries: list[Text] = []
    texts: list[Text] = []
    for length in LENGTHS:
        origin = [int(chance.paretovariate(0.6)) % 400 for _ in range(length)]
        texts += [edited(origin, chance, 400, length * part // 12) for part in range(9)]
        texts += [origin[: length * 3 // 4], origin + origin[: length // 3]]

    chance.shuffle(texts)
    for text in texts:
        expected = verdict_of(scores_of([text], entries)[0], threshold)
        nearest, score, entry = admit_one(index, text, 400)

        assert (nearest, score) == expected
        if entry >= 0:
            entries.append(text)

    found = index.search(encoded(texts))
    for number, row in enumerate(scores_of(texts, entries)):
        assert (found.nearest[number], found.score[number]) == verdict_of(row, threshold)


@pytest.mark.parametrize("threshold", [0.05, 0.7, 0.95])
def test_long_runs_are_narrowed_to_similar_lengths(threshold: float) -> None:
    """One token in all entries, of lengths up to 100: thousands of postings at one position."""
    chance = random.Random(4)
    texts = [
        [0] + [chance.randrange(1, 90) for _ in range(chance.randrange(100))] for _ in range(4000)
    ]
    queries = [edited(text, chance, 90, len(text) // 8) for text in texts[::40]]
    index = Index(threshold)
    index.append(encoded(texts))
    index.settle(90)
    found = index.search(encoded(queries))

    assert index._lists.samples.size > 10 * LONG // SAMPLED
    for number, row in enumerate(scores_of(queries, texts)):
        assert (found.nearest[number], found.score[number]) == verdict_of(row, threshold)


def test_marks_of_earlier_queries_are_dropped_before_they_come_again() -> None:
    """A mark has 32 bits for the number of the query."""
    index = Index(0.7)
    index.append(encoded([[1, 2, 3]]))
    index.settle(9)
    for number in (2**31, 2**32 - 1, 2**32, 2**33):
        index._room.known.signed.query[0] = number

        assert search_one(index, [1, 2, 3]) == (0, 1.0)
        assert search_one(index, [1, 2, 3]) == (0, 1.0)
        assert index._room.known.signed.query[0] < 2**31


def test_a_long_text_is_where_signatures_begin_to_be_wide() -> None:
    index = Index(0.7)
    index.append(encoded([[*range(LONG_TEXT - 1)], [*range(LONG_TEXT)], [*range(300)]]))
    index.settle(300)

    assert index._wide.owners[:9].tolist() == [1, *[2] * 8]
    assert int(index._wide.used[0]) == 9

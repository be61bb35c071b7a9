"""Scans of many texts against the pool equal the slow reference, pair by pair."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist
from similarity import reference

from asyncgen_kernels.blocks import CHAPTER, in_blocks, numbered
from asyncgen_kernels.columns import Columns
from asyncgen_kernels.entries import Entries, EntriesView
from asyncgen_kernels.lookup import lcs_pair
from asyncgen_kernels.scan import Scan, scan_many, scores, scores_many
from asyncgen_kernels.stems import STEMS, WORD
from asyncgen_kernels.text import UNKNOWN, Encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

VOCABULARY = 300
LENGTHS = (0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000, 1025)

Texts = list[list[int]]


def encoded(texts: Sequence[Sequence[int]]) -> Encoded:
    offsets = np.cumsum([0, *(len(text) for text in texts)])
    return Encoded(np.array([token for text in texts for token in text], np.int32), offsets)


def view(texts: Sequence[Sequence[int]]) -> EntriesView:
    entries = Entries()
    entries.extend(encoded(texts))
    return entries.view()


def some_texts(count: int, seed: int, lengths: Sequence[int] = (), alphabet: int = 40) -> Texts:
    """Texts of common and rare tokens, a third of them edited copies; lengths as told, or mixed."""
    chance = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(alphabet)]
    texts: Texts = []
    for number in range(count):
        if number % 3 == 2 and not lengths:
            text = list(chance.choice(texts))
            for _ in range(min(len(text), chance.randrange(4))):
                text[chance.randrange(len(text))] = chance.randrange(alphabet)
        else:
            length = chance.choice(lengths) if lengths else int(chance.expovariate(1 / 12))
            text = chance.choices(range(alphabet), weights, k=length)
        texts.append(text)

    return texts


def expected_scores(queries: Texts, entries: Texts) -> NDArray[np.float64]:
    """The reference's F of all pairs; the LCS is rapidfuzz's, UNKNOWN having no partner."""
    lcs = cdist(queries, entries, scorer=LCSseq.similarity, dtype=np.int32).tolist()
    return np.array(
        [
            [
                reference.f_of(lcs[row][column], len(query), len(entry))
                for column, entry in enumerate(entries)
            ]
            for row, query in enumerate(queries)
        ]
    ).reshape(len(queries), len(entries))


def assert_same(one: Scan, other: Scan) -> None:
    for field in ("index", "score", "mean", "histogram"):
        assert np.array_equal(getattr(one, field), getattr(other, field))


def check(queries: Texts, entries: Texts, k: int = 10, before: Sequence[int] | None = None) -> None:
    """A scan of these says what the definitions say, with one thread and with two."""
    limits = [len(entries)] * len(queries) if before is None else before
    wanted = expected_scores(queries, entries)
    given_limits = None if before is None else np.array(before, np.int64)
    texts, pool = encoded(queries), view(entries)
    found = scan_many(texts, pool, VOCABULARY, k=k, before=given_limits)

    counts = np.zeros(100, np.int64)
    for query, limit in enumerate(limits):
        row = wanted[query, :limit]
        best = np.lexsort((np.arange(row.size), -row))[:k]
        padding = k - best.size
        assert found.index[query].tolist() == best.tolist() + [-1] * padding
        assert found.score[query].tolist() == row[best].tolist() + [0.0] * padding
        assert found.mean[query] == pytest.approx(row.mean() if row.size else 0.0, abs=1e-12)
        for score in row:
            counts[max(step for step in range(100) if step / 100 <= score)] += 1
    assert found.histogram.tolist() == counts.tolist()

    assert_same(found, scan_many(texts, pool, VOCABULARY, k=k, before=given_limits, threads=2))
    matrix = scores_many(texts, pool, VOCABULARY)
    assert np.array_equal(matrix, wanted)
    assert np.array_equal(matrix, scores_many(texts, pool, VOCABULARY, threads=2))
    for text, row in zip(queries[:3], wanted, strict=False):
        assert np.array_equal(scores(np.array(text, np.int32), pool), row)


texts_of = st.lists(st.lists(st.integers(0, 5), max_size=20), max_size=12)


@given(texts_of, texts_of, st.integers(0, 5), st.data())
@settings(deadline=None, max_examples=50)
def test_small_texts_of_few_tokens(
    queries: Texts, entries: Texts, k: int, data: st.DataObject
) -> None:
    limits = st.integers(0, len(entries))
    before = st.none() | st.lists(limits, min_size=len(queries), max_size=len(queries))

    check(queries, entries, k, data.draw(before))


@given(st.integers(0, 10**9), st.sampled_from([2, 40, VOCABULARY]))
@settings(deadline=None, max_examples=15)
def test_awkward_lengths(seed: int, alphabet: int) -> None:
    chance = random.Random(seed)

    check(
        some_texts(25, seed, chance.sample(LENGTHS, 6), alphabet),
        some_texts(25, seed + 1, chance.sample(LENGTHS, 6), alphabet),
    )


@pytest.mark.parametrize("length", LENGTHS)
def test_each_awkward_length_against_all(length: int) -> None:
    entries = [[token % 50 for token in range(other)] for other in LENGTHS]

    check([[token % 50 for token in range(length)]] * 5, entries)


@pytest.mark.parametrize("length", [8, 16, 32, 63, 64, 65])
def test_repeated_tokens_carry_through_a_lane_and_not_beyond_it(length: int) -> None:
    queries = [[1] * length, [2] * length, [1, 2] * (length // 2), [2] * (length - 1)] * 2

    check(queries, [[1] * other for other in LENGTHS] + [[2, 1] * 40])


def test_many_queries_fill_groups_of_every_width() -> None:
    queries = some_texts(700, seed=1)

    check(queries, some_texts(60, seed=2), k=3)
    assert {len(text) > 32 for text in queries} == {True, False}


def test_many_entries_fill_blocks() -> None:
    """Of one length 255 are counted in bytes at a time."""
    check(some_texts(20, seed=3), some_texts(700, seed=4, lengths=(0, 6, 6, 6, 70)), k=40)


def test_entries_that_begin_alike_are_walked_on_from_there() -> None:
    """A text cut off after each token, once or thrice, and going on otherwise from there."""
    text = some_texts(1, seed=15, lengths=(64,))[0]
    entries = [text[:length] for length in range(65) for _ in range(1 + length % 3)]
    entries += [[*text[:length], 39, *text[: length % 7]] for length in range(64)]
    queries = some_texts(30, seed=16, lengths=(3, 12, 30, 64))

    check([*queries, text, text[::-1]], entries, k=5)


def test_more_beginnings_than_are_kept() -> None:
    """Entries that come when a chapter has all its stems hang on shorter ones."""
    chance = random.Random(17)
    heads = [chance.choices(range(40), k=2 * WORD) for _ in range(CHAPTER // 3)]
    entries = [[*head, tail] for tail in (1, 2, 3) for head in heads]
    queries = [*some_texts(5, seed=18, lengths=(5, 20)), list(range(40))]
    texts, pool = encoded(queries), view(entries)
    term_of = numbered(texts, np.arange(len(queries)), VOCABULARY)

    assert in_blocks(pool.tokens, pool.offsets, term_of).stems.firsts.tolist() == [0, STEMS]
    check(queries, entries)


def test_more_entries_than_a_chapter() -> None:
    entries = some_texts(2 * CHAPTER + 100, seed=19, lengths=(0, 2, 5, 9, 13, 40))

    check(some_texts(5, seed=20), entries, k=3)


def test_tokens_that_no_entry_has_take_no_room_in_a_lane() -> None:
    """Queries of 64 tokens of which 0 to 64 matter, so that lanes of all widths hold them."""
    chance = random.Random(21)
    queries: Texts = []
    for matter in range(65):
        query = chance.choices(range(40), k=matter) + chance.choices((40, UNKNOWN), k=64 - matter)
        chance.shuffle(query)
        queries.append(query)

    check(queries, some_texts(90, seed=22))


@pytest.mark.parametrize("queries", [1, 3, 4, 600])
def test_texts_before_a_text(queries: int) -> None:
    """As a pool stood when each text joined; not in order, and at the ends of blocks."""
    entries = some_texts(600, seed=5, lengths=(5, 6))
    before = list(range(queries))
    random.Random(6).shuffle(before)

    check([entries[limit] for limit in before], entries, k=2, before=before)


def test_before_may_lie_beyond_the_pool() -> None:
    check([[1], [2], [1], [2]], [[1], [2]], before=[2, 2, 2, 2])
    found = scan_many(encoded([[1]] * 4), view([[1], [2]]), 3, before=np.array([9, 9, 9, 9]), k=1)

    assert found.mean.tolist() == [0.5] * 4


def test_unknown_tokens_match_nothing_and_count() -> None:
    query = [1, UNKNOWN, 2, UNKNOWN]
    score = reference.f_of(2, 4, 3)

    for repeats in (1, 9):
        found = scan_many(encoded([query] * repeats), view([[1, 2, 3], [0]]), 5, k=1)
        assert found.score.tolist() == [[score]] * repeats
        assert (
            scores_many(encoded([query] * repeats), view([[1, 2, 3]]), 5).tolist()
            == [[score]] * repeats
        )
    strangers = encoded([[UNKNOWN] * 3] * 9)
    assert scan_many(strangers, view([[1, 2, 3], [0]]), 5, k=2).index.tolist() == [[0, 1]] * 9


def test_equal_scores_rank_by_age_across_lengths() -> None:
    """F is 2/3 for one token of two in one, and for two of three in three, whichever is older."""
    entries = [[9], [1, 8], [1], [7, 1], [9, 9]]

    check([[1], [1], [1], [1], [9, 1], [2]], entries, k=4)
    check([[1], [1], [1], [1], [9, 1], [2]], entries[::-1], k=4)
    check([[0, 1, 2]] * 6, [[0, 1, 2, *range(10, 10 + more)] for more in (9, 3, 3, 9, 0, 15)], k=5)


def test_scores_at_the_edges_of_bins() -> None:
    """7/10 lies below, at and above the float 0.7, depending on the lengths."""
    queries = [list(range(length)) for length in range(1, 64)]

    check(queries, [*queries, list(range(3, 150)), list(range(30))], k=1)


@pytest.mark.parametrize(("queries", "entries"), [(0, 0), (0, 3), (1, 0), (9, 0)])
def test_nothing_to_compare(queries: int, entries: int) -> None:
    check([[1, 2]] * queries, [[1]] * entries, k=2)
    found = scan_many(encoded([[1, 2]] * queries), view([[1]] * entries), 3)

    assert found.index.shape == found.score.shape == (queries, 10)
    assert found.index.dtype == np.int64
    assert scores_many(encoded([[1]] * queries), view([[1]] * entries), 3).shape == (
        queries,
        entries,
    )


def test_a_view_is_scanned_as_it_was_while_the_pool_grows() -> None:
    entries = Entries()
    entries.extend(encoded(some_texts(300, seed=7)))
    then = entries.view()
    queries = encoded(some_texts(40, seed=8))
    first = scan_many(queries, then, VOCABULARY)
    entries.extend(encoded(some_texts(2000, seed=9)))

    assert_same(first, scan_many(queries, then, VOCABULARY))


@pytest.mark.parametrize("kept", [600, 300])
def test_columns_are_those_of_a_pool_that_grew(kept: int) -> None:
    """They are renewed seldom: newer entries are read as they are, and older views stay shorter."""
    texts = some_texts(700, seed=12) + some_texts(40, seed=13, lengths=LENGTHS)
    entries, columns = Entries(), Columns()
    entries.extend(encoded(texts[:kept]))
    queries = [np.array(text, np.int32) for text in some_texts(9, seed=14, alphabet=VOCABULARY)]
    then = entries.view()
    before = [scores(query, then, columns) for query in queries]
    made = columns.nbytes
    entries.extend(encoded(texts[kept:]))
    wanted = expected_scores([query.tolist() for query in queries], texts)

    assert np.array_equal(before, wanted[:, :kept])
    for query, row in zip(queries, wanted, strict=True):
        assert np.array_equal(scores(query, entries.view(), columns), row)
        assert np.array_equal(scores(query, then, columns), row[:kept])
    assert (columns.nbytes == made) == (kept == 600)


def test_columns_cost_nothing_before_a_scan() -> None:
    assert Columns().nbytes == 0


def test_lcs_of_the_lanes_is_that_of_the_pair() -> None:
    """Without F in between, which could hide a lane's neighbour."""
    queries, entries = some_texts(64, seed=10), some_texts(64, seed=11)
    matrix = scores_many(encoded(queries), view(entries), VOCABULARY)
    for row, query in enumerate(queries):
        for column, entry in enumerate(entries):
            lcs = lcs_pair(np.array(query, np.int32), np.array(entry, np.int32))
            assert matrix[row, column] == reference.f_of(lcs, len(query), len(entry))

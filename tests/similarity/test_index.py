"""What an index is made of: segments, ranks, and the limits of its numbers."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from similarity.harness import (
    THRESHOLDS,
    admit_one,
    encoded,
    mixed_texts,
    scores_of,
    search_one,
)

from asyncgen_kernels import entries as entries_module
from asyncgen_kernels import index as index_module
from asyncgen_kernels import required_lcs
from asyncgen_kernels.entries import Entries, roomy
from asyncgen_kernels.index import Index
from asyncgen_kernels.measure import SHORT, bar_of
from asyncgen_kernels.postings import ENTRIES
from asyncgen_kernels.segments import rank_tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncgen_kernels.text import Encoded


def test_segments_are_each_larger_than_all_after_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_TAIL", 4)
    index, chance = Index(0.7), random.Random(1)
    seen: set[int] = set()
    while len(index) < 600:
        index.append(encoded(mixed_texts(chance.choice([1, 1, 3, 11]), seed=len(index))))
        index.settle(60)
        sizes = index._lists.segments[:-1, ENTRIES].tolist()
        seen.add(len(sizes))

        assert all(size > sum(sizes[place + 1 :]) for place, size in enumerate(sizes))
        assert 0 <= len(index) - sum(sizes) < 4
        assert repr(index) == f"<Index threshold=0.7 entries={len(index)} segments={sizes}>"

    assert {0, 1, 2, 3} <= seen


def test_the_rarest_token_ranks_first_and_the_newest_among_equals() -> None:
    tokens = np.random.default_rng(2).integers(0, 90, 300).astype(np.int32)
    counts = Counter(tokens.tolist())
    order = sorted(range(100), key=lambda token: (counts[token], -token))

    assert np.argsort(rank_tokens(tokens, 100)).tolist() == order


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_the_tables_say_what_the_rule_says(threshold: float) -> None:
    """The last column is for that length and all beyond."""
    bar, chance = bar_of(threshold), random.Random(3)
    for m in [0, 1, 2, 63, 64, 254, 255, *(chance.randrange(SHORT) for _ in range(20))]:
        needs = [required_lcs(threshold, m, n) for n in range(SHORT)]
        spare = [n - need if need <= min(m, n) else -1 for n, need in enumerate(needs)]

        assert bar.required[m, :-1].tolist() == needs[:-1]
        assert bar.spare[m, :-1].tolist() == spare[:-1]
        assert bar.required[m, -1] <= needs[-1]
        assert bar.spare[m, -1] >= spare[-1]
        similar = [n for n in range(SHORT) if bar.spare[m, n] >= 0]
        assert bar.longest[m] == max(similar, default=0)
        for i in range(SHORT):
            least = next((n for n in range(SHORT) if bar.spare[m, n] >= i), SHORT)

            assert bar.least[m, i] == least


def test_searching_forgets_nothing_that_waits_to_be_indexed() -> None:
    index = Index(0.7)
    index.append(encoded([[1, 2, 3]]))
    index.search(encoded([[1, 2, 3]]))
    index.settle(4)

    assert search_one(index, [1, 2, 3]) == (0, 1.0)


def test_texts_find_room_however_long_and_however_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """One call decides on texts of any length, and another follows when queries are renumbered."""
    index, chance, kept = Index(0.7), random.Random(8), list[list[int]]()
    for many in (2**31, 2**31, 6):
        monkeypatch.setattr(index_module, "_MANY_QUERIES", many)
        texts = [
            [chance.randrange(100_000) for _ in range(length)]
            for length in (3, 70, 5000, 64, 200, 65, 9000, 130)
        ]
        copies = [[*text[: -len(text) // 10], *chance.sample(text, 2)] for text in texts]
        found = index.admit(encoded([*texts, *copies]))
        index.settle(100_000)
        kept += texts

        assert found.entry.tolist()[:8] == list(range(len(kept) - 8, len(kept)))
        assert found.entry.tolist()[8:] == [-1] * 8
        assert found.nearest.tolist()[8:] == found.entry.tolist()[:8]
        assert np.array_equal(found.score[8:], np.diag(scores_of(copies, texts)))


def test_entries_that_outgrow_their_numbers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries_module, "_MOST_ENTRIES", 3)
    index = Index(0.7)
    index.append(encoded([[1], [2]]))
    index.settle(9)
    for call in (index.append, index.admit):
        with pytest.raises(OverflowError, match="3 texts"):
            call(encoded([[3], [4]]))

        assert len(index) == 2
    assert search_one(index, [2]) == (1, 1.0)
    assert admit_one(index, [3], 9) == (-1, 0.0, 2)
    assert search_one(index, [3]) == (2, 1.0)


@pytest.mark.parametrize("call", [Index.append, Index.admit])
def test_wide_signatures_that_outgrow_their_numbers_are_refused(
    call: Callable[[Index, Encoded], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "_MOST_UNITS", 4)
    index = Index(0.7)
    index.append(encoded([list(range(64))]))
    index.settle(99)

    def add_another() -> None:
        call(index, encoded([list(range(100))]))
        index.settle(100)

    with pytest.raises(OverflowError, match="wide signatures"):
        add_another()

    assert search_one(index, list(range(64))) == (0, 1.0)


@pytest.mark.parametrize("count", [4, 18])
def test_postings_that_outgrow_their_numbers_lose_none(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was indexed before is found as before, whether segments would be merged or not."""
    monkeypatch.setattr(index_module, "_TAIL", 4)
    index = Index(0.7)
    texts = [[number, number + 100] for number in range(12 + count)]
    index.append(encoded(texts[:12]))
    index.settle(200)
    monkeypatch.setattr(index_module, "_MOST_POSTINGS", 7)
    index.append(encoded(texts[12:]))
    with pytest.raises(OverflowError, match="tokens"):
        index.settle(200)

    for number in range(12):
        assert search_one(index, texts[number]) == (number, 1.0)


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.uint64])
def test_arrays_grow_at_lines_of_the_cache(dtype: type[np.unsignedinteger]) -> None:
    array = np.arange(5, dtype=dtype)
    for size in (6, 100, 3, 9000):
        array = roomy(array, 5, size)

        assert array.size >= size
        assert array[:5].tolist() == [0, 1, 2, 3, 4]
        assert array.ctypes.data % 64 == 0


@pytest.mark.parametrize("count", [1, 100])
def test_a_view_is_whole_however_late_its_arrays_are_read(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread may append, into larger arrays, while a reader takes its view."""
    entries = Entries()
    entries.extend(encoded([[1, 2]] * 60))
    before = entries.store
    entries.extend(encoded([[3, 4]] * count))
    monkeypatch.setattr(entries, "_store", before)  # what a reader took just before that
    tokens, offsets = entries.view()

    assert offsets.size in {61, 61 + count}
    assert offsets.tolist() == list(range(0, 2 * offsets.size, 2))
    assert tokens.tolist() == ([1, 2] * 60 + [3, 4] * count)[: 2 * (offsets.size - 1)]

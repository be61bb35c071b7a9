"""Decisions on the whole real stream, 65 thousand instructions, equal brute force."""

from __future__ import annotations

import functools
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist
from rouge_score import tokenize
from similarity import reference
from similarity.harness import floats_of, needs_stream, rouge, scores_of, stream, verdict_of

from asyncgen_kernels import THRESHOLD, Admission, Pool

if TYPE_CHECKING:
    from numpy.typing import NDArray

pytestmark = needs_stream


@functools.cache
def decisions() -> list[Admission]:
    return Pool().admit_many(stream())


@functools.cache
def as_ids() -> list[list[int]]:
    ids: dict[str, int] = {}
    return [
        [ids.setdefault(token, len(ids)) for token in tokenize.tokenize(text, None)]
        for text in stream()
    ]


def kept_rows() -> list[int]:
    return [row for row, decision in enumerate(decisions()) if decision.admitted]


def decided(decision: Admission) -> tuple[int, float]:
    return -1 if decision.nearest is None else decision.nearest, decision.score


def test_indices_count_the_admitted() -> None:
    indices = [decision.entry for decision in decisions() if decision.admitted]

    assert len(decisions()) == len(stream())
    assert indices == list(range(len(indices)))
    assert 10_000 < len(indices) < len(stream())


def test_every_rejection_names_a_pair_with_that_score() -> None:
    kept = kept_rows()
    for row, decision in enumerate(decisions()):
        if decision.nearest is not None:
            one, other = as_ids()[row], as_ids()[kept[decision.nearest]]
            lcs = LCSseq.similarity(one, other)

            assert kept[decision.nearest] < row
            assert decision.score == reference.f_of(lcs, len(one), len(other)) > THRESHOLD
            if row % 50 == 0:
                pair = stream()[row], stream()[kept[decision.nearest]]

                assert decision.score == rouge().score(*pair)["rougeL"].fmeasure


def test_a_sample_of_decisions_equals_brute_force() -> None:
    """Rows from all of the stream, each against all that was kept before it."""
    kept = kept_rows()
    rows = sorted(random.Random(11).sample(range(len(stream())), 300))
    scores = scores_of([as_ids()[row] for row in rows], [as_ids()[row] for row in kept])
    for row, found in zip(rows, scores, strict=True):
        assert decided(decisions()[row]) == verdict_of(
            found[: int(np.searchsorted(kept, row))], THRESHOLD
        )


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_every_decision_equals_brute_force() -> None:
    """Rows in blocks, each against what was kept before it: rightly so, as is known by then."""
    kept = kept_rows()
    entries = [as_ids()[row] for row in kept]
    lengths = np.array([len(entry) for entry in entries], np.int32)
    for start in range(0, len(stream()), 256):
        rows = range(start, min(len(stream()), start + 256))
        seen = int(np.searchsorted(kept, rows.stop))
        texts = [as_ids()[row] for row in rows]
        lcs: NDArray[np.int32] = cdist(
            texts, entries[:seen], scorer=LCSseq.similarity, dtype=np.int32, workers=-1
        )
        for row, text, found in zip(rows, texts, lcs, strict=True):
            before = int(np.searchsorted(kept, row))
            scores = floats_of(found[:before], np.array(len(text), np.int32), lengths[:before])

            assert decided(decisions()[row]) == verdict_of(scores, THRESHOLD)

"""Intervals cover what they say, tests reject what they should: on data whose answer is known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from asyncgen.statistics.bootstrap import Resampling, interval, mean_interval, paired_test

PLAN = Resampling(resamples=2_000, seed=5)


def test_an_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    samples = [random.normal(3.0, 2.0, 60) for _ in range(400)]
    plan = Resampling(resamples=400, seed=2, level=0.9)

    covered = sum(
        found.low <= 3.0 <= found.high for found in (mean_interval(s, plan) for s in samples)
    )

    # 400 trials at 0.9 give 360 with a deviation of 6; the percentile interval is a little narrow.
    assert 335 <= covered <= 380


def test_an_interval_of_a_mean_is_that_of_the_normal_theory() -> None:
    values = np.random.default_rng(3).uniform(0.0, 1.0, 2_000)
    found = mean_interval(values, Resampling(resamples=4_000, seed=1))
    half = 1.96 * values.std() / math.sqrt(values.size)

    assert found.low == pytest.approx(values.mean() - half, abs=half * 0.1)
    assert found.high == pytest.approx(values.mean() + half, abs=half * 0.1)


def test_any_statistic_over_rows_has_an_interval_and_rows_stay_together() -> None:
    x = np.random.default_rng(4).normal(size=300)
    rows = np.column_stack([x, 2 * x + 1])

    found = interval(rows, lambda table: float(np.asarray(np.corrcoef(table.T))[0, 1]), PLAN)

    assert found.low == pytest.approx(1.0)
    assert found.high == pytest.approx(1.0)


def test_samples_for_which_a_statistic_is_undefined_are_left_out() -> None:
    def agreement(rows: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
        return 0.5 if rows.min() < rows.max() else float("nan")

    found = interval([1.0, 2.0, 2.0], agreement, PLAN)
    never = interval([1.0, 1.0], agreement, PLAN)

    assert (found.low, found.high) == (0.5, 0.5)
    assert math.isnan(never.low)
    assert math.isnan(never.high)


def test_groups_that_differ_by_themselves_widen_no_interval_within_them() -> None:
    values = [0.0] * 50 + [1.0] * 50
    strata = ["low"] * 50 + ["high"] * 50

    within, across = mean_interval(values, PLAN, strata=strata), mean_interval(values, PLAN)

    assert (within.low, within.high) == (0.5, 0.5)
    assert across.high - across.low > 0.15


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    values = np.random.default_rng(6).uniform(size=80)

    assert mean_interval(values, PLAN) == mean_interval(values, PLAN)
    assert mean_interval(values, PLAN) != mean_interval(values, Resampling(2_000, seed=6))


def test_draws_in_several_runs_are_all_made() -> None:
    """More draws than are held at once: 2,000 samples of 3,000 rows."""
    values = np.random.default_rng(7).uniform(size=3_000)
    found = mean_interval(values, PLAN)

    assert found.low < values.mean() < found.high
    assert found.low > 0.45


def test_a_few_pairs_are_tested_exactly() -> None:
    first, second = [0.1, 0.2, 0.3, 0.4], [0.5, 0.4, 0.2, 0.9]
    differences = np.subtract(second, first)
    arrangements = [
        abs(np.dot(signs, differences)) for signs in itertools.product((-1, 1), repeat=4)
    ]
    observed = abs(differences.sum())

    found = paired_test(first, second, PLAN)

    assert found.p_value == np.mean(np.array(arrangements) >= observed - 1e-12)
    assert found.difference == pytest.approx(differences.mean())
    assert found.rows == 4


def test_equal_models_are_not_told_apart_and_unequal_ones_are() -> None:
    random = np.random.default_rng(8)
    first = random.uniform(size=200)
    alike = first + random.normal(0.0, 0.05, 200) * random.choice([-1, 1], 200)

    assert paired_test(first, first, PLAN).p_value == 1.0
    assert paired_test(first, alike, PLAN).p_value > 0.05
    better = paired_test(first, first + random.normal(0.05, 0.1, 200), PLAN)
    assert better.p_value == 1 / 2_001
    assert better.interval.low > 0


def test_under_no_difference_p_values_are_spread_evenly() -> None:
    random = np.random.default_rng(9)
    plan = Resampling(resamples=199, seed=3)
    values = [
        paired_test(random.uniform(size=30), random.uniform(size=30), plan).p_value
        for _ in range(400)
    ]

    # 20 of 400 expected at the 5 % level, with a deviation of 4.4.
    assert 6 <= sum(value <= 0.05 for value in values) <= 36
    assert 0.42 < float(np.mean(values)) < 0.58


def test_nothing_has_no_interval_and_unequal_lists_are_refused() -> None:
    assert math.isnan(mean_interval([], PLAN).low)
    assert math.isnan(interval([], lambda rows: float(rows.mean()), PLAN).low)
    assert math.isnan(paired_test([], [], PLAN).p_value)
    with pytest.raises(ValueError, match="equally many"):
        paired_test([1.0], [1.0, 2.0], PLAN)

"""Agreement equals published worked examples, and what scikit-learn, R and SciPy compute."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asyncgen.statistics.agreement import contingency, kappa, merged, spearman

COHEN = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
"""Cohen (1960), the example of two psychologists and 200 patients: p_o 0.70, p_c 0.41."""
FLEISS = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]
"""Fleiss, Statistical Methods for Rates and Proportions, the chapter on agreement: 100 subjects."""
FOUR = [[30, 5, 2, 0], [7, 20, 6, 1], [1, 4, 40, 9], [0, 2, 8, 60]]


def test_kappa_is_that_of_cohens_own_example() -> None:
    found = kappa(COHEN)

    assert found.observed == pytest.approx(0.70)
    assert found.expected == pytest.approx(0.41)
    assert found.value == pytest.approx(0.29 / 0.59)
    assert round(found.value, 3) == 0.492


@pytest.mark.parametrize("table", [COHEN, FLEISS, FOUR])
def test_the_standard_error_is_that_of_the_delta_method(table: list[list[int]]) -> None:
    """By numerical derivatives of kappa, so independent of the published formula."""
    counts = np.array(table, np.float64).ravel()
    share, step = counts / counts.sum(), 1e-6
    size = len(table)

    def at(point: np.ndarray) -> float:
        return kappa(point.reshape(size, size)).value

    slopes = np.array(
        [(at(share + move) - at(share - move)) / (2 * step) for move in np.eye(size**2) * step]
    )
    variance = (share @ slopes**2 - (share @ slopes) ** 2) / counts.sum()
    assert kappa(table).error == pytest.approx(np.sqrt(variance), rel=1e-6)


# scikit-learn's cohen_kappa_score and SciPy's spearmanr over the pairs of the table.
@pytest.mark.parametrize(
    ("table", "value", "rho"),
    [
        (COHEN, 0.4915254237288136, 0.5085996570104144),
        (FLEISS, 0.6764705882352942, 0.7143748872758515),
        (FOUR, 0.6825368112586376, 0.8657079761420585),
    ],
)
def test_both_equal_what_others_compute(table: list[list[int]], value: float, rho: float) -> None:
    counts = np.array(table)
    first, second = (places.ravel() for places in np.indices(counts.shape))

    assert kappa(counts).value == pytest.approx(value, abs=1e-12)
    assert spearman(first, second, counts.ravel()) == pytest.approx(rho, abs=1e-12)


def test_rho_with_ties_is_that_of_the_textbook() -> None:
    """Sullivan, Statistics, section 15.6, example 1: club-head speeds and distances.

    Two speeds are tied at 100 and two at 105; R's cor.test gives 0.9277782 for these data.
    """
    speed = [100, 102, 103, 101, 105, 100, 99, 105]
    distance = [257, 264, 274, 266, 277, 263, 258, 275]

    assert round(spearman(speed, distance), 7) == 0.9277782


def test_rho_counts_a_pair_as_often_as_it_was_seen() -> None:
    rng = np.random.default_rng(1)
    first, second, times = rng.integers(0, 4, (3, 40))
    longer = np.repeat(first, times), np.repeat(second, times)

    assert spearman(first, second, times) == pytest.approx(spearman(*longer), abs=1e-12)


def test_two_levels_are_the_four_taken_together() -> None:
    two = merged(FOUR, (0, 0, 1, 1))

    assert two.tolist() == [[62, 9], [7, 117]]
    # (179 - 94.66…) / (195 - 94.66…), by hand: chance agrees on 71·69/195 + 124·126/195.
    chance = (71 * 69 + 124 * 126) / 195
    assert kappa(two).value == pytest.approx((179 - chance) / (195 - chance))


def test_a_table_counts_pairs_with_the_first_rater_down() -> None:
    assert contingency([0, 0, 1, 2], [0, 1, 1, 0], 3).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_full_agreement_is_one_without_an_error() -> None:
    found = kappa(np.diag([5, 1, 0, 3]))

    assert found.value == pytest.approx(1.0)
    assert found.error == pytest.approx(0.0)


@pytest.mark.parametrize("table", [np.zeros((4, 4)), np.diag([0, 7, 0, 0])])
def test_kappa_of_nothing_or_of_one_level_alone_is_undefined(table: np.ndarray) -> None:
    assert math.isnan(kappa(table).value)
    assert math.isnan(kappa(table).error)


def test_rho_is_undefined_where_one_side_has_one_value() -> None:
    assert math.isnan(spearman([1, 1, 1], [1, 2, 3]))
    assert math.isnan(spearman([], []))


def test_ratings_that_do_not_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="equally many"):
        contingency([0, 1], [0], 4)
    with pytest.raises(ValueError, match="between 0 and 3"):
        contingency([0, 4], [0, 1], 4)
    with pytest.raises(ValueError, match="equally many"):
        spearman([0, 1], [0])

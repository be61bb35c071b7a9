"""What came of a study: levels by model, and how far raters agree.

People and models that judge stay apart: nothing here adds the ratings of one kind to those of the
other. Intervals are those of new tasks: tasks are drawn, with all their responses and ratings.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from asyncgen.rate.rubric import LETTERS, TWO_LEVELS
from asyncgen.statistics.agreement import kappa, merged, spearman
from asyncgen.statistics.bootstrap import Resampling, interval, mean_interval, paired_test

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from asyncgen.rate.responses import Response
    from asyncgen.rate.store import Kind, Rater, RatingStore

__all__ = [
    "PLAN",
    "Agreement",
    "ByRater",
    "Difference",
    "Estimate",
    "ModelLevels",
    "Results",
    "results_of",
]

_LEVELS = len(LETTERS)
_ACCEPTABLE = TWO_LEVELS.index(1)
_ACROSS = np.repeat(np.arange(_LEVELS), _LEVELS), np.tile(np.arange(_LEVELS), _LEVELS)
"""The first and the second rater's level of each cell of a table."""

PLAN = Resampling(resamples=2000)
"""Enough for two digits of an interval's ends."""


class Estimate(Struct, frozen=True):
    """A number and its interval; ``None`` where it is undefined."""

    value: float | None
    low: float | None
    high: float | None


class ModelLevels(Struct, frozen=True, kw_only=True):
    """What one rater thinks of one model.

    Attributes:
        counts: How often each level was given, from A to D.
        best: Share of A.
        acceptable: Share of A or B.
    """

    model: str
    counts: tuple[int, ...]
    best: Estimate
    acceptable: Estimate


class Difference(Struct, frozen=True, kw_only=True):
    """What one rater finds between two models, on the tasks where both were rated.

    Attributes:
        models: Their names.
        tasks: How many tasks these are.
        acceptable: The second's share of A or B less the first's.
        p_value: Two-sided, of a paired randomisation test; ``None`` without tasks.
    """

    models: tuple[str, str]
    tasks: int
    acceptable: Estimate
    p_value: float | None


class ByRater(Struct, frozen=True, kw_only=True):
    """One rater's ratings."""

    rater: str
    kind: Kind
    rated: int
    total: int
    models: tuple[ModelLevels, ...]
    differences: tuple[Difference, ...]


class Agreement(Struct, frozen=True, kw_only=True):
    """Two raters on the responses that both rated.

    Attributes:
        raters: Their names; a model that judges is the second.
        with_model: Whether one of them is a model.
        common: How many responses both rated.
        table: How often which levels met, the first rater's down.
        kappa: Cohen's, on four levels.
        error: Its standard error for large samples; ``None`` where kappa is undefined.
        kappa_two: Cohen's, on acceptable (A, B) or not (C, D).
        rho: Spearman's, of the levels as ranks.
    """

    raters: tuple[str, str]
    with_model: bool
    common: int
    table: tuple[tuple[int, ...], ...]
    kappa: Estimate
    error: float | None
    kappa_two: Estimate
    rho: Estimate


class Results(Struct, frozen=True, kw_only=True):
    """A whole study.

    Attributes:
        level: Confidence of all intervals.
    """

    tasks: int
    models: tuple[str, ...]
    level: float
    raters: tuple[ByRater, ...]
    agreement: tuple[Agreement, ...]


def results_of(store: RatingStore, plan: Resampling = PLAN) -> Results:
    """Return what came of a study so far, raters without a rating left out."""
    responses = store.responses()
    models = tuple(sorted({one.model for one in responses.values()}))
    given = {rater: store.given(rater.number) for rater in store.raters()}
    given = {rater: levels for rater, levels in given.items() if levels}
    # People first, so that in a pair with a model the model is the second.
    there = sorted(given, key=lambda rater: (rater.kind == "model", rater.number))
    return Results(
        tasks=len({one.task for one in responses.values()}),
        models=models,
        level=plan.level,
        raters=tuple(_by_rater(rater, models, responses, given[rater], plan) for rater in there),
        agreement=tuple(
            _agreement(
                (one.name, other.name),
                _by_task(responses, given[one], given[other]),
                plan,
                with_model="model" in {one.kind, other.kind},
            )
            for one, other in combinations(there, 2)
            if given[one].keys() & given[other].keys()
        ),
    )


def _by_rater(
    rater: Rater,
    models: tuple[str, ...],
    responses: Mapping[int, Response],
    given: Mapping[int, str],
    plan: Resampling,
) -> ByRater:
    return ByRater(
        rater=rater.name,
        kind=rater.kind,
        rated=len(given),
        total=len(responses),
        models=tuple(_levels(model, responses, given, plan) for model in models),
        differences=tuple(
            _difference(pair, responses, given, plan) for pair in combinations(models, 2)
        ),
    )


def _levels(
    model: str, responses: Mapping[int, Response], given: Mapping[int, str], plan: Resampling
) -> ModelLevels:
    rated = np.array(list(_ranks(model, responses, given).values()), np.intp)
    return ModelLevels(
        model=model,
        counts=tuple(map(int, np.bincount(rated, minlength=_LEVELS))),
        best=_share(rated == 0, plan),
        acceptable=_share(rated < _ACCEPTABLE, plan),
    )


def _share(those: NDArray[np.bool_], plan: Resampling) -> Estimate:
    if not those.size:
        return Estimate(None, None, None)
    found = mean_interval(those, plan)
    return Estimate(float(those.mean()), found.low, found.high)


def _difference(
    pair: tuple[str, str],
    responses: Mapping[int, Response],
    given: Mapping[int, str],
    plan: Resampling,
) -> Difference:
    first, second = (_ranks(model, responses, given) for model in pair)
    both = [task for task in first if task in second]
    one, other = (
        np.array([ranks[task] for task in both]) < _ACCEPTABLE for ranks in (first, second)
    )
    found = paired_test(one, other, plan)
    difference = Estimate(
        _defined(found.difference), _defined(found.interval.low), _defined(found.interval.high)
    )
    return Difference(
        models=pair, tasks=found.rows, acceptable=difference, p_value=_defined(found.p_value)
    )


def _ranks(
    model: str, responses: Mapping[int, Response], given: Mapping[int, str]
) -> dict[str, int]:
    """Return the level of each task's response by a model, 0 for A."""
    return {
        responses[number].task: LETTERS.index(level)
        for number, level in given.items()
        if responses[number].model == model
    }


def _by_task(
    responses: Mapping[int, Response], first: Mapping[int, str], second: Mapping[int, str]
) -> NDArray[np.float64]:
    """Count pairs of levels, each task in a row of its own.

    Returns:
        Shape (tasks, levels * levels), a row for each task that has a response both rated.
    """
    rows: dict[str, NDArray[np.float64]] = {}
    for number, level in first.items():
        if number in second:
            row = rows.setdefault(responses[number].task, np.zeros(_LEVELS * _LEVELS))
            row[LETTERS.index(level) * _LEVELS + LETTERS.index(second[number])] += 1
    return np.array(list(rows.values())).reshape(len(rows), _LEVELS * _LEVELS)


def _agreement(
    names: tuple[str, str], rows: NDArray[np.float64], plan: Resampling, *, with_model: bool
) -> Agreement:
    table = rows.sum(axis=0).reshape(_LEVELS, _LEVELS)
    return Agreement(
        raters=names,
        with_model=with_model,
        common=int(table.sum()),
        table=tuple(tuple(map(int, row)) for row in table),
        kappa=_estimate(rows, _kappa, plan),
        error=_defined(kappa(table).error),
        kappa_two=_estimate(rows, _kappa_two, plan),
        rho=_estimate(rows, _rho, plan),
    )


def _summed(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    table: NDArray[np.float64] = rows.sum(axis=0).reshape(_LEVELS, _LEVELS)
    return table


def _kappa(rows: NDArray[np.float64]) -> float:
    return kappa(_summed(rows)).value


def _kappa_two(rows: NDArray[np.float64]) -> float:
    return kappa(merged(_summed(rows), TWO_LEVELS)).value


def _rho(rows: NDArray[np.float64]) -> float:
    return spearman(*_ACROSS, _summed(rows).ravel())


def _estimate(
    rows: NDArray[np.float64], statistic: Callable[[NDArray[np.float64]], float], plan: Resampling
) -> Estimate:
    found = interval(rows, statistic, plan)
    return Estimate(_defined(statistic(rows)), _defined(found.low), _defined(found.high))


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

"""How good predictions are: in all, of each category and of each task, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from msgspec import Struct

from asyncgen.errors import InputError
from asyncgen.evaluate.metrics import exact_match, rouge_l
from asyncgen.statistics.bootstrap import (
    Interval,
    PairedTest,
    Resampling,
    mean_interval,
    paired_test,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asyncgen.evaluate.answers import Prediction

__all__ = ["Difference", "Group", "Scored", "Scores", "compare", "score", "scores_of"]

Metric: TypeAlias = Literal["rouge_l", "exact_match"]

_CLASSIFYING = frozenset(
    {
        "textual entailment",
        "cause effect classification",
        "coreference resolution",
        "dialogue act recognition",
        "answerability classification",
        "word analogy",
    }
)
"""Categories that SuperNI reports by exact match; all others, and all together, by ROUGE-L."""


class Scored(Struct, frozen=True, kw_only=True):
    """A prediction and its scores, each in [0, 1]."""

    prediction: Prediction
    rouge_l: float
    exact_match: float


class Group(Struct, frozen=True, kw_only=True):
    """Predictions that are reported together; means and intervals are in [0, 1].

    Attributes:
        name: Of the task or the category; empty for all together.
        kind: Which of the three.
        metric: The one of the two that is reported for such a group.
    """

    kind: Literal["all", "category", "task"]
    name: str
    rows: int
    metric: Metric
    rouge_l: float
    rouge_l_interval: Interval
    exact_match: float
    exact_match_interval: Interval

    @property
    def value(self) -> float:
        """The mean by the metric that is reported."""
        return self.rouge_l if self.metric == "rouge_l" else self.exact_match

    @property
    def interval(self) -> Interval:
        """The interval of that mean."""
        return self.rouge_l_interval if self.metric == "rouge_l" else self.exact_match_interval


class Difference(Struct, frozen=True, kw_only=True):
    """How much better the second of two models is at a group, by its metric."""

    kind: Literal["all", "category", "task"]
    name: str
    metric: Metric
    test: PairedTest


class Scores(Struct, frozen=True, kw_only=True):
    """How good one model is.

    Attributes:
        groups: All together first, then categories, then tasks, those by name; where a file names
            no category or task there are none.
        failed: Answers that will never come; they count as empty ones.
        cut_off: Answers that ended at their greatest length.
    """

    model: str
    groups: tuple[Group, ...]
    failed: int
    cut_off: int

    @property
    def overall(self) -> Group:
        """All predictions together."""
        return self.groups[0]


def score(predictions: Sequence[Prediction]) -> list[Scored]:
    """Score each prediction against the references of its own that it fits best."""
    return [
        Scored(
            prediction=one,
            rouge_l=rouge_l(one.prediction, one.references),
            exact_match=float(exact_match(one.prediction, one.references)),
        )
        for one in predictions
    ]


def scores_of(model: str, rows: Sequence[Scored], plan: Resampling) -> Scores:
    """Sum a model's predictions up.

    The mean of all, or of a category, is over predictions, not over tasks, as in the paper. Its
    interval is that of other instances of the same tasks: they are drawn within each.
    """
    ends = [one.prediction.finish_reason for one in rows]
    return Scores(
        model=model,
        groups=tuple(_group(kind, name, part, plan) for kind, name, part in _grouped(rows)),
        failed=sum(end in {"error", "content_filter"} for end in ends),
        cut_off=ends.count("length"),
    )


def compare(
    first: Sequence[Scored], second: Sequence[Scored], plan: Resampling
) -> tuple[Difference, ...]:
    """Compare two models on the same questions, group by group.

    Raises:
        InputError: If they did not answer the same questions.
    """
    others = {one.prediction.id: one for one in second}
    for one in first:
        other = others.get(one.prediction.id)
        if other is None or other.prediction.references != one.prediction.references:
            raise InputError(
                f"not the same questions: {one.prediction.id!r} of the first "
                + ("is not in the second" if other is None else "has another reference there")
            )
    if len(others) != len(first):
        raise InputError(f"not the same questions: {len(first)} and {len(others)}")
    return tuple(
        _difference(kind, name, part, [others[one.prediction.id] for one in part], plan)
        for kind, name, part in _grouped(first)
    )


def _grouped(
    rows: Sequence[Scored],
) -> Iterator[tuple[Literal["all", "category", "task"], str, list[Scored]]]:
    yield "all", "", list(rows)
    categories = sorted({one.prediction.task_category for one in rows} - {""})
    for name in categories:
        yield "category", name, [one for one in rows if one.prediction.task_category == name]
    for name in sorted({one.prediction.task_id for one in rows} - {""}):
        yield "task", name, [one for one in rows if one.prediction.task_id == name]


def _metric(kind: str, rows: Sequence[Scored]) -> Metric:
    category = rows[0].prediction.task_category.lower().replace("_", " ") if rows else ""
    return "exact_match" if kind != "all" and category in _CLASSIFYING else "rouge_l"


def _group(
    kind: Literal["all", "category", "task"], name: str, rows: Sequence[Scored], plan: Resampling
) -> Group:
    like, same = _values(rows, "rouge_l"), _values(rows, "exact_match")
    strata = [one.prediction.task_id for one in rows]
    return Group(
        kind=kind,
        name=name,
        rows=len(rows),
        metric=_metric(kind, rows),
        rouge_l=float(np.mean(like)),
        rouge_l_interval=mean_interval(like, plan, strata=strata),
        exact_match=float(np.mean(same)),
        exact_match_interval=mean_interval(same, plan, strata=strata),
    )


def _difference(
    kind: Literal["all", "category", "task"],
    name: str,
    first: Sequence[Scored],
    second: Sequence[Scored],
    plan: Resampling,
) -> Difference:
    metric = _metric(kind, first)
    strata = [one.prediction.task_id for one in first]
    test = paired_test(_values(first, metric), _values(second, metric), plan, strata=strata)
    return Difference(kind=kind, name=name, metric=metric, test=test)


def _values(rows: Sequence[Scored], metric: Metric) -> list[float]:
    return [one.rouge_l if metric == "rouge_l" else one.exact_match for one in rows]

"""What the answers of each stage took: requests, tokens, money, time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from asyncgen.records import Stage, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.records import Answer, Completion

__all__ = ["Spending", "spending"]


class Spending(Struct, frozen=True, kw_only=True):
    """What one stage took.

    Attributes:
        answers: How many answers came.
        recalled: How many of them came from a shared cache; the rest is of the others alone, for
            the run paid nothing for these.
        usage: Tokens.
        cost: US dollars; ``None`` where no answer has a known price.
        lost_cost: US dollars, at the worst, of attempts whose answers were lost.
        attempts: How often was tried.
        p50, p99: Seconds that half and all but a hundredth of the answers took at most.
    """

    stage: Stage
    answers: int
    recalled: int
    usage: Usage
    cost: float | None
    lost_cost: float
    attempts: int
    p50: float
    p99: float


_STAGES: tuple[Stage, ...] = ("generation", "classification", "instances", "judging")


def spending(answers: Sequence[Answer]) -> tuple[Spending, ...]:
    """Sum up the stages, in their order; the judge's only if it was asked."""
    by_stage: dict[Stage, list[Completion]] = {stage: [] for stage in _STAGES}
    for answer in answers:
        by_stage[answer.request.stage].append(answer.completion)
    return tuple(
        _of(stage, completions)
        for stage, completions in by_stage.items()
        if completions or stage != "judging"
    )


def _of(stage: Stage, completions: Sequence[Completion]) -> Spending:
    asked = [one for one in completions if not one.recalled]
    costs = [one.cost for one in asked if one.cost is not None]
    seconds = [one.seconds for one in asked if one.started_at > 0] or [0.0]
    middle, slowest = np.quantile(seconds, (0.5, 0.99))
    return Spending(
        stage=stage,
        answers=len(completions),
        recalled=len(completions) - len(asked),
        usage=sum((one.usage for one in asked), Usage()),
        cost=sum(costs) if costs else None,
        lost_cost=sum(one.lost_cost for one in asked),
        attempts=sum(one.attempts for one in asked),
        p50=float(middle),
        p99=float(slowest),
    )

"""What the answers of each stage took: requests, tokens, money, time."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

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
        usage: Their tokens.
        cost: US dollars; ``None`` where no answer has a known price.
        lost_cost: US dollars, at the worst, of attempts whose answers were lost.
        attempts: How often was tried.
        p50, p99: Seconds that half and all but a hundredth of the answers took at most.
    """

    stage: Stage
    answers: int
    usage: Usage
    cost: float | None
    lost_cost: float
    attempts: int
    p50: float
    p99: float


def spending(answers: Sequence[Answer]) -> tuple[Spending, ...]:
    """Sum up the stages, in their order."""
    by_stage: dict[Stage, list[Completion]] = {stage: [] for stage in get_args(Stage)}
    for answer in answers:
        by_stage[answer.request.stage].append(answer.completion)
    return tuple(_of(stage, completions) for stage, completions in by_stage.items())


def _of(stage: Stage, completions: Sequence[Completion]) -> Spending:
    costs = [one.cost for one in completions if one.cost is not None]
    seconds = [one.seconds for one in completions if one.started_at > 0] or [0.0]
    middle, slowest = np.quantile(seconds, (0.5, 0.99))
    return Spending(
        stage=stage,
        answers=len(completions),
        usage=sum((one.usage for one in completions), Usage()),
        cost=sum(costs) if costs else None,
        lost_cost=sum(one.lost_cost for one in completions),
        attempts=sum(one.attempts for one in completions),
        p50=float(middle),
        p99=float(slowest),
    )

"""What a run would take from here on: plain arithmetic on what is known and assumed of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from asyncgen.planning.costs import CACHED_FROM, Cost, Tariff, cacheable, cost_of
from asyncgen.planning.loads import STAGE_OF, Kind, Load
from asyncgen.planning.pace import Ceilings, Factor, limiting, seconds_by_factor
from asyncgen.planning.work import Aim, Standing, Work, work_left

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncgen.planning.funnel import Funnel
    from asyncgen.records import Stage

__all__ = ["Allowed", "Assumptions", "Basis", "Estimate", "StageEstimate", "estimate"]

_STAGES: tuple[Stage, ...] = ("generation", "classification", "instances")


@dataclass(frozen=True, slots=True)
class Basis:
    """All that an estimate follows from.

    Attributes:
        surplus, look_ahead: As the settings have them.
        max_cost: US dollars that the run may cost in all.
        spent: US dollars that it has cost.
        measured_on: Answers that loads and funnel were measured on.
        later: The stages that a kept instruction goes through.
        together: Tasks that are asked about at once what they are, at the most.
        judge_ceilings: Limits of a judge that gets nothing else to do.
    """

    target: int
    surplus: float
    look_ahead: int
    standing: Standing
    funnel: Funnel
    loads: Mapping[Kind, Load]
    ceilings: Ceilings
    tariffs: tuple[Tariff, ...]
    max_cost: float | None
    spent: float
    measured_on: int
    later: tuple[Stage, ...] = ("classification", "instances")
    together: int = 1
    judge_ceilings: Ceilings | None = None


class StageEstimate(Struct, frozen=True, kw_only=True):
    """Totals of a stage.

    Attributes:
        cacheable_tokens: Input tokens that a provider's prefix cache may hold.
    """

    requests: int
    input_tokens: int
    cacheable_tokens: int
    output_tokens: int


class Allowed(Struct, frozen=True):
    """Whether a budget suffices, prefix caching left out.

    Attributes:
        tasks: Finished tasks that it buys, those included that are there.
    """

    dollars: float
    suffices: bool
    tasks: int


class Assumptions(Struct, frozen=True, kw_only=True):
    """What an estimate rests on.

    Attributes:
        measured_on: Answers of this run that decided it; 0 if all is assumed.
        requests: What one request takes, by kind; instances label first for classification.
    """

    measured_on: int
    candidates_per_answer: float
    acceptance: float
    classification_share: float
    valid_per_kept: float
    max_in_flight: int
    cached_from_tokens: int
    requests: dict[Kind, Load]


class Estimate(Struct, frozen=True, kw_only=True):
    """What a run would take from here on.

    Attributes:
        tasks: Finished tasks that are there.
        requests: By stage.
        minutes: At the given limits.
        limiting_factor: The setting that decides how long; ``None`` if nothing is left to do.
        spent: US dollars so far.
        max_cost: ``None`` without a budget, or without prices.
    """

    target: int
    tasks: int
    requests: dict[Stage, int]
    input_tokens: int
    output_tokens: int
    stages: dict[Stage, StageEstimate]
    cost: Cost
    minutes: float
    limiting_factor: Factor | None
    spent: float
    max_cost: Allowed | None
    assumptions: Assumptions


def estimate(basis: Basis) -> Estimate:
    """Return what is left to do and what it takes."""
    work = _work(basis, basis.target)
    stages: dict[Stage, StageEstimate] = {
        stage: _stage(stage, work, basis.loads) for stage in dict.fromkeys((*_STAGES, *basis.later))
    }
    requests: dict[Stage, int] = {stage: one.requests for stage, one in stages.items()}
    factor, seconds = limiting(_seconds(work, basis))
    # The first task goes through three stages before anything else counts, and so does the last.
    ramp = _round_trip(basis.loads) if factor else 0.0
    return Estimate(
        target=basis.target,
        tasks=min(basis.standing.tasks, basis.target),
        requests=requests,
        input_tokens=sum(one.input_tokens for one in stages.values()),
        output_tokens=sum(one.output_tokens for one in stages.values()),
        stages=stages,
        cost=cost_of(work, basis.loads, basis.tariffs),
        minutes=(seconds + ramp) / 60,
        limiting_factor=factor,
        spent=basis.spent,
        max_cost=_allowed(basis),
        assumptions=_assumptions(basis),
    )


def _work(basis: Basis, target: int) -> Work:
    """Return the requests for a target, with as many in the air as the limits let up."""
    in_flight = basis.ceilings.max_in_flight
    aim = Aim(target, basis.surplus, basis.look_ahead, in_flight, basis.later, basis.together)
    work = work_left(aim, basis.standing, basis.funnel, basis.loads)
    seconds = _seconds(work, basis)
    _, slowest = limiting({**seconds, "rpd": 0.0})
    if slowest <= seconds["max_in_flight"]:
        return work
    # Limits keep the air emptier than it might be.
    fewer = aim.in_flight * seconds["max_in_flight"] / slowest
    return work_left(replace(aim, in_flight=fewer), basis.standing, basis.funnel, basis.loads)


def _seconds(work: Work, basis: Basis) -> dict[Factor, float]:
    """Return how long work would take by each limit; a judge's own are kept beside the others."""
    if basis.judge_ceilings is None:
        return seconds_by_factor(work, basis.loads, basis.ceilings)
    making: Work = {kind: count for kind, count in work.items() if kind != "judging"}
    judging: Work = {kind: count for kind, count in work.items() if kind == "judging"}
    apart = (
        seconds_by_factor(making, basis.loads, basis.ceilings),
        seconds_by_factor(judging, basis.loads, basis.judge_ceilings),
    )
    slower: dict[Factor, float] = {name: max(one[name] for one in apart) for name in apart[0]}
    # Places in the air are shared.
    slower["max_in_flight"] = sum(one["max_in_flight"] for one in apart)
    return slower


def _stage(stage: Stage, work: Work, loads: Mapping[Kind, Load]) -> StageEstimate:
    kinds = [(count, loads[kind]) for kind, count in work.items() if STAGE_OF[kind] == stage]
    return StageEstimate(
        requests=round(sum(count for count, _ in kinds)),
        input_tokens=round(sum(count * load.input_tokens for count, load in kinds)),
        cacheable_tokens=round(sum(count * cacheable(load) for count, load in kinds)),
        output_tokens=round(sum(count * load.output_tokens for count, load in kinds)),
    )


def _round_trip(loads: Mapping[Kind, Load]) -> float:
    later = max(loads["input_first"].seconds, loads["output_first"].seconds)
    judging = loads["judging"].seconds if "judging" in loads else 0.0
    return loads["generation"].seconds + loads["classification"].seconds + later + judging


def _allowed(basis: Basis) -> Allowed | None:
    """Return what the budget buys: the highest target whose cost it covers."""
    if basis.max_cost is None:
        return None
    left = basis.max_cost - basis.spent

    def covers(target: int) -> bool | None:
        cost = cost_of(_work(basis, target), basis.loads, basis.tariffs).without_caching
        return None if cost is None else cost <= left

    enough = covers(basis.target)
    if enough is None:
        return None
    low, high = min(basis.standing.tasks, basis.target), basis.target
    while not enough and high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if covers(middle) else (low, middle)
    return Allowed(basis.max_cost, enough, basis.target if enough else low)


def _assumptions(basis: Basis) -> Assumptions:
    funnel = basis.funnel
    return Assumptions(
        measured_on=basis.measured_on,
        candidates_per_answer=funnel.candidates_per_answer,
        acceptance=funnel.acceptance_at(basis.standing.kept),
        classification_share=funnel.classification_share,
        valid_per_kept=funnel.valid_per_kept,
        max_in_flight=basis.ceilings.max_in_flight,
        cached_from_tokens=CACHED_FROM,
        requests=dict(basis.loads),
    )

"""An estimate in words, and as fields for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from asyncgen.cli.summary import amount, money
from asyncgen.planning.estimate import StageEstimate

if TYPE_CHECKING:
    from pathlib import Path

    from asyncgen.pipeline.status import Status
    from asyncgen.planning.estimate import Estimate
    from asyncgen.planning.pace import Factor
    from asyncgen.records import Stage

__all__ = ["Probed", "as_fields", "as_text"]

_FACTORS: dict[Factor, str] = {
    "rpm": "requests per minute (--rpm)",
    "tpm": "tokens per minute (--tpm)",
    "input_tpm": "input tokens per minute (--input-tpm)",
    "output_tpm": "output tokens per minute (--output-tpm)",
    "rpd": "requests per day (--rpd)",
    "max_in_flight": "requests in flight and how long each takes (--max-in-flight)",
}


class Probed(Struct, frozen=True, kw_only=True):
    """What a probe took.

    Attributes:
        requests: Answers by stage.
        recalled: How many of them came from a shared cache, and are in none of the following.
        cost: US dollars; ``None`` where no price is known.
    """

    requests: dict[Stage, int]
    recalled: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost: float | None
    seconds: float

    @classmethod
    def between(cls, before: Status, after: Status, seconds: float) -> Probed:
        """Return what was added to a run."""
        return cls(
            requests={
                stage: count - before.answers[stage] for stage, count in after.answers.items()
            },
            recalled=after.recalled.answers - before.recalled.answers,
            input_tokens=after.usage.input_tokens - before.usage.input_tokens,
            output_tokens=after.usage.output_tokens - before.usage.output_tokens,
            cached_tokens=after.usage.cached_tokens - before.usage.cached_tokens,
            cost=None if after.cost is None else after.cost - (before.cost or 0.0),
            seconds=seconds,
        )


def as_fields(outcome: Estimate, probed: Probed | None) -> dict[str, Any]:
    """Return an estimate as a program reads it."""
    fields: dict[str, Any] = msgspec.to_builtins(outcome)
    return {**fields, "probe": msgspec.to_builtins(probed)}


def as_text(outcome: Estimate, probed: Probed | None, run_dir: Path | None) -> str:
    """Return an estimate as a person reads it."""
    there = f", {outcome.tasks:,} are there" if outcome.tasks else ""
    lines = [
        f"for {outcome.target:,} tasks{there}:",
        f"  {'':<16}{'requests':>10}{'tokens in':>12}{'cacheable':>13}{'tokens out':>12}",
        *_stages(outcome),
        f"  cost   {_cost(outcome)}",
        f"  time   {_time(outcome)}",
        *_budget(outcome),
        f"  basis  {_basis(outcome)}",
        *_probe(probed, run_dir),
    ]
    return "\n".join(lines)


def _stages(outcome: Estimate) -> list[str]:
    rows = [*outcome.stages.items(), ("in all", _sum(outcome))]
    return [
        f"  {name:<16}{one.requests:>10,}{amount(one.input_tokens):>12}"
        f"{amount(one.cacheable_tokens):>13}{amount(one.output_tokens):>12}"
        for name, one in rows
    ]


def _sum(outcome: Estimate) -> StageEstimate:
    stages = outcome.stages.values()
    return StageEstimate(
        requests=sum(one.requests for one in stages),
        input_tokens=outcome.input_tokens,
        cacheable_tokens=sum(one.cacheable_tokens for one in stages),
        output_tokens=outcome.output_tokens,
    )


def _cost(outcome: Estimate) -> str:
    cost = outcome.cost
    if cost.with_caching is None or cost.without_caching is None:
        return "unknown: no price of this model is known; give one as price in [[endpoints]]"
    if not cost.without_caching:
        return "none"
    spent = f"; {money(outcome.spent)} spent so far" if outcome.spent else ""
    least = outcome.assumptions.cached_from_tokens
    return (
        f"{money(cost.with_caching)} if beginnings of {least:,} tokens and more are cached, "
        f"{money(cost.without_caching)} if not{spent}"
    )


def _time(outcome: Estimate) -> str:
    if outcome.limiting_factor is None:
        return "none, nothing is left to do"
    return f"{_minutes(outcome.minutes)}; limited by {_FACTORS[outcome.limiting_factor]}"


def _minutes(minutes: float) -> str:
    if minutes < 1:
        return f"{minutes * 60:.0f} s"
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 48 * 60 else f"{minutes / 1440:.1f} days"


def _budget(outcome: Estimate) -> list[str]:
    budget = outcome.max_cost
    if budget is None:
        return []
    verdict = (
        "suffices"
        if budget.suffices
        else f"buys about {budget.tasks:,} of {outcome.target:,} tasks, without caching"
    )
    return [f"  --max-cost {budget.dollars:g} {verdict}"]


def _basis(outcome: Estimate) -> str:
    assumed = outcome.assumptions
    origin = (
        f"{assumed.measured_on:,} answers of this run"
        if assumed.measured_on
        else "what is usual (--probe N measures it)"
    )
    return (
        f"{origin}: {assumed.candidates_per_answer:.1f} candidates an answer, "
        f"{assumed.acceptance:.0%} kept, {assumed.valid_per_kept:.0%} of them with a valid "
        f"instance; {assumed.requests['generation'].seconds:.1f} s a generation request"
    )


def _probe(probed: Probed | None, run_dir: Path | None) -> list[str]:
    if probed is None:
        return []
    known = f" ({probed.recalled} from the cache)" if probed.recalled else ""
    line = (
        f"  probe  {sum(probed.requests.values())} requests{known} in {probed.seconds:.1f} s, "
        f"cost {money(probed.cost)}; kept, go on with: asyncgen generate {run_dir}"
    )
    return [line]

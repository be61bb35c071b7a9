"""Where a run stands: one frozen value for the panel, the summary and ``status``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.pipeline.saturation import Saturation, saturation_of

if TYPE_CHECKING:
    from asyncgen.pipeline.fold import Fold
    from asyncgen.records import Reason, Stage, Usage
    from asyncgen.settings import Settings

__all__ = ["Recalled", "Status", "status_of"]


class Recalled(Struct, frozen=True, kw_only=True):
    """What a run took from a shared cache: it paid nothing for it.

    Attributes:
        usage: Tokens that it took of whoever asked.
        cost: US dollars likewise; ``None`` where no answer has a known price.
    """

    answers: int
    usage: Usage
    cost: float | None


class Status(Struct, frozen=True, kw_only=True):
    """Totals of a run.

    Attributes:
        tasks: Finished tasks of the dataset, as far as it is known.
        kept: Instructions that passed the rules and the filter.
        candidates: Instructions that models wrote.
        settled: Kept instructions whose instances were asked for and answered.
        valid: Those of them with a valid instance.
        answers: Answers by stage, those from a shared cache too.
        usage: Tokens, those from a cache left out.
        cost: US dollars likewise; ``None`` where no answer has a known price.
        lost_cost: US dollars, at the worst, of attempts that may have been billed all the same,
            though their answers were lost.
        recalled: Answers that came from a shared cache.
        kept_per_1000_output_tokens: Finished tasks for 1,000 generated tokens, whoever had them
            generated.
        rejections: How often each reason was given, most frequent first, by stage.
        saturation: How the run dried up, if it did; it may have reached its target all the same.
    """

    target: int
    tasks: int
    complete: bool
    kept: int
    candidates: int
    settled: int
    valid: int
    classification: int
    undecided: int
    answers: dict[Stage, int]
    usage: Usage
    cost: float | None
    lost_cost: float
    recalled: Recalled
    kept_per_1000_output_tokens: float
    rejections: dict[Stage, dict[Reason, int]]
    saturation: Saturation | None


def status_of(settings: Settings, fold: Fold) -> Status:
    """Sum a run up."""
    counts = fold.counts
    tasks = min(fold.known, settings.target)
    asked, recalled = counts.asked, counts.recalled
    rejections: dict[Stage, dict[Reason, int]] = {
        stage: dict(reasons.most_common()) for stage, reasons in fold.reasons.items()
    }
    lost = fold.reasons["generation"].total() if "generation" in fold.reasons else 0
    output = asked.usage.output_tokens + recalled.usage.output_tokens
    return Status(
        target=settings.target,
        tasks=tasks,
        complete=tasks >= settings.target,
        kept=len(fold.drafts),
        candidates=len(fold.drafts) + lost,
        settled=counts.settled,
        valid=counts.valid,
        classification=counts.classification,
        undecided=counts.undecided,
        answers=dict(counts.answers),
        usage=asked.usage,
        cost=asked.cost,
        lost_cost=counts.lost_cost,
        recalled=Recalled(answers=recalled.answers, usage=recalled.usage, cost=recalled.cost),
        kept_per_1000_output_tokens=1000 * counts.valid / output if output else 0.0,
        rejections=rejections,
        saturation=saturation_of(fold),
    )

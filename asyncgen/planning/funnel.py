"""How much of what is asked comes out as tasks: by what is usual, and by what a run has shown."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.pipeline.recipes import recipe_of

if TYPE_CHECKING:
    from asyncgen.pipeline.fold import Fold
    from asyncgen.settings import Settings

__all__ = ["FALLING", "POOL", "Funnel", "Seen", "observed", "seen_in", "usual"]

POOL = 1000.0
"""Instructions; from about so many on, it is felt that the pool fills."""

FALLING = 0.1
"""Acceptance falls as (1 + pool / POOL) ^ -FALLING: to 79 % of its first value at 10,000
instructions, to 67 % at 52,000. It is shape that is assumed; the level is measured."""

_INSTANCES = 1.57
"""Of a task in the paper (82,439 of 52,445)."""

_ALL_GOOD = 0.54
"""Of the paper's data, the share with a yes to all three questions."""

_WEIGHTS = {"answers": 1.0, "candidates": 8.0, "decided": 8.0, "settled": 4.0}
"""Observations that the usual values count as."""


class Funnel(Struct, frozen=True, kw_only=True):
    """Rates on the way from an answer to a task.

    Attributes:
        candidates_per_answer: Instructions in one answer to a generation request.
        acceptance: Share of them that is kept while the pool is empty.
        classification_share: Share of the kept that are classification tasks.
        valid_per_kept: Share of the kept that end with a valid instance.
        judged_per_kept: Instances of one kept instruction that a judge is asked about.
    """

    candidates_per_answer: float
    acceptance: float
    classification_share: float
    valid_per_kept: float
    judged_per_kept: float = 0.0

    def acceptance_at(self, pool: float) -> float:
        """Return the share that is kept when so many are in the pool."""
        return self.acceptance * math.pow(1 + pool / POOL, -FALLING)

    def answers_for(self, kept: float, pool: float) -> float:
        """Return the generation answers that bring so many kept instructions more."""
        candidates = (_grown(pool + kept) - _grown(pool)) / self.acceptance
        return candidates / self.candidates_per_answer

    def kept_from(self, answers: float, pool: float) -> float:
        """Return what so many generation answers add to the pool."""
        candidates = answers * self.candidates_per_answer
        return _pool_after(_grown(pool) + candidates * self.acceptance) - pool


class Seen(Struct, frozen=True, kw_only=True):
    """Counts of a run, as far as it went.

    Attributes:
        answers: Generation answers.
        candidates: Instructions in them.
        kept: Those that passed the rules and the filter.
        decided: Those whose classification is decided.
        classification: Those that are classification tasks.
        settled: Those whose instances were answered.
        valid: Those with a valid one.
        judged: Instances that were judged.
    """

    answers: int = 0
    candidates: int = 0
    kept: int = 0
    decided: int = 0
    classification: int = 0
    settled: int = 0
    valid: int = 0
    judged: int = 0


def usual(settings: Settings) -> Funnel:
    """Return what is assumed before anything was answered.

    An answer has as many items as were asked for. Of the tasks that are asked about, a fifth
    and a bit are classification, as in the paper (11,584 of 52,445). The rest is cautious
    for large models; small ones do worse (``benchmarks/LOG.md``).
    """
    recipe = recipe_of(settings)
    # What comes with its instance is pruned before it is kept.
    worked = 0.9 if "instances" in recipe.later else 1.0
    each = _INSTANCES if "instances" in recipe.later and settings.max_instances > 1 else 1.0
    return Funnel(
        candidates_per_answer=float(recipe.items(settings)),
        acceptance=0.9,
        classification_share=0.22 if "classification" in recipe.later else 0.0,
        valid_per_kept=worked * _passing(settings.min_score or 0.0),
        judged_per_kept=worked * each if settings.judge is not None else 0.0,
    )


def _passing(least: float) -> float:
    """Return the share of tasks with an instance of such a score: most lack one yes at the most."""
    return 1 - (1 - _ALL_GOOD) * least * least


def seen_in(fold: Fold) -> Seen:
    """Return the counts of a run."""
    counts = fold.counts
    lost = fold.reasons.get("generation", Counter())
    items = lost.total() - lost["request_failed"] - lost["no_items"]
    return Seen(
        answers=fold.next_ordinal,
        candidates=len(fold.drafts) + items,
        kept=len(fold.drafts),
        decided=sum(draft.is_classification is not None for draft in fold.drafts),
        classification=counts.classification,
        settled=counts.settled,
        valid=counts.valid,
        judged=counts.scores.total(),
    )


def observed(guess: Funnel, seen: Seen) -> Funnel:
    """Return the rates that a run has shown, with a guess for what it has not shown often."""
    return Funnel(
        candidates_per_answer=_blend(
            guess.candidates_per_answer, "answers", seen.candidates, seen.answers
        ),
        # What was kept, as if the pool had stayed empty.
        acceptance=_blend(guess.acceptance, "candidates", _grown(seen.kept), seen.candidates),
        classification_share=_blend(
            guess.classification_share, "decided", seen.classification, seen.decided
        ),
        valid_per_kept=_blend(guess.valid_per_kept, "settled", seen.valid, seen.settled),
        judged_per_kept=_blend(guess.judged_per_kept, "settled", seen.judged, seen.settled),
    )


def _blend(guess: float, of: str, total: float, observations: int) -> float:
    weight = _WEIGHTS[of]
    return (guess * weight + total) / (weight + observations)


def _grown(pool: float) -> float:
    """Return how many would have been kept, had the pool stayed empty while it grew to this.

    The integral of (1 + n / POOL) ^ FALLING from 0 to ``pool``.
    """
    power = 1 + FALLING
    return POOL / power * (math.pow(1 + pool / POOL, power) - 1)


def _pool_after(grown: float) -> float:
    """Return the inverse of :func:`_grown`."""
    power = 1 + FALLING
    return POOL * (math.pow(1 + grown * power / POOL, 1 / power) - 1)

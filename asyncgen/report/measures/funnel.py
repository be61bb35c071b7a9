"""What was dropped, by reason, with examples and what they resemble."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.records import Reason, Rejection, Stage
    from asyncgen.report.measures.nearness import Near, Nearness
    from asyncgen.report.reading import RunRead

__all__ = ["Drop", "Example", "drops"]

_EXAMPLES = 3

_WHOLE_ANSWER = frozenset({"request_failed", "no_items"})
"""Reasons of answers without an instruction: nothing in them to compare."""


class Example(Struct, frozen=True, kw_only=True):
    """One thing that was dropped.

    Attributes:
        text: What it was.
        detail: What in it broke the rule.
        nearest: The nearest of the seeds and of what was kept before it, or the beginning of
            the excluded text that it is too near to.
        whose: Which of the excluded texts that is; empty for a seed or a kept one.
        score: Their ROUGE-L.
        instruction: Of the task that an instance was made for.
    """

    text: str
    detail: str = ""
    nearest: str = ""
    whose: str = ""
    score: float = 0.0
    instruction: str = ""


class Drop(Struct, frozen=True):
    """A reason, how often it was given, and examples from the run's beginning to its end."""

    stage: Stage
    reason: Reason
    count: int
    examples: tuple[Example, ...]


def drops(run: RunRead, nearness: Nearness) -> tuple[Drop, ...]:
    """Return the reasons in the order of the stages, most frequent first."""
    groups: dict[tuple[Stage, Reason], list[Rejection]] = {}
    for rejection in run.fold.rejections:
        groups.setdefault((rejection.stage, rejection.reason), []).append(rejection)
    ordered = sorted(groups.items(), key=lambda item: (item[0][0] != "generation", -len(item[1])))
    return tuple(
        Drop(stage, reason, len(group), _examples(run, nearness, group))
        for (stage, reason), group in ordered
    )


def _examples(run: RunRead, nearness: Nearness, group: Sequence[Rejection]) -> tuple[Example, ...]:
    different = list({rejection.text: rejection for rejection in group}.values())
    last = len(different) - 1
    places = sorted({round(last * part / (_EXAMPLES - 1)) for part in range(_EXAMPLES)})
    return tuple(_example(run, nearness, different[place]) for place in places)


def _example(run: RunRead, nearness: Nearness, rejection: Rejection) -> Example:
    if rejection.stage != "generation" or rejection.reason in _WHOLE_ANSWER:
        told = rejection.task is not None and rejection.reason != "no_instance"
        instruction = run.fold.text_of(rejection.task) if told and rejection.task else ""
        return Example(text=rejection.text, detail=rejection.detail, instruction=instruction)
    if rejection.nearest is not None and rejection.reason == "excluded":
        return Example(
            text=rejection.text,
            nearest=rejection.detail,
            whose=rejection.nearest.id,
            score=rejection.nearest.score,
        )
    if rejection.nearest is not None:
        nearest, score = run.fold.text_of(rejection.nearest.id), rejection.nearest.score
    else:
        near = _near(run, nearness, rejection)
        nearest, score = near.text, near.score
    return Example(text=rejection.text, detail=rejection.detail, nearest=nearest, score=score)


def _near(run: RunRead, nearness: Nearness, rejection: Rejection) -> Near:
    """Compare what a rule dropped, which the filter never saw, with the pool as it then was."""
    origin = (rejection.ordinal, rejection.position)
    before = bisect_left(
        run.fold.drafts, origin, key=lambda one: (one.provenance.ordinal, one.provenance.position)
    )
    seed = nearness.to_seeds([rejection.text])[0]
    kept = nearness.to_kept([rejection.text], [before])[0]
    return kept if kept.score > seed.score else seed

"""How many requests of each kind a run still makes: a model of what the agenda does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from asyncgen.pipeline.agenda import Agenda, Forecast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncgen.pipeline.fold import Fold
    from asyncgen.pipeline.prompts import PromptBook
    from asyncgen.planning.funnel import Funnel
    from asyncgen.planning.loads import Kind, Load
    from asyncgen.records import Stage
    from asyncgen.settings import Settings

__all__ = ["Aim", "Standing", "Work", "standing_of", "work_left"]

Work: TypeAlias = "dict[Kind, float]"
"""Requests by kind, in expectation."""


class Standing(Struct, frozen=True, kw_only=True):
    """Where a run is, as far as that decides what it will ask.

    Attributes:
        tasks: Finished tasks of the dataset.
        valid: Finished tasks, those behind an unfinished one too.
        undecided: Kept instructions whose classification is open.
        ready: Those whose instances are open.
        in_trial: Those that the judge has still to say something of.
        waiting: Generation answers that wait for one before them.
        forecast: What the agenda expects of an answer.
    """

    tasks: int
    valid: int
    kept: int
    undecided: int
    ready: int
    waiting: int
    forecast: Forecast
    in_trial: int = 0

    @property
    def open_ones(self) -> int:
        """Kept instructions of which it is not known whether they become tasks."""
        return self.undecided + self.ready + self.in_trial


class Aim(Struct, frozen=True):
    """What a run is after.

    Attributes:
        in_flight: Requests in the air at a time.
        later: The stages that a kept instruction goes through.
        together: Tasks that are asked about at once what they are, at the most.
    """

    target: int
    surplus: float
    look_ahead: int
    in_flight: float
    later: tuple[Stage, ...] = ("classification", "instances")
    together: int = 1


def standing_of(settings: Settings, fold: Fold, prompts: PromptBook) -> Standing:
    """Return where a run is."""
    open_ones = [draft for draft in fold.drafts if not draft.settled]
    undecided = sum(draft.is_classification is None for draft in open_ones)
    in_trial = sum(draft.trial is not None for draft in open_ones)
    return Standing(
        tasks=fold.known,
        valid=fold.counts.valid,
        kept=len(fold.drafts),
        undecided=undecided,
        ready=len(open_ones) - undecided - in_trial,
        in_trial=in_trial,
        waiting=fold.counts.answers["generation"] - fold.next_ordinal,
        forecast=Agenda(settings, fold, prompts).forecast(),
    )


def work_left(aim: Aim, standing: Standing, funnel: Funnel, loads: Mapping[Kind, Load]) -> Work:
    """Return what is still asked until the target is reached, in expectation.

    More is begun than the target needs: what is under way when it is reached, but
    no more than the surplus, and at least the first wave, asked before anything is
    known.
    """
    if standing.tasks >= aim.target:
        return {"generation": 0, "classification": 0, "input_first": 0, "output_first": 0}
    # Between finished tasks one may be open still.
    to_settle = max(aim.target - standing.valid, 1) / funnel.valid_per_kept
    generation = _generation(aim, standing, funnel, loads, to_settle)
    new = funnel.kept_from(generation + standing.waiting, standing.kept)
    deciding, instantiating = _under_way(aim, standing, funnel, loads)
    instances = min(standing.undecided + standing.ready + new, to_settle + instantiating)
    undecided = to_settle + instantiating + deciding - standing.ready
    share = funnel.classification_share
    decided = max(0.0, min(standing.undecided + new, undecided))
    # Those of one answer only.
    decided /= max(1.0, min(aim.together, _kept_per_answer(standing, funnel)))
    judged = (instances + standing.in_trial) * funnel.judged_per_kept
    instances = instances if "instances" in aim.later else 0.0
    work: Work = {
        "generation": generation,
        "classification": decided if "classification" in aim.later else 0.0,
        "input_first": instances * (1 - share),
        "output_first": instances * share,
    }
    if "judging" in aim.later:
        work["judging"] = judged
    return work


def _generation(
    aim: Aim,
    standing: Standing,
    funnel: Funnel,
    loads: Mapping[Kind, Load],
    to_settle: float,
) -> float:
    open_ones = standing.open_ones
    per_answer = _kept_per_answer(standing, funnel)
    turn = _seconds(loads, per_answer, funnel)
    # What is in the air and behind it, in instructions: each generation stands for several.
    round_trip = sum(_stage_seconds(loads, funnel))
    lag = aim.in_flight * per_answer * round_trip / turn
    most = (aim.target * (1 + aim.surplus) - standing.valid) / funnel.valid_per_kept
    wanted = min(to_settle + lag, max(most, to_settle)) - open_ones
    needed = funnel.answers_for(max(wanted, 0.0), standing.kept) - standing.waiting
    return max(needed, _first_wave(aim, standing, open_ones))


def _first_wave(aim: Aim, standing: Standing, open_ones: int) -> float:
    """Return the generation requests that go out before any answer is back."""
    forecast = standing.forecast
    wanted = aim.target * (1 + aim.surplus) - standing.valid
    short = wanted / forecast.valid_per_kept - open_ones
    asked = math.ceil(short / forecast.kept_per_answer)
    return max(0.0, min(asked, aim.look_ahead, aim.in_flight))


def _under_way(
    aim: Aim, standing: Standing, funnel: Funnel, loads: Mapping[Kind, Load]
) -> tuple[float, float]:
    """Return the classifications and instances in the air at the end: by the time they take."""
    per_answer = _kept_per_answer(standing, funnel)
    turn = _seconds(loads, per_answer, funnel)
    _, deciding, instantiating = _stage_seconds(loads, funnel)
    share = aim.in_flight * per_answer / turn
    return share * deciding, share * instantiating


def _kept_per_answer(standing: Standing, funnel: Funnel) -> float:
    return funnel.candidates_per_answer * funnel.acceptance_at(standing.kept)


def _seconds(loads: Mapping[Kind, Load], per_answer: float, funnel: Funnel) -> float:
    """Return the seconds of one generation request and all that follows from it."""
    generating, deciding, instantiating = _stage_seconds(loads, funnel)
    return generating + per_answer * (deciding + instantiating)


def _stage_seconds(loads: Mapping[Kind, Load], funnel: Funnel) -> tuple[float, float, float]:
    share = funnel.classification_share
    instances = (1 - share) * loads["input_first"].seconds + share * loads["output_first"].seconds
    if "judging" in loads:
        instances += loads["judging"].seconds
    return loads["generation"].seconds, loads["classification"].seconds, instances

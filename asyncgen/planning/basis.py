"""What is known before an estimate: settings, seeds, prices, and a run as far as there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.endpoints.connect import prices_of
from asyncgen.errors import SettingsError
from asyncgen.journal import JournalReader
from asyncgen.pipeline.exclusion import read_excluded, with_excluded
from asyncgen.pipeline.fold import Fold
from asyncgen.pipeline.prompts import PromptBook
from asyncgen.pipeline.run import with_seeds
from asyncgen.pipeline.seeds import read_few_shot, read_seed_tasks
from asyncgen.pipeline.texts import read_texts, with_texts
from asyncgen.planning.costs import Tariff
from asyncgen.planning.estimate import Basis
from asyncgen.planning.funnel import observed, seen_in, usual
from asyncgen.planning.loads import Material, calibrated, loads_of
from asyncgen.planning.pace import ceilings_of, judge_ceilings_of
from asyncgen.planning.tally import tally_of
from asyncgen.planning.work import standing_of

if TYPE_CHECKING:
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.records import Answer
    from asyncgen.settings import Settings

__all__ = ["basis_of"]


def basis_of(settings: Settings, folder: RunFolder | None) -> Basis:
    """Gather what an estimate follows from, changing nothing.

    Args:
        settings: What the run is to be told.
        folder: Of a run; what its journal says goes before what is usual.

    Raises:
        SeedError: If the seeds are unreadable, malformed or too few.
        CorpusError: If what is to be excluded, or a given text, cannot be read.
        SettingsError: If there are too few texts for the target.
        RunFolderError: If the run there is damaged, or one of other settings.
    """
    settings, path = with_seeds(settings, folder)
    settings = with_texts(with_excluded(settings))
    seeds = read_seed_tasks(path, at_least=settings.demonstrations)
    few_shot = read_few_shot()
    prompts = PromptBook(settings, few_shot)
    answers, lost = _journaled(settings, folder)
    texts = read_texts(settings)
    fold = Fold(settings, seeds, prompts, read_excluded(settings), texts=texts)
    _check_suffices(fold, settings.target)
    for answer in answers:
        fold.commit(answer)
    tally = tally_of(answers, {one.id for one in fold.drafts if one.is_classification})
    machine = [one.instruction for one in fold.drafts]
    material = Material(seeds, few_shot, machine, texts)
    return Basis(
        target=settings.target,
        surplus=settings.surplus,
        look_ahead=settings.look_ahead,
        standing=standing_of(settings, fold, prompts),
        funnel=observed(usual(settings), seen_in(fold)),
        loads=calibrated(loads_of(settings, material), tally),
        ceilings=ceilings_of(settings),
        judge_ceilings=judge_ceilings_of(settings),
        tariffs=_tariffs(settings),
        max_cost=settings.max_cost,
        spent=tally.cost + lost,
        measured_on=tally.answers,
        later=(*fold.recipe.later, *(("judging",) if settings.judge is not None else ())),
        together=settings.decisions_per_request,
    )


def _check_suffices(fold: Fold, target: int) -> None:
    """Refuse a target that no number of answers reaches.

    Raises:
        SettingsError: If there is less to ask than tasks are wanted.
    """
    if fold.most is not None and fold.most < target:
        raise SettingsError(
            f"--target {target}: {fold.most} texts make {fold.most} tasks at most; "
            "ask for fewer, or give more texts"
        )


def _journaled(settings: Settings, folder: RunFolder | None) -> tuple[list[Answer], float]:
    """Return the answers of a run, and the US dollars that may have gone without one."""
    if folder is None or not folder.settings.is_file():
        return [], 0.0
    folder.compare(settings)
    journal = JournalReader(folder.journal)
    return list(journal), journal.losses()


def _tariffs(settings: Settings) -> tuple[Tariff, ...]:
    lanes = settings.lanes()
    weights = sum(lane.weight for lane in lanes)
    return tuple(
        Tariff(lane.weight / weights, lane.model, prices_of(lane), lane.stages) for lane in lanes
    )

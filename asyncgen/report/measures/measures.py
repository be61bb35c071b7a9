"""All measures of a run in one frozen value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from asyncgen.pipeline.harvest import finished
from asyncgen.pipeline.profiles.words import words_of
from asyncgen.pipeline.status import Status, status_of
from asyncgen.report.measures.distribution import Distribution, distribution
from asyncgen.report.measures.flow import Flow, flow
from asyncgen.report.measures.funnel import Drop, drops
from asyncgen.report.measures.labels import Labels, labels
from asyncgen.report.measures.nearness import Near, Nearness
from asyncgen.report.measures.progress import Stretch, stretches
from asyncgen.report.measures.spending import Spending, spending
from asyncgen.report.measures.verbs import Pairs, pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.pipeline.draft import Draft
    from asyncgen.pipeline.profiles.words import Words
    from asyncgen.report.reading import RunRead
    from asyncgen.settings import Settings

__all__ = ["Lengths", "Measures", "TaskRow", "measure"]


class Lengths(Struct, frozen=True):
    """Words, as the run's rules count them; of inputs those that are not empty."""

    instruction: Distribution
    input: Distribution
    output: Distribution
    empty_inputs: int


class TaskRow(Struct, frozen=True):
    """A finished task with what is nearest to it."""

    draft: Draft
    seed: Near
    kept: Near


class Measures(Struct, frozen=True, kw_only=True):
    """What a run amounts to.

    Attributes:
        seeds: Seed tasks that it grew from.
        models: Models that answered, by their own names, most answers first.
        tasks: The dataset, in its order.
        to_seed, to_kept: ROUGE-L of its instructions to the nearest seed, and to the nearest
            instruction that was kept before.
        pairs: Verbs and nouns; ``None`` where no parser is installed, or none for the language.
    """

    name: str
    settings: Settings
    status: Status
    seeds: int
    models: tuple[str, ...]
    tasks: tuple[TaskRow, ...]
    lengths: Lengths
    to_seed: Distribution
    to_kept: Distribution
    stretches: tuple[Stretch, ...]
    drops: tuple[Drop, ...]
    flow: Flow | None
    spending: tuple[Spending, ...]
    labels: Labels
    pairs: Pairs | None


def measure(run: RunRead, parser: Any | None = None) -> Measures:
    """Measure a run.

    Args:
        run: What was read.
        parser: From :func:`load_parser`; nothing, and verbs and nouns are left out.
    """
    fold, settings = run.fold, run.settings
    nearness = Nearness(run)
    instructions = [draft.instruction for draft in fold.drafts]
    to_seed = nearness.to_seeds(instructions)
    to_kept = nearness.to_kept(instructions, range(len(instructions)))
    chosen = finished(fold, settings.target)
    places = {draft.id: place for place, draft in enumerate(fold.drafts)}
    rows = tuple(
        TaskRow(draft, to_seed[place], to_kept[place])
        for draft in chosen
        for place in (places[draft.id],)
    )
    return Measures(
        name=run.name,
        settings=settings,
        status=status_of(settings, fold),
        seeds=len(run.seeds),
        models=_models(run),
        tasks=rows,
        lengths=_lengths(chosen, words_of(settings.tokenizer)),
        to_seed=distribution(row.seed.score for row in rows),
        to_kept=distribution(row.kept.score for row in rows),
        stretches=stretches(fold, to_seed, to_kept),
        drops=drops(run, nearness),
        flow=flow(run.answers, settings),
        spending=spending(run.answers),
        labels=labels(chosen),
        pairs=_pairs(parser, chosen, settings),
    )


def _models(run: RunRead) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for answer in run.answers:
        name = answer.completion.model or run.settings.model
        counts[name] = counts.get(name, 0) + 1
    return tuple(sorted(filter(None, counts), key=lambda name: -counts[name]))


def _pairs(parser: Any | None, tasks: Sequence[Draft], settings: Settings) -> Pairs | None:
    """Parse what is English as far as is known: the parser knows no other language."""
    if parser is None or (settings.require_language or settings.language or "en") != "en":
        return None
    return pairs(parser, [task.instruction for task in tasks])


def _lengths(tasks: Sequence[Draft], words: Words) -> Lengths:
    instances = [one for task in tasks for one in task.instances or ()]
    inputs = [words.count(one.input) for one in instances if one.input]
    return Lengths(
        distribution(words.count(task.instruction) for task in tasks),
        distribution(inputs),
        distribution(words.count(one.output) for one in instances),
        len(instances) - len(inputs),
    )

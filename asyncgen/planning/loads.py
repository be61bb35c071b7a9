"""What one request of each kind takes: by the real prompts, and by answers where there are some."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Literal, get_args

from msgspec import Struct

from asyncgen.pipeline.prompts import PromptBook
from asyncgen.pipeline.recipes import recipe_of, values
from asyncgen.planning.tokens import prompt_tokens, tokens_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from asyncgen.pipeline.seeds import FewShot
    from asyncgen.pipeline.texts import GivenText
    from asyncgen.planning.tally import Tally
    from asyncgen.records import Request, SeedTask, Stage
    from asyncgen.settings import Settings

__all__ = [
    "FIRST_TOKEN",
    "KINDS",
    "LOCAL_SPEED",
    "SPEED",
    "STAGE_OF",
    "Kind",
    "Load",
    "Material",
    "calibrated",
    "loads_of",
]

Kind = Literal["generation", "classification", "input_first", "output_first", "judging"]
"""Requests with a fixed part of their own; two are those of the instance stage."""

KINDS: tuple[Kind, ...] = get_args(Kind)
STAGE_OF: dict[Kind, Stage] = {
    "generation": "generation",
    "classification": "classification",
    "input_first": "instances",
    "output_first": "instances",
    "judging": "judging",
}

FIRST_TOKEN = 0.5
"""Seconds to the first token of an answer, where none was measured."""

SPEED = 50.0
"""Output tokens a second of one answer, where none was measured."""

LOCAL_SPEED = 200.0
"""The same of the embedded model, all answers together: on 2 cores (``benchmarks/LOG.md``)."""

_SAMPLE = 64

_STAGE_GUESS: dict[Stage, float] = {
    "generation": 0.5,
    "classification": 1.0,
    "instances": 4.0,
    "judging": 1.0,
}
"""Answers that the length of the examples counts as, as that of a stage's answers. Instances differ
by three quarters of their mean, so that a dozen are not much to go by; lists hardly differ."""

_KIND_GUESS = 3.0
"""Answers that the length found for a stage counts as, as that of one of its kinds."""


class Load(Struct, frozen=True, kw_only=True):
    """What a request of one kind takes, on average.

    Attributes:
        fixed_tokens: Input tokens that every prompt of the kind begins with.
        seconds: From sending it to its answer.
    """

    input_tokens: float
    fixed_tokens: float
    output_tokens: float
    seconds: float


NOTHING = Load(input_tokens=0.0, fixed_tokens=0.0, output_tokens=0.0, seconds=0.0)
"""What a request takes that is never sent."""


@dataclass(frozen=True, slots=True)
class Material:
    """What prompts are made of.

    Attributes:
        machine: Instructions that the run has kept.
        texts: Those that it was given.
    """

    seeds: Sequence[SeedTask]
    few_shot: FewShot
    machine: Sequence[str] = ()
    texts: Sequence[GivenText] = ()


def loads_of(settings: Settings, material: Material) -> dict[Kind, Load]:
    """Return the loads by a sample of the real prompts, answers as long as the examples in them."""
    prompts = PromptBook(settings, material.few_shot)
    tasks = _sample([*(seed.instruction for seed in material.seeds), *material.machine])
    asked: dict[Kind, Iterable[Request]] = {
        "generation": _generation(settings, material, prompts),
        "classification": _classification(settings, prompts, tasks),
        "input_first": (prompts.instances("", task, is_classification=False) for task in tasks),
        "output_first": (prompts.instances("", task, is_classification=True) for task in tasks),
    }
    if settings.judge is not None:
        asked["judging"] = _judging(prompts, material.seeds)
    lengths = _answer_lengths(settings, prompts, material)
    stages = ("generation", *recipe_of(settings).later, "judging")
    return {
        kind: _load(settings, kind, requests, lengths) if STAGE_OF[kind] in stages else NOTHING
        for kind, requests in asked.items()
    }


def calibrated(loads: Mapping[Kind, Load], tally: Tally) -> dict[Kind, Load]:
    """Return the loads as answers show them; where a kind has none, as the others suggest."""
    measured = tally.of_all()
    # A tokenizer and an endpoint are as far from our guess in one stage as in another.
    scale = _ratio(measured.input_tokens, measured.reckoned_tokens)
    pace = _ratio(
        measured.seconds, sum(load.seconds * tally.of(kind).timed for kind, load in loads.items())
    )
    return {kind: _calibrated(kind, loads, tally, scale, pace) for kind in loads}


def _calibrated(
    kind: Kind, loads: Mapping[Kind, Load], tally: Tally, scale: float, pace: float
) -> Load:
    load, seen = loads[kind], tally.of(kind)
    siblings: list[Kind] = [one for one in loads if STAGE_OF[one] == STAGE_OF[kind]]
    guess = _STAGE_GUESS[STAGE_OF[kind]] * load.output_tokens
    length = _ratio(
        guess + sum(tally.of(one).output_tokens for one in siblings),
        guess + sum(loads[one].output_tokens * tally.of(one).counted for one in siblings),
    )
    tokens = _ratio(seen.input_tokens, seen.reckoned_tokens, otherwise=scale)
    return Load(
        input_tokens=load.input_tokens * tokens,
        fixed_tokens=load.fixed_tokens * tokens,
        output_tokens=(_KIND_GUESS * load.output_tokens * length + seen.output_tokens)
        / (_KIND_GUESS + seen.counted),
        seconds=seen.seconds / seen.timed if seen.timed else load.seconds * pace,
    )


def _ratio(found: float, guessed: float, *, otherwise: float = 1.0) -> float:
    return found / guessed if found > 0 and guessed > 0 else otherwise


def _generation(settings: Settings, material: Material, prompts: PromptBook) -> Iterable[Request]:
    """Return generation requests that show tasks as those of a run do."""
    recipe = recipe_of(settings)
    given = values.Material(settings, tuple(material.seeds), tuple(material.texts))
    kept = {f"task_{number}_0": text for number, text in enumerate(material.machine)}
    said = {seed.id: seed.instruction for seed in material.seeds} | kept
    most = recipe.most(given)
    for ordinal in range(_SAMPLE if most is None else min(_SAMPLE, most)):
        shown = recipe.draw(given, ordinal, list(kept), len(kept))
        turn = values.Turn(ordinal, shown, tuple(said[name] for name in shown))
        yield prompts.asked(ordinal, recipe.ask(given, turn))


def _judging(prompts: PromptBook, seeds: Sequence[SeedTask]) -> Iterable[Request]:
    for seed in seeds[:: max(1, len(seeds) // _SAMPLE)]:
        yield prompts.judging("", seed.instruction, seed.instances[0])


def _together(settings: Settings) -> int:
    """Return how many tasks are asked about at once: no more than come of one answer."""
    return min(settings.decisions_per_request, recipe_of(settings).items(settings))


def _classification(
    settings: Settings, prompts: PromptBook, tasks: Sequence[str]
) -> Iterable[Request]:
    size = _together(settings)
    for start in range(0, len(tasks) - size + 1, size):
        group = tasks[start : start + size]
        yield prompts.classification("", group[0]) if size == 1 else prompts.decisions("", group)


def _answer_lengths(
    settings: Settings, prompts: PromptBook, material: Material
) -> dict[Kind, float]:
    """Return the output tokens of answers in the form and length of what the prompts show."""

    def worked(*, is_classification: bool) -> float:
        shown = prompts.examples(is_classification=is_classification)
        return fmean(tokens_in(answer) for _, answer in shown)

    recipe, together = recipe_of(settings), _together(settings)
    item = fmean(tokens_in(recipe.written(seed)) for seed in material.seeds)
    return {
        "generation": recipe.items(settings) * item,
        "classification": 1.0 if together == 1 else together * tokens_in("10. yes\n"),
        "input_first": worked(is_classification=False),
        "output_first": worked(is_classification=True),
        "judging": tokens_in("1. yes\n2. yes\n3. yes\n"),
    }


def _load(
    settings: Settings, kind: Kind, requests: Iterable[Request], lengths: Mapping[Kind, float]
) -> Load:
    asked = list(requests)
    sizes = [prompt_tokens(request.prompt) for request in asked]
    limit = asked[0].sampling.max_output_tokens
    output = min(lengths[kind], limit)
    local = LOCAL_SPEED / settings.max_in_flight
    return Load(
        input_tokens=fmean(size for size, _ in sizes),
        fixed_tokens=fmean(fixed for _, fixed in sizes),
        output_tokens=output,
        seconds=FIRST_TOKEN + output / (local if settings.is_embedded else SPEED),
    )


def _sample(texts: Sequence[str]) -> list[str]:
    """Return texts from all over, evenly spaced."""
    step = max(1, len(texts) // _SAMPLE)
    return list(texts[::step])

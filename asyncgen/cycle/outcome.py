"""What came of a cycle: each round's data and training, and models side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import orjson
from msgspec import Struct

from asyncgen.cycle.steps import (
    BASE,
    evaluation,
    judged,
    round_folder,
    tuned_folder,
)
from asyncgen.evaluate.answers import read_predictions
from asyncgen.evaluate.job import Outcome, outcome_of
from asyncgen.evaluate.table import markdown
from asyncgen.report.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from asyncgen.cycle.plan import Plan

__all__ = ["CycleOutcome", "Round", "conclude", "in_words", "tuned_model"]

_KINDS = {"superni": "SuperNI", "tasks": "Everyday tasks"}


class Round(Struct, frozen=True, kw_only=True):
    """One round.

    Attributes:
        tasks: In its dataset.
        rows: Of these, what was learned from.
        tuned: What ``asyncgen finetune … --json`` prints.
    """

    tasks: int
    rows: int
    tuned: dict[str, Any]


class CycleOutcome(Struct, frozen=True, kw_only=True):
    """A cycle's result.

    Attributes:
        scores: By kind of questions: the model before it was finetuned, then each round's.
        seconds: By step, over all sessions.
    """

    rounds: tuple[Round, ...]
    scores: dict[str, Outcome]
    seconds: dict[str, float]


class _Tuned(Struct, frozen=True, kw_only=True):
    """Of either finetuning's result what is needed: a service's model has a name and no file."""

    model: str
    gguf: str | None = None


def tuned_model(folder: Path, number: int) -> str:
    """Return what reaches the model of a round whose finetuning is done."""
    place = tuned_folder(folder, number)
    tuned = msgspec.json.decode((place / "tuned.json").read_bytes(), type=_Tuned)
    return tuned.model if tuned.gguf is None else str(place / tuned.gguf)


def conclude(folder: Path, plan: Plan, seconds: Mapping[str, float]) -> CycleOutcome:
    """Compare the models and write ``cycle.md`` and ``cycle.json``.

    Raises:
        CorpusError: If a file cannot be read or written.
        InputError: If models were not asked the same.
    """
    numbers = range(1, plan.rounds + 1)
    models = (BASE, *(f"round {number}" for number in numbers))
    outcome = CycleOutcome(
        rounds=tuple(_round(folder, number) for number in numbers),
        scores={
            kind: outcome_of(
                {model: read_predictions(evaluation(folder, kind, model)) for model in models}
            )
            for kind in judged(plan)
        },
        seconds=dict(seconds),
    )
    write_whole(folder / "cycle.md", in_words(folder, outcome).encode())
    write_whole(folder / "cycle.json", msgspec.json.format(msgspec.json.encode(outcome)) + b"\n")
    return outcome


def _round(folder: Path, number: int) -> Round:
    place = round_folder(folder, number)
    return Round(
        tasks=_lines(place / "run/dataset.jsonl"),
        rows=_lines(place / "data.jsonl"),
        tuned=orjson.loads((tuned_folder(folder, number) / "tuned.json").read_bytes()),
    )


def _lines(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(1 for _ in stream)


def in_words(folder: Path, outcome: CycleOutcome) -> str:
    """Return a cycle's result as Markdown."""
    return "\n".join(_paragraphs(folder, outcome)) + "\n"


def _paragraphs(folder: Path, outcome: CycleOutcome) -> Iterator[str]:
    yield f"# {folder.name}: a model, finetuned on its own data"
    yield ""
    for number, one in enumerate(outcome.rounds, 1):
        yield f"- Round {number}: {_told(one)}"
    for kind, scores in outcome.scores.items():
        yield ""
        yield f"## {_KINDS[kind]}"
        yield ""
        yield markdown(scores.models, scores.differences).rstrip("\n")
    yield ""
    yield "## Time"
    yield ""
    yield "| step | minutes |"
    yield "| --- | ---: |"
    for name, seconds in outcome.seconds.items():
        yield f"| {name} | {seconds / 60:.1f} |"
    yield f"| in all | {sum(outcome.seconds.values()) / 60:.1f} |"


def _told(one: Round) -> str:
    learned = f"{one.tasks:,} tasks, {one.rows:,} examples"
    tuned = one.tuned
    if "steps" not in tuned:
        return f"{learned}; finetuned by the service: {tuned['model']}"
    return (
        f"{learned}; {tuned['steps']:,} updates, loss {tuned['first_loss']:.3f} → "
        f"{tuned['last_loss']:.3f}"
    )

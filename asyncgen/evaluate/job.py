"""From what is to be evaluated to questions, and from answers to files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from asyncgen.dataset import write_json_lines
from asyncgen.errors import SettingsError
from asyncgen.evaluate.answers import PREDICTIONS, answered, read_predictions, read_references
from asyncgen.evaluate.chart import figure
from asyncgen.evaluate.question import requests_for
from asyncgen.evaluate.scores import Difference, Scores, compare, score, scores_of
from asyncgen.evaluate.superni import questions_of, read_tasks
from asyncgen.evaluate.table import markdown
from asyncgen.evaluate.usertasks import ask_tasks, responses_of
from asyncgen.journal import request_digest
from asyncgen.records import Request, Sampling
from asyncgen.report.figures.files import write_figures
from asyncgen.report.writing import write_whole
from asyncgen.statistics.bootstrap import Resampling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncgen.evaluate.answers import Prediction
    from asyncgen.evaluate.question import Question
    from asyncgen.evaluate.usertasks import UserTask
    from asyncgen.records import Completion
    from asyncgen.settings import Settings

__all__ = [
    "RESPONSES",
    "Evaluation",
    "Outcome",
    "SuperNiPlan",
    "UserTasksPlan",
    "model_name",
    "outcome_of",
    "score_files",
    "superni",
    "user_tasks",
    "write_outcome",
]

RESPONSES = "responses.jsonl"
"""What ``asyncgen rate`` reads."""


class SuperNiPlan(Struct, frozen=True, kw_only=True):
    """The paper's evaluation on SuperNI.

    Attributes:
        folder: Of task files.
        tasks: Names of those to take; all if none is named.
        examples: Positive examples shown; 0 is the paper's zero-shot.
        instances: Of each task.
        max_output_tokens: Of an answer; 128 as in Tk-Instruct.
    """

    folder: Path
    tasks: tuple[str, ...] = ()
    examples: int = 0
    instances: int = 100
    max_output_tokens: int = 128


class UserTasksPlan(Struct, frozen=True, kw_only=True):
    """The paper's evaluation on tasks that people wrote.

    Attributes:
        tasks: File of them; ``None`` for the package's own.
        max_output_tokens: Of an answer; 1024 in the paper.
    """

    tasks: Path | None = None
    max_output_tokens: int = 1024


class Evaluation(Struct, frozen=True, kw_only=True):
    """What is asked of one model: to be handed to :class:`asyncgen.survey.survey.Survey`.

    Attributes:
        model: What tables call it.
        terms: What the questions follow from.
        requests: One for each question, its id the key.
        written: The tasks behind the questions, where people are to rate the answers.
    """

    model: str
    terms: dict[str, Any]
    questions: tuple[Question, ...]
    requests: tuple[Request, ...]
    written: tuple[UserTask, ...] = ()


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of evaluating models on the same questions.

    Attributes:
        differences: Of each model but the first, from the first.
    """

    models: tuple[Scores, ...]
    differences: tuple[tuple[Difference, ...], ...] = ()


def superni(plan: SuperNiPlan, settings: Settings) -> Evaluation:
    """Return what the paper asks a model of SuperNI tasks.

    Raises:
        CorpusError: If a task cannot be read.
        SettingsError: If the endpoints are of several models.
    """
    tasks = read_tasks(plan.folder, plan.tasks)
    questions = questions_of(tasks, examples=plan.examples, instances=plan.instances)
    terms = {"kind": "superni", "examples": plan.examples, "instances": plan.instances}
    return _evaluation(settings, terms, questions, plan.max_output_tokens)


def user_tasks(plan: UserTasksPlan, settings: Settings) -> Evaluation:
    """Return what the paper asks a model of tasks that people wrote.

    Raises:
        CorpusError: If they cannot be read.
        SettingsError: If the endpoints are of several models.
    """
    tasks, questions = ask_tasks(plan.tasks)
    made = _evaluation(settings, {"kind": "tasks"}, questions, plan.max_output_tokens)
    return msgspec.structs.replace(made, written=tuple(tasks))


def model_name(settings: Settings) -> str:
    """Return what tables call the model that settings name.

    Raises:
        SettingsError: If their endpoints are of several.
    """
    if settings.is_embedded:
        path = Path(settings.model_path).stem if settings.model_path else ""
        return path or settings.hub or settings.model or settings.endpoint[0]
    names = list(dict.fromkeys(lane.model for lane in settings.lanes()))
    if len(names) > 1:
        raise SettingsError(f"one evaluation is of one model, not of {', '.join(names)}")
    return names[0]


def write_outcome(
    folder: Path,
    evaluation: Evaluation,
    answers: Mapping[str, Completion],
    plan: Resampling | None = None,
) -> Outcome:
    """Score the answers to an evaluation and write all that came of it.

    That is ``predictions.jsonl``, ``scores.json``, ``scores.md``, ``scores.svg`` with its values
    as CSV, and ``responses.jsonl`` for ``asyncgen rate`` where people wrote the tasks. The same
    answers give the same files.

    Raises:
        RunFolderError: If a file of rows cannot be written.
        CorpusError: If another cannot.
    """
    predictions = answered(evaluation.questions, answers)
    write_json_lines(folder / PREDICTIONS, predictions)
    if evaluation.written:
        rows = responses_of(evaluation.written, evaluation.model, answers)
        write_json_lines(folder / RESPONSES, rows)
    outcome = outcome_of({evaluation.model: predictions}, plan)
    _write_scores(folder, outcome)
    return outcome


def score_files(
    paths: Sequence[Path],
    references: Path | None = None,
    *,
    plan: Resampling | None = None,
    out: Path | None = None,
) -> Outcome:
    """Score given predictions, several models side by side.

    Args:
        paths: Files of predictions, or folders of evaluations; the first is compared with.
        references: File of expected answers, for predictions that bring none.
        plan: How intervals are drawn.
        out: Folder for the table, the figure and the values; made if absent.

    Raises:
        CorpusError: If a file cannot be read or written.
        InputError: If the models did not answer the same questions.
    """
    expected = None if references is None else read_references(references)
    found = [read_predictions(path, expected) for path in paths]
    names = _names(paths, found)
    outcome = outcome_of(dict(zip(names, found, strict=True)), plan)
    if out is not None:
        _write_scores(out, outcome)
    return outcome


def outcome_of(
    models: Mapping[str, Sequence[Prediction]], plan: Resampling | None = None
) -> Outcome:
    """Score predictions by model; each model but the first is compared with it.

    Raises:
        InputError: If they did not answer the same questions.
    """
    plan = plan or Resampling()
    scored = {name: score(predictions) for name, predictions in models.items()}
    first, *others = scored.values()
    return Outcome(
        models=tuple(scores_of(name, rows, plan) for name, rows in scored.items()),
        differences=tuple(compare(first, other, plan) for other in others),
    )


def _evaluation(
    settings: Settings,
    terms: dict[str, Any],
    questions: Sequence[Question],
    max_output_tokens: int,
) -> Evaluation:
    sampling = Sampling(max_output_tokens=max_output_tokens, temperature=0.0)
    requests = tuple(requests_for(questions, settings.api, sampling))
    digest = hashlib.sha256(b"".join(request_digest(one) for one in requests))
    model = model_name(settings)
    return Evaluation(
        model=model,
        terms={
            **terms,
            "model": model,
            "api": settings.api,
            "max_output_tokens": max_output_tokens,
            "questions": len(requests),
            "questions_sha256": digest.hexdigest(),
        },
        questions=tuple(questions),
        requests=requests,
    )


def _write_scores(folder: Path, outcome: Outcome) -> None:
    # The figure's folder is made with it.
    write_figures(folder, [figure(outcome.models)])
    write_whole(folder / "scores.md", markdown(outcome.models, outcome.differences).encode())
    write_whole(folder / "scores.json", msgspec.json.format(msgspec.json.encode(outcome)) + b"\n")


def _names(paths: Sequence[Path], found: Sequence[Sequence[Prediction]]) -> list[str]:
    """Name models by what their rows say, or by their files where that tells nothing apart."""
    said = [rows[0].model for rows in found]
    if all(said) and len(set(said)) == len(said):
        return said
    stems = [path.name if path.is_dir() else path.stem for path in paths]
    return stems if len(set(stems)) == len(stems) else [str(path) for path in paths]

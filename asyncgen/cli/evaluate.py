"""``asyncgen evaluate``: how well a model follows instructions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asyncgen.cli import flags

if TYPE_CHECKING:
    from asyncgen.evaluate.job import Evaluation, Outcome
    from asyncgen.settings import Settings

__all__ = ["evaluate_app"]

evaluate_app = typer.Typer(
    help="Score a model on SuperNI or on everyday tasks, or answers that are there.",
    no_args_is_help=True,
)

Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Folder of answers and scores; evaluations/KIND-MODEL by default."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the scores as one JSON object.")]
MaxOutputTokens = Annotated[int, typer.Option(min=1, help="Length of an answer at most.")]


@evaluate_app.command()
def superni(  # noqa: PLR0913 - each parameter is a flag
    tasks_dir: Annotated[Path, typer.Argument(help="Folder of SuperNI task files, *.json.")],
    *,
    out: Out = None,
    tasks: Annotated[
        str | None, typer.Option(metavar="LIST|FILE", help="Names 'a,b', or a file of them.")
    ] = None,
    examples: Annotated[int, typer.Option(min=0, help="Positive examples shown.")] = 0,
    of_each: Annotated[
        int, typer.Option("--instances", min=1, help="First instances of each task.")
    ] = 100,
    max_output_tokens: MaxOutputTokens = 128,
    endpoint: flags.Endpoint = None,
    model: flags.Model = None,
    api: flags.Api = None,
    api_key_env: flags.ApiKeyEnv = None,
    max_in_flight: flags.MaxInFlight = None,
    rpm: flags.Rpm = None,
    tpm: flags.Tpm = None,
    input_tpm: flags.InputTpm = None,
    output_tpm: flags.OutputTpm = None,
    rpd: flags.Rpd = None,
    max_cost: flags.MaxCost = None,
    cache: flags.Cache = None,
    timeout: flags.Timeout = None,
    first_byte_timeout: flags.FirstByteTimeout = None,
    stall_timeout: flags.StallTimeout = None,
    max_attempts: flags.MaxAttempts = None,
    model_path: flags.ModelPath = None,
    hub: flags.Hub = None,
    slots: flags.Slots = None,
    config: flags.Config = None,
    as_json: Json = False,
) -> int:
    """Ask a model SuperNI tasks as the paper does, and score it; run again to resume.

    Definition and input, no examples, temperature 0; ROUGE-L with stemmer, exact match for
    classification.

    Example: asyncgen evaluate superni natural-instructions/tasks --tasks test_tasks.txt
    --endpoint local
    """
    given = locals()
    from asyncgen.evaluate import job
    from asyncgen.evaluate.superni import chosen_names

    plan = job.SuperNiPlan(
        folder=tasks_dir,
        tasks=tuple(chosen_names(tasks)) if tasks else (),
        examples=examples,
        instances=of_each,
        max_output_tokens=max_output_tokens,
    )
    settings = flags.settings_of(None, config, given)
    return _evaluate(job.superni(plan, settings), settings, out, as_json=as_json)


@evaluate_app.command("tasks")
def user_tasks(  # noqa: PLR0913 - each parameter is a flag
    *,
    out: Out = None,
    tasks: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSONL of tasks in the original's form; else our own."),
    ] = None,
    max_output_tokens: MaxOutputTokens = 1024,
    endpoint: flags.Endpoint = None,
    model: flags.Model = None,
    api: flags.Api = None,
    api_key_env: flags.ApiKeyEnv = None,
    max_in_flight: flags.MaxInFlight = None,
    rpm: flags.Rpm = None,
    tpm: flags.Tpm = None,
    input_tpm: flags.InputTpm = None,
    output_tpm: flags.OutputTpm = None,
    rpd: flags.Rpd = None,
    max_cost: flags.MaxCost = None,
    cache: flags.Cache = None,
    timeout: flags.Timeout = None,
    first_byte_timeout: flags.FirstByteTimeout = None,
    stall_timeout: flags.StallTimeout = None,
    max_attempts: flags.MaxAttempts = None,
    model_path: flags.ModelPath = None,
    hub: flags.Hub = None,
    slots: flags.Slots = None,
    config: flags.Config = None,
    as_json: Json = False,
) -> int:
    """Ask a model everyday tasks that people wrote; run again to resume.

    Writes responses.jsonl for `asyncgen rate`. ROUGE-L is a rough number here: many answers
    are right that resemble the reference little.

    Example: asyncgen evaluate tasks --endpoint local --out evaluations/base
    """
    given = locals()
    from asyncgen.evaluate import job

    plan = job.UserTasksPlan(tasks=tasks, max_output_tokens=max_output_tokens)
    settings = flags.settings_of(None, config, given)
    return _evaluate(job.user_tasks(plan, settings), settings, out, as_json=as_json)


@evaluate_app.command("score")
def score(
    predictions: Annotated[
        list[Path],
        typer.Argument(
            help="JSONL files of predictions, or folders of evaluations; several are compared "
            "with the first."
        ),
    ],
    *,
    references: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSONL of 'id' and 'references'.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write table, figure and values there.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Score answers that are there: ROUGE-L with stemmer and exact match, with intervals.

    A row has 'prediction' or 'response', and 'references', 'target' or 'reference'. Models are
    told apart by a paired test.

    Example: asyncgen evaluate score evaluations/base evaluations/tuned
    """
    from asyncgen.evaluate.job import score_files

    _print(score_files(predictions, references, out=out), as_json=as_json)


def _evaluate(
    evaluation: Evaluation, settings: Settings, out: Path | None, *, as_json: bool
) -> int:
    from asyncgen.cli.inquiry import ask_all
    from asyncgen.evaluate.job import write_outcome
    from asyncgen.survey.survey import Survey, SurveyFolder

    kind = str(evaluation.terms["kind"])
    named = SurveyFolder.named(Path("evaluations"), kind, evaluation.model)
    folder = named if out is None else SurveyFolder(out)
    with Survey.opened(folder, settings, evaluation.terms, evaluation.requests) as survey:
        code = ask_all(survey, quiet=as_json)
        if code == 0:
            _print(write_outcome(folder.path, evaluation, survey.answers), as_json=as_json)
    if code == 0 and not as_json:
        typer.echo(f"\n{folder.path}: answers, scores.md, scores.json, scores.svg")
    return code


def _print(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(outcome).decode())
        return
    from asyncgen.evaluate.table import markdown

    typer.echo(markdown(outcome.models, outcome.differences), nl=False)

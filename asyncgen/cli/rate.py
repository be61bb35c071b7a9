"""`asyncgen rate`: people rate responses on a local page; what came of it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asyncgen.cli.signals import ending

if TYPE_CHECKING:
    from asyncgen.rate.desk import Desk
    from asyncgen.rate.store import RatingStore
    from asyncgen.settings import Settings

__all__ = ["rate"]

_LOOPBACK = "127.0.0.1"
_PORT = 8765

_RESPONSES = (
    "JSON lines of id, instruction, input, reference, model, response, or the original's "
    "predictions. None: those that --out has already."
)


def rate(  # noqa: PLR0913 - each parameter is a flag
    responses: Annotated[
        list[Path] | None, typer.Argument(metavar="RESPONSES", help=_RESPONSES)
    ] = None,
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the study.")],
    results: Annotated[
        bool, typer.Option("--results", help="Tell what came of it so far; serve no page.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as one JSON object.")] = False,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than loopback let others in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8765,
    seed: Annotated[
        int | None, typer.Option(help="Keys the order of each rater; 0 unless given.")
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(metavar="ENDPOINT", help="Let a model rate as well: base URL, or 'local'."),
    ] = None,
    judge_model: Annotated[
        str | None, typer.Option(help="Its name, as the endpoint knows it.")
    ] = None,
    judge_api_key_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds its key.")
    ] = None,
    judge_config: Annotated[
        Path | None,
        typer.Option(help="TOML file of settings for it: limits, max_cost, api, cache."),
    ] = None,
) -> int:
    """Rate responses of several models on a local page, from A to D, blind.

    Whoever has the printed URL can rate, under a name of his own; a rating is on the disk before
    the page goes on. Ctrl-C ends it, the same command goes on.

    --results prints counts, differences and the raters' agreement, and writes results.html,
    results.md and the figures into the folder.

    --judge asks a model for a level of each response, by the same rubric; run again to resume.
    It is reported apart, with its agreement to each person.

    Example: asyncgen rate before.jsonl after.jsonl --out ratings
    """
    from asyncgen.rate.job import opened
    from asyncgen.rate.responses import read_responses

    study = read_responses(responses) if responses else None
    settings = _judge_settings(judge, judge_model, judge_api_key_env, judge_config)
    tells = results or as_json or settings is not None
    if study is not None or seed is not None or not tells:
        with opened(out, study, seed) as (store, added):
            if added:
                typer.echo(f"{out}: {added:,} responses added", err=as_json)
            if not tells:
                _serve(store, out, host, port)
                return 0
    code = 0 if settings is None else _judge(out, settings, quiet=as_json)
    if code == 0:
        _tell(out, as_json=as_json)
    return code


def _judge_settings(
    endpoint: str | None, model: str | None, api_key_env: str | None, config: Path | None
) -> Settings | None:
    from asyncgen.errors import SettingsError
    from asyncgen.settings import read_toml, resolve

    flags = {"endpoint": endpoint and [endpoint], "model": model, "api_key_env": api_key_env}
    if config is None and endpoint is None:
        if any(flags.values()):
            raise SettingsError("--judge-model and --judge-api-key-env belong to --judge ENDPOINT")
        return None
    table = read_toml(config) if config is not None else {}
    return resolve(table, flags, source=str(config))


def _judge(out: Path, settings: Settings, *, quiet: bool) -> int:
    """Ask a model for levels and keep them; return the exit code."""
    from asyncgen.cli.inquiry import ask_all
    from asyncgen.rate.job import database
    from asyncgen.rate.judge import judging, keep_verdicts
    from asyncgen.rate.store import RatingStore
    from asyncgen.survey.survey import Survey, SurveyFolder

    # People may rate meanwhile: the page's server has the folder, this only the file.
    with RatingStore(database(out), writable=False) as store:
        asked = judging(store, settings)
    folder = SurveyFolder.named(out, "judge", asked.model)
    with Survey.opened(folder, settings, asked.terms, asked.requests) as survey:
        code = ask_all(survey, quiet=quiet)
        answers = dict(survey.answers)
    if code == 0:
        with RatingStore(database(out), writable=True) as store:
            verdicts = keep_verdicts(store, asked.model, answers)
        if verdicts.unread:
            of = f"{verdicts.kept + verdicts.unread:,} answers of {asked.model}"
            typer.echo(f"asyncgen: {verdicts.unread:,} of {of} name no level", err=True)
    return code


def _tell(out: Path, *, as_json: bool) -> None:
    from asyncgen.rate.job import write_results
    from asyncgen.rate.words import plain

    written = write_results(out)
    if as_json:
        from asyncgen.cli.summary import as_json_line

        typer.echo(as_json_line({"results": written.results, "files": [*map(str, written.files)]}))
        return
    typer.echo("\n".join(plain(written.results)))
    typer.echo(f"{written.files[0]}: open it in a browser; Markdown and figures are beside it")


def _serve(store: RatingStore, out: Path, host: str, port: int) -> None:
    import anyio

    from asyncgen.rate.desk import Desk
    from asyncgen.rate.words import standing

    desk = Desk(store)
    taken = anyio.run(_until_stopped, desk, store.fact("token"), host, port)
    typer.echo(f"stopped: {desk.kept:,} ratings kept this time")
    for line in standing(store):
        typer.echo(line)
    again = shlex.join(
        ["asyncgen", "rate", "--out", str(out)]
        + (["--host", host] if host != _LOOPBACK else [])
        + (["--port", str(taken)] if taken != _PORT else [])
    )
    typer.echo(f"  go on:   {again}")
    typer.echo(f"  results: {shlex.join(['asyncgen', 'rate', '--out', str(out), '--results'])}")


async def _until_stopped(desk: Desk, token: str, host: str, port: int) -> int:
    """Serve until a signal; return the port."""
    import anyio

    from asyncgen.rate.server import serving

    async with serving(desk, token, host, port) as page:
        typer.echo(f"rate at {page.url}\nWhoever has this address can rate. Ctrl-C stops it.")
        with anyio.open_signal_receiver(*ending()) as signals:
            async for _ in signals:
                break
    return page.port

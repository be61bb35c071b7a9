"""``asyncgen estimate``: what a run would take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asyncgen.cli import flags

if TYPE_CHECKING:
    from asyncgen.cli.forecast import Probed
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.settings import Settings

__all__ = ["estimate"]

_RUN_DIR = (
    "A run folder: what is left of that run is estimated, by what its answers show. "
    "With --probe it may be a new one."
)
_PROBE = (
    "Send the first N requests of the run in RUN_DIR and estimate by their answers. They are "
    "kept: `asyncgen generate RUN_DIR` goes on from there."
)


def estimate(  # noqa: PLR0913 - each parameter is a flag
    run_dir: Annotated[Path | None, typer.Argument(help=_RUN_DIR)] = None,
    *,
    endpoint: flags.Endpoint = None,
    model: flags.Model = None,
    api: flags.Api = None,
    api_key_env: flags.ApiKeyEnv = None,
    recipe: flags.Recipe = None,
    texts: flags.Texts = None,
    profile: flags.Profile = None,
    target: flags.Target = None,
    seeds: flags.Seeds = None,
    exclude: flags.Exclude = None,
    seed: flags.Seed = None,
    threshold: flags.Threshold = None,
    tokenizer: flags.Tokenizer = None,
    language: flags.Language = None,
    require_language: flags.RequireLanguage = None,
    judge: flags.Judge = None,
    judge_model: flags.JudgeModel = None,
    judge_api_key_env: flags.JudgeApiKeyEnv = None,
    min_score: flags.MinScore = None,
    look_ahead: flags.LookAhead = None,
    max_in_flight: flags.MaxInFlight = None,
    rpm: flags.Rpm = None,
    tpm: flags.Tpm = None,
    input_tpm: flags.InputTpm = None,
    output_tpm: flags.OutputTpm = None,
    rpd: flags.Rpd = None,
    max_cost: flags.MaxCost = None,
    cache: flags.Cache = None,
    timeout: flags.Timeout = None,
    saturation_window: flags.SaturationWindow = None,
    saturation_bound: flags.SaturationBound = None,
    model_path: flags.ModelPath = None,
    hub: flags.Hub = None,
    slots: flags.Slots = None,
    config: flags.Config = None,
    probe: Annotated[int | None, typer.Option(metavar="N", min=1, help=_PROBE)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> int:
    """Show the requests, tokens, dollars and minutes that a run would take. Sends nothing.

    Without a probe, and without a run in RUN_DIR, the usual is assumed: tokens by
    characters, answers as long as the examples in the prompts.

    Example: asyncgen estimate --endpoint https://api.openai.com/v1 --model gpt-4o-mini
    --target 10000 --rpm 500 --tpm 200000 --max-cost 5
    """
    given = locals()
    from asyncgen.cli.forecast import as_fields, as_text
    from asyncgen.cli.summary import as_json_line
    from asyncgen.errors import SettingsError
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.planning.basis import basis_of
    from asyncgen.planning.estimate import estimate as estimated

    if probe is not None and run_dir is None:
        raise SettingsError("--probe: needs a RUN_DIR, so that the answers it pays for are kept")
    folder = None if run_dir is None else RunFolder(run_dir)
    settings = flags.settings_of(folder, config, given)
    probed: Probed | None = None
    if probe is not None and folder is not None:
        basis_of(settings, folder)  # What contradicts is told before anything is sent.
        probed, received = _probe(folder, settings, probe, quiet=as_json)
        if received is not None:
            typer.echo("asyncgen: interrupted; what was answered is kept", err=True)
            return 128 + received
    outcome = estimated(basis_of(settings, folder))
    if as_json:
        typer.echo(as_json_line(as_fields(outcome, probed)))
    else:
        typer.echo(as_text(outcome, probed, run_dir))
    return 0


def _probe(
    folder: RunFolder, settings: Settings, requests: int, *, quiet: bool
) -> tuple[Probed, int | None]:
    """Make the beginning of a run; return what it took and the signal that ended it early.

    Raises:
        AsyncgenError: If it failed; what was answered is kept.
    """
    import time

    from asyncgen.cli.forecast import Probed
    from asyncgen.cli.session import work_on
    from asyncgen.pipeline.run import Run
    from asyncgen.planning.probe import Probe
    from asyncgen_kernels import is_cached, warm_up

    if not is_cached():
        # Done while answers come in, it would make them all look late.
        typer.echo("asyncgen: compiling kernels (first run on this machine, ~10 s)", err=True)
        warm_up()
    with Run.opened(folder, settings) as run:
        before, began = run.status(), time.monotonic()
        source = Probe(run.agenda, run.fold, requests)
        received, problem = work_on(run, quiet=quiet, source=source)
        if problem is not None:
            raise problem
        return Probed.between(before, run.status(), time.monotonic() - began), received

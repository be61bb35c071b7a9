"""``asyncgen generate``: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asyncgen.cli import flags

__all__ = ["generate"]


def generate(  # noqa: PLR0913 - each parameter is a flag
    run_dir: Annotated[Path, typer.Argument(help="The run folder; made if it does not exist.")],
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
    first_byte_timeout: flags.FirstByteTimeout = None,
    stall_timeout: flags.StallTimeout = None,
    max_attempts: flags.MaxAttempts = None,
    saturation_window: flags.SaturationWindow = None,
    saturation_bound: flags.SaturationBound = None,
    model_path: flags.ModelPath = None,
    hub: flags.Hub = None,
    slots: flags.Slots = None,
    config: flags.Config = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON object.")
    ] = False,
) -> int:
    """Grow a dataset in RUN_DIR; run again on the same folder to resume.

    Flags override the settings file. What was resolved is frozen in the run
    folder; limits, keys and endpoints may change when it is resumed.

    Example: asyncgen generate runs/demo --endpoint local --target 100
    """
    given = locals()
    from asyncgen.cli.session import run_session
    from asyncgen.pipeline.folder import RunFolder

    folder = RunFolder(run_dir)
    return run_session(folder, flags.settings_of(folder, config, given), as_json=as_json)

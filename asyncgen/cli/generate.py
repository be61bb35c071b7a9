"""``asyncgen generate``: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["generate"]

_ENDPOINT = (
    "Base URL of a service (OpenAI-compatible, or Anthropic's with --api anthropic), or 'local' "
    "for the embedded model; repeatable."
)


def generate(  # noqa: PLR0913 - each parameter is a flag
    run_dir: Annotated[Path, typer.Argument(help="The run folder; made if it does not exist.")],
    *,
    endpoint: Annotated[list[str] | None, typer.Option(help=_ENDPOINT)] = None,
    model: Annotated[str | None, typer.Option(help="Model name, as the endpoint knows it.")] = None,
    api: Annotated[str | None, typer.Option(help="chat, completions or anthropic.")] = None,
    api_key_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the key.")
    ] = None,
    target: Annotated[int | None, typer.Option(help="Finished tasks wanted.")] = None,
    seeds: Annotated[
        Path | None, typer.Option(help="JSONL file of seed tasks, instead of the package's own.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Keys every random choice.")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Reject instructions above this ROUGE-L to any other.")
    ] = None,
    look_ahead: Annotated[
        int | None, typer.Option(help="A request sees the pool as it was this many answers ago.")
    ] = None,
    max_in_flight: Annotated[int | None, typer.Option(help="Simultaneous requests.")] = None,
    rpm: Annotated[float | None, typer.Option(help="Requests per minute and endpoint.")] = None,
    tpm: Annotated[float | None, typer.Option(help="Tokens per minute and endpoint.")] = None,
    input_tpm: Annotated[
        float | None, typer.Option(help="Input tokens per minute and endpoint.")
    ] = None,
    output_tpm: Annotated[
        float | None, typer.Option(help="Output tokens per minute and endpoint.")
    ] = None,
    rpd: Annotated[float | None, typer.Option(help="Requests per day and endpoint.")] = None,
    max_cost: Annotated[
        float | None, typer.Option(help="US dollars that the run may cost in all.")
    ] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds for one request.")] = None,
    first_byte_timeout: Annotated[
        float | None, typer.Option(help="Seconds to the first byte of an answer.")
    ] = None,
    stall_timeout: Annotated[
        float | None, typer.Option(help="Seconds between two pieces of an answer.")
    ] = None,
    max_attempts: Annotated[
        int | None, typer.Option(help="Attempts at one request before the run pauses.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="Fruitless answers in a row before the run pauses.")
    ] = None,
    model_path: Annotated[
        Path | None, typer.Option(help="GGUF file for the embedded model.")
    ] = None,
    hub: Annotated[
        str | None, typer.Option(help="REPO[:FILE] on the hub for the embedded model.")
    ] = None,
    slots: Annotated[
        int | None, typer.Option(help="Sequences the embedded model decodes side by side.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON object.")
    ] = False,
) -> int:
    """Grow a dataset in RUN_DIR; run again on the same folder to resume.

    Flags override the settings file. What was resolved is frozen in the run
    folder; limits, keys and endpoints may change when it is resumed.

    Example: asyncgen generate runs/demo --endpoint local --target 100
    """
    from asyncgen.cli.session import run_session
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.settings import read_toml, resolve

    flags = {
        "endpoint": endpoint,
        "model": model,
        "api": api,
        "api_key_env": api_key_env,
        "target": target,
        "seeds": str(seeds.absolute()) if seeds else None,
        "seed": seed,
        "threshold": threshold,
        "look_ahead": look_ahead,
        "max_in_flight": max_in_flight,
        "rpm": rpm,
        "tpm": tpm,
        "input_tpm": input_tpm,
        "output_tpm": output_tpm,
        "rpd": rpd,
        "max_cost": max_cost,
        "timeout": timeout,
        "first_byte_timeout": first_byte_timeout,
        "stall_timeout": stall_timeout,
        "max_attempts": max_attempts,
        "patience": patience,
        "model_path": str(model_path.absolute()) if model_path else None,
        "hub": hub,
        "slots": slots,
    }
    folder = RunFolder(run_dir)
    from_file = read_toml(config) if config else {}
    if not from_file and folder.settings.is_file():
        # Resuming: what is not said again stays as it was.
        from_file = read_toml(folder.settings)
    settings = resolve(from_file, flags, source=str(config or folder.settings))
    return run_session(folder, settings, as_json=as_json)

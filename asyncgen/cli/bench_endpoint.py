"""``asyncgen bench endpoint``: a user's endpoint under rising load."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["endpoint"]

_ENDPOINT = (
    "Base URL of a service (OpenAI-compatible, or Anthropic's with --api anthropic), 'local' for "
    "the embedded model, or 'simulated'."
)
_LEVELS = "Requests in flight, rising, with commas between. Default: doubling."
_REQUESTS = (
    "Requests in all, at most. A level ends by itself after the larger of 100 and 20 for each in "
    "flight, more with more than 10 seconds."
)


def endpoint(  # noqa: PLR0913 - each parameter is a flag
    *,
    url: Annotated[str | None, typer.Option("--endpoint", help=_ENDPOINT)] = None,
    model: Annotated[str | None, typer.Option(help="Model name, as the endpoint knows it.")] = None,
    api: Annotated[str | None, typer.Option(help="chat, completions or anthropic.")] = None,
    api_key_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the key.")
    ] = None,
    levels: Annotated[str | None, typer.Option(metavar="N,N,…", help=_LEVELS)] = None,
    max_in_flight: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="The highest level. Default: 256.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Seconds of each level.")] = 10.0,
    max_requests: Annotated[int | None, typer.Option(min=1, help=_REQUESTS)] = None,
    max_cost: Annotated[
        float | None, typer.Option(help="US dollars that it may cost in all.")
    ] = None,
    prompt_chars: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="About how long a prompt is, in characters.")
    ] = 1500,
    max_output_tokens: Annotated[
        int | None, typer.Option(min=1, help="Longest answer. Default: 256.")
    ] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds for one request.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file of settings, as for generate.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON object.")
    ] = False,
) -> int:
    """Measure an endpoint at 1, 2, 4, … requests in flight. It costs what its answers cost.

    Prompts are those of generate, each another one. Nothing is retried. The load rises until
    the first refusal for the rate (429), or until throughput grows by less than 5 % over two
    doublings. The knee is the smallest level within 10 % of the best requests/s, refused levels
    left out.

    Example: asyncgen bench endpoint --endpoint http://127.0.0.1:8000/v1 --model Qwen/Qwen3-8B
    """
    from asyncgen.bench.load import Bounds
    from asyncgen.cli.climb import Asked, climb

    rising = _levels(levels, max_in_flight)
    flags = {
        "endpoint": url,
        "model": model,
        "api": api,
        "api_key_env": api_key_env,
        "max_cost": max_cost,
        "timeout": timeout,
    }
    settings = _settings(config, flags, max_output_tokens)
    bounds = Bounds(_checked(seconds), max_requests, settings.max_cost)
    return climb(Asked(settings, rising, bounds, prompt_chars, time.time_ns()), as_json=as_json)


def _levels(levels: str | None, most: int | None) -> tuple[int, ...]:
    from asyncgen.bench.levels import doublings, read_levels
    from asyncgen.errors import SettingsError

    if levels is None:
        return doublings(most or 256)
    if most is not None:
        raise SettingsError("--levels and --max-in-flight: one of them")
    return read_levels(levels)


def _checked(seconds: float) -> float:
    from asyncgen.errors import SettingsError

    if not 0 < seconds <= 86_400:
        raise SettingsError(f"--seconds {seconds:g}: must be positive, and a day at most")
    return seconds


def _settings(config: Path | None, flags: Mapping[str, Any], tokens: int | None) -> Any:
    """Return what the file and the flags come to, as generate would understand them."""
    from asyncgen.bench.questions import SAMPLING
    from asyncgen.errors import SettingsError
    from asyncgen.settings import read_toml, resolve

    from_file = read_toml(config) if config else {}
    told = from_file.get("generation", {})
    if isinstance(told, dict):
        said = {} if tokens is None else {"max_output_tokens": tokens}
        from_file = {**from_file, "generation": {**SAMPLING, **told, **said}}
    settings = resolve(from_file, flags, source=str(config or "settings"))
    if not settings.is_embedded and len(settings.lanes()) > 1:
        raise SettingsError("bench endpoint measures one endpoint: name it with --endpoint")
    return settings

"""Flags that commands share, and the settings that follow from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.settings import Settings

__all__ = [
    "Api",
    "ApiKeyEnv",
    "Cache",
    "Config",
    "Endpoint",
    "Exclude",
    "FirstByteTimeout",
    "Hub",
    "InputTpm",
    "Language",
    "LookAhead",
    "MaxAttempts",
    "MaxCost",
    "MaxInFlight",
    "MaxInstances",
    "Model",
    "ModelPath",
    "OutputTpm",
    "Profile",
    "Recipe",
    "RequireLanguage",
    "Rpd",
    "Rpm",
    "SaturationBound",
    "SaturationWindow",
    "Seed",
    "Seeds",
    "Slots",
    "StallTimeout",
    "Target",
    "Texts",
    "Threshold",
    "Timeout",
    "Tokenizer",
    "Tpm",
    "as_settings",
    "settings_of",
]

_ENDPOINT = (
    "Base URL of a service (OpenAI-compatible, or Anthropic's with --api anthropic), 'local' for "
    "the embedded model, or 'simulated' for a trial run; repeatable."
)

Endpoint = Annotated[list[str] | None, typer.Option(help=_ENDPOINT)]
Model = Annotated[str | None, typer.Option(help="Model name, as the endpoint knows it.")]
Api = Annotated[str | None, typer.Option(help="chat, completions or anthropic.")]
ApiKeyEnv = Annotated[str | None, typer.Option(help="Environment variable that holds the key.")]
Profile = Annotated[
    str | None,
    typer.Option(
        help="default, or paper: the original's prompts, decoding and rules, defects included."
    ),
]
Recipe = Annotated[
    str | None,
    typer.Option(help="How tasks are come by: self-instruct, alpaca, evol or backtranslate."),
]
Texts = Annotated[
    Path | None,
    typer.Option(help="Texts to find instructions for: JSONL, CSV or lines, for backtranslate."),
]
Target = Annotated[int | None, typer.Option(help="Finished tasks wanted.")]
Seeds = Annotated[
    Path | None, typer.Option(help="JSONL file of seed tasks, instead of the package's own.")
]
_EXCLUDE = (
    "File of texts that nothing kept may resemble (a benchmark, say), of any format that dedup "
    "reads: fields 'instruction' or 'text', FILE:FIELD for another, or lines of text. Repeatable."
)
Exclude = Annotated[list[Path] | None, typer.Option(metavar="FILE", help=_EXCLUDE)]
Seed = Annotated[int | None, typer.Option(help="Keys every random choice.")]
Threshold = Annotated[
    float | None, typer.Option(help="Reject instructions above this ROUGE-L to any other.")
]
Tokenizer = Annotated[
    str | None,
    typer.Option(
        help="How texts are cut to be compared. rouge: runs of a-z and 0-9. unicode: letters and "
        "digits of any script, with rules to match."
    ),
]
Language = Annotated[
    str | None,
    typer.Option(
        help="Ask for tasks in this language, by English name or code: German, zh; brings "
        "--tokenizer unicode."
    ),
]
RequireLanguage = Annotated[
    str | None,
    typer.Option(help="Reject instructions that are clearly in another (extra 'language')."),
]
LookAhead = Annotated[
    int | None, typer.Option(help="A request sees the pool as it was this many answers ago.")
]
MaxInFlight = Annotated[int | None, typer.Option(help="Simultaneous requests.")]
MaxInstances = Annotated[int | None, typer.Option(help="Instances kept per task.")]
Rpm = Annotated[float | None, typer.Option(help="Requests per minute and endpoint.")]
Tpm = Annotated[float | None, typer.Option(help="Tokens per minute and endpoint.")]
InputTpm = Annotated[float | None, typer.Option(help="Input tokens per minute and endpoint.")]
OutputTpm = Annotated[float | None, typer.Option(help="Output tokens per minute and endpoint.")]
Rpd = Annotated[float | None, typer.Option(help="Requests per day and endpoint.")]
MaxCost = Annotated[float | None, typer.Option(help="US dollars that the run may cost in all.")]
Cache = Annotated[
    Path | None,
    typer.Option(help="Folder of answers that runs share, made if absent; 'none' for no cache."),
]
Timeout = Annotated[float | None, typer.Option(help="Seconds for one request.")]
FirstByteTimeout = Annotated[
    float | None, typer.Option(help="Seconds to the first byte of an answer.")
]
StallTimeout = Annotated[
    float | None, typer.Option(help="Seconds between two pieces of an answer.")
]
MaxAttempts = Annotated[
    int | None, typer.Option(help="Attempts at one request before the run pauses.")
]
SaturationWindow = Annotated[
    int | None, typer.Option(help="How many of the last answers say whether to go on.")
]
SaturationBound = Annotated[
    float | None,
    typer.Option(help="Pause when a smaller share of what they brought is new; 0 for never."),
]
ModelPath = Annotated[Path | None, typer.Option(help="GGUF file for the embedded model.")]
Hub = Annotated[str | None, typer.Option(help="REPO[:FILE] on the hub for the embedded model.")]
Slots = Annotated[
    int | None, typer.Option(help="Sequences the embedded model decodes side by side.")
]
Config = Annotated[Path | None, typer.Option(help="TOML file of settings.")]


def settings_of(
    folder: RunFolder | None, config: Path | None, given: Mapping[str, Any]
) -> Settings:
    """Return what a run is told: by its flags, over a file, over the defaults.

    Args:
        folder: Of a run; what it was told before stays, unless a file says otherwise.
        config: File of settings.
        given: A command's arguments by name; those that are no setting are passed over.

    Raises:
        SettingsError: Naming the setting that is unknown or invalid.
    """
    from asyncgen.settings import read_toml, resolve

    flags = as_settings(given)
    from_file = _anywhere(read_toml(config)) if config else {}
    source = "settings" if config is None else str(config)
    if not from_file and folder is not None and folder.settings.is_file():
        # Resuming: what is not said again stays as it was.
        from_file, source = read_toml(folder.settings), str(folder.settings)
    return resolve(from_file, flags, source=source)


def as_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a command's arguments that are settings, as a settings file has them."""
    from asyncgen.settings import Settings

    return {name: _plain(name, given[name]) for name in Settings.__struct_fields__ if name in given}


def _anywhere(from_file: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file's settings with the cache's path as :func:`_plain` gives it."""
    cache = from_file.get("cache")
    if not (isinstance(cache, str) and cache):
        return dict(from_file)
    return {**from_file, "cache": _plain("cache", Path(cache))}


def _plain(name: str, value: Any) -> Any:
    """Return paths as texts that hold wherever the next session is started."""
    if isinstance(value, list):
        return [_plain(name, one) for one in value]
    if not isinstance(value, Path):
        return value
    return "" if name == "cache" and str(value) == "none" else str(value.absolute())

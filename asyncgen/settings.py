"""Run settings: defaults, then a preset, then a TOML file, then flags; validated once, frozen.

What decides the dataset is the run's *identity*: frozen in the run folder, and
a resume that contradicts it is refused. The rest (:data:`CHANGEABLE`) may differ
from one session to the next.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from asyncgen.errors import SettingsError
from asyncgen.records import Api, Sampling

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["CHANGEABLE", "EMBEDDED", "Settings", "differences", "read_toml", "resolve", "to_toml"]

EMBEDDED = "local"
"""The endpoint name that stands for the embedded model."""

CHANGEABLE = frozenset(
    {
        "endpoint",
        "api_key_env",
        "max_in_flight",
        "rpm",
        "tpm",
        "timeout",
        "connect_timeout",
        "max_attempts",
        "patience",
        "surplus",
        "model_path",
        "hub",
        "slots",
    }
)
"""Settings that may change from session to session of one run."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a run is told.

    Attributes:
        endpoint: Base URLs of OpenAI-compatible services, or ``local``.
        model: The model's name as the endpoint knows it.
        api: Which of the endpoint's interfaces to use.
        classification_api: The same for the classification stage, where it differs:
            likelihoods of the answers come from completions.
        continues: Whether the chat interface goes on with an answer that was begun for
            it, as vLLM and the embedded model do; lists then keep their form.
        api_key_env: Environment variable that holds the key.
        target: How many finished tasks are wanted.
        seeds: File of seed tasks; empty for those of the package.
        seeds_sha256: What it held when the run began.
        seed: Keys every random choice of the run.
        demonstrations: Tasks shown in a generation prompt.
        machine_demonstrations: How many of them machine-made, when there are.
        tasks_per_request: New tasks asked for in one request.
        look_ahead: A generation request sees the pool as it stood this many answers ago.
        threshold: An instruction is rejected when its ROUGE-L to any other exceeds it.
        max_instances: Instances asked for and kept per task.
        few_shot: Examples shown in an instance prompt; ``None`` for all there are.
        yes_bias: Added to the log-odds of "is a classification task" where the endpoint
            gives likelihoods, for models that lean to one answer.
        max_in_flight: Ceiling of simultaneous requests.
        rpm: Requests per minute and endpoint; ``None`` for no limit.
        tpm: Tokens per minute and endpoint, input and output together.
        timeout: Seconds for one whole request.
        connect_timeout: Seconds to connect.
        max_attempts: Attempts at one request before the run pauses.
        patience: Fruitless answers in a row after which the run pauses.
        surplus: Share of the target that is made beyond it, in expectation, so that the
            last tasks need no extra round; it costs tokens and saves time.
        model_path: GGUF file for the embedded model, instead of the default one.
        hub: ``REPO[:FILE]`` on the hub for the embedded model.
        slots: Sequences the embedded model decodes side by side; ``None`` for its default.
        generation, classification, instances: Decoding of each stage.
    """

    endpoint: tuple[str, ...]
    model: str
    api: Api = "chat"
    classification_api: Api | None = None
    continues: bool = False
    api_key_env: str = "OPENAI_API_KEY"
    target: int = 1000
    seeds: str = ""
    seeds_sha256: str = ""
    seed: int = 42
    demonstrations: int = 8
    machine_demonstrations: int = 2
    tasks_per_request: int = 8
    look_ahead: int = 64
    threshold: float = 0.7
    max_instances: int = 5
    few_shot: int | None = None
    yes_bias: float = 0.0
    max_in_flight: int = 64
    rpm: float | None = None
    tpm: float | None = None
    timeout: float = 300.0
    connect_timeout: float = 10.0
    max_attempts: int = 8
    patience: int = 100
    surplus: float = 0.1
    model_path: str = ""
    hub: str = ""
    slots: int | None = None
    generation: Sampling = Sampling(max_output_tokens=1024, temperature=0.7)
    classification: Sampling = Sampling(max_output_tokens=8, temperature=0.0)
    instances: Sampling = Sampling(max_output_tokens=512, temperature=0.0)

    @property
    def is_embedded(self) -> bool:
        """Whether the run starts the embedded model."""
        return self.endpoint == (EMBEDDED,)


EMBEDDED_PRESET: dict[str, Any] = {
    "api": "chat",
    "classification_api": "completions",
    "continues": True,
    "max_in_flight": 48,
    "surplus": 0.3,
    "look_ahead": 16,
    "max_instances": 1,
    "few_shot": 8,
    "yes_bias": 1.0,
    "generation": {
        "max_output_tokens": 320,
        "temperature": 0.5,
        "top_k": 40,
        "repetition_penalty": 1.1,
    },
    "instances": {"max_output_tokens": 128, "temperature": 0.0, "repetition_penalty": 1.1},
}
"""What suits a very small model; measured in ``benchmarks/LOG.md``."""

_AT_LEAST_ONE = (
    "target",
    "demonstrations",
    "tasks_per_request",
    "look_ahead",
    "max_instances",
    "max_in_flight",
    "max_attempts",
    "patience",
    "few_shot",
    "slots",
)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a settings file.

    Raises:
        SettingsError: If it cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error


def resolve(
    from_file: Mapping[str, Any], flags: Mapping[str, Any], *, source: str = "settings"
) -> Settings:
    """Merge a settings file and flags over the defaults; flags that are ``None`` were not given.

    Raises:
        SettingsError: Naming the setting that is unknown or invalid, and the nearest right one.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    _check_names(from_file, Settings, source)
    merged = {**from_file, **given}
    endpoint = merged.get("endpoint", ())
    merged["endpoint"] = [endpoint] if isinstance(endpoint, str) else endpoint
    if merged["endpoint"] in ([EMBEDDED], (EMBEDDED,)):
        merged = _over(EMBEDDED_PRESET, merged)
        merged.setdefault("model", "")
    elif merged.get("model", "") == "":
        raise SettingsError("no model named: add --model NAME (as the endpoint knows it)")
    defaults = {name: msgspec.structs.asdict(getattr(_DEFAULTS, name)) for name in _STAGES}
    settings = _convert(_over(defaults, merged), source, given)
    _check(settings)
    return settings


def to_toml(settings: Settings) -> str:
    """Write settings as TOML that :func:`read_toml` and :func:`resolve` read back unchanged."""
    import tomli_w

    plain = {
        # Every choice in full: what a stage leaves out would be that stage's default again.
        name: _given(msgspec.structs.asdict(value)) if isinstance(value, Sampling) else value
        for name, value in msgspec.structs.asdict(settings).items()
    }
    return tomli_w.dumps(_given(plain))


def differences(frozen: Settings, wanted: Settings) -> list[str]:
    """Name the identity settings in which two runs differ, as ``name: frozen → wanted``."""
    return [
        f"{name}: {getattr(frozen, name)!r} → {getattr(wanted, name)!r}"
        for name in Settings.__struct_fields__
        if name not in CHANGEABLE
        and name != "seeds"  # the same tasks may lie elsewhere: their hash decides
        and getattr(frozen, name) != getattr(wanted, name)
    ]


_STAGES = ("generation", "classification", "instances")
_DEFAULTS = Settings(endpoint=(), model="")


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        if isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = {**merged[name], **value}
        else:
            merged[name] = value

    return merged


def _given(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if value is not None and value != ()}


def _check_names(table: Mapping[str, Any], struct: type[Struct], source: str) -> None:
    for name, value in table.items():
        if name not in struct.__struct_fields__:
            near = difflib.get_close_matches(name, struct.__struct_fields__, n=1, cutoff=0.4)
            hint = f" (did you mean '{near[0]}'?)" if near else ""
            raise SettingsError(f"{source}: unknown setting '{name}'{hint}")
        if struct is Settings and name in _STAGES and isinstance(value, dict):
            _check_names(value, Sampling, f"{source}: [{name}]")


def _convert(table: Mapping[str, Any], source: str, flags: Mapping[str, Any]) -> Settings:
    try:
        return msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        where = re.search(r"`\$\.(\S+)`", str(error))
        name = where[1] if where else "?"
        problem = str(error).split(" - at ")[0]
        if name == "api":
            problem += ", it is 'chat' or 'completions'"
        place = f"--{_dashed(name)}" if name in flags else f"{source}: '{name}'"
        raise SettingsError(f"{place}: {problem[0].lower()}{problem[1:]}") from error


def _check(settings: Settings) -> None:
    for name in _AT_LEAST_ONE:
        value = getattr(settings, name)
        if value is not None and value < 1:
            raise SettingsError(f"--{_dashed(name)} {value}: must be at least 1")

    for name in ("rpm", "tpm", "timeout", "connect_timeout"):
        value = getattr(settings, name)
        if value is not None and not 0 < value < float("inf"):
            raise SettingsError(f"--{_dashed(name)} {value}: must be a positive number")

    if not math.isfinite(settings.yes_bias):
        raise SettingsError(f"yes_bias {settings.yes_bias}: must be a finite number")
    if not 0 <= settings.surplus < float("inf"):
        raise SettingsError(f"surplus {settings.surplus}: must be 0 or more")
    if not 0 < settings.threshold <= 1:
        raise SettingsError(f"--threshold {settings.threshold}: must lie in (0, 1]")
    if not 0 <= settings.machine_demonstrations <= settings.demonstrations:
        raise SettingsError(
            f"machine_demonstrations {settings.machine_demonstrations}: must lie between 0 "
            f"and demonstrations ({settings.demonstrations})"
        )
    for name in _STAGES:
        _check_sampling(getattr(settings, name), name)
    _check_endpoints(settings)


def _check_sampling(sampling: Sampling, stage: str) -> None:
    for name, value in msgspec.structs.asdict(sampling).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise SettingsError(f"[{stage}] {name} {value}: must be a finite number")
    if sampling.max_output_tokens < 1:
        raise SettingsError(
            f"[{stage}] max_output_tokens {sampling.max_output_tokens}: must be at least 1"
        )
    if sampling.temperature is not None and sampling.temperature < 0:
        raise SettingsError(f"[{stage}] temperature {sampling.temperature}: must not be negative")


def _check_endpoints(settings: Settings) -> None:
    if not settings.endpoint:
        raise SettingsError(
            "no endpoint named: add --endpoint URL, or --endpoint local for the embedded model"
        )
    for url in settings.endpoint:
        if url == EMBEDDED:
            if len(settings.endpoint) > 1:
                raise SettingsError("--endpoint local cannot be combined with other endpoints")
        elif re.match(r"\w+://[^/?#]*@", url):
            # Not shown: it may be a password. It would be frozen in the run folder besides.
            raise SettingsError(
                "--endpoint: a base URL holds no user or password; put the key into a variable "
                "of the environment and name it with --api-key-env"
            )
        elif not _is_base_url(url):
            raise SettingsError(
                f"--endpoint {url}: not a base URL such as https://HOST/v1, nor 'local'"
            )


def _is_base_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and port != 0
        and not re.search(r"[\s?#]", url)
    )


def _dashed(name: str) -> str:
    return name.replace("_", "-")

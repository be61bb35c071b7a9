"""What settings must satisfy; each breach is told in one line."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from asyncgen.errors import SettingsError
from asyncgen.settings.values import EMBEDDED, LIMITS, SIMULATED, Price

if TYPE_CHECKING:
    from asyncgen.records import Sampling
    from asyncgen.settings.values import EndpointSettings, Settings

__all__ = ["STAGES", "check", "dashed"]

STAGES = ("generation", "classification", "instances")
"""Settings that say how a stage decodes."""

_AT_LEAST_ONE = (
    "target",
    "demonstrations",
    "tasks_per_request",
    "look_ahead",
    "max_instances",
    "output_first_tokens",
    "max_in_flight",
    "max_attempts",
    "saturation_window",
    "few_shot",
    "decisions_per_request",
    "slots",
)
_POSITIVE = (
    *LIMITS,
    "max_cost",
    "timeout",
    "connect_timeout",
    "first_byte_timeout",
    "stall_timeout",
)


def check(settings: Settings) -> None:
    """Refuse settings that make no sense.

    Raises:
        SettingsError: Naming the setting, in one line.
    """
    for name in _AT_LEAST_ONE:
        value = getattr(settings, name)
        if value is not None and value < 1:
            raise SettingsError(f"--{dashed(name)} {value}: must be at least 1")

    for name in _POSITIVE:
        value = getattr(settings, name)
        if value is not None and not 0 < value < math.inf:
            raise SettingsError(f"--{dashed(name)} {value}: must be a positive number")

    _check_shares(settings)
    if not 0 <= settings.machine_demonstrations <= settings.demonstrations:
        raise SettingsError(
            f"machine_demonstrations {settings.machine_demonstrations}: must lie between 0 "
            f"and demonstrations ({settings.demonstrations})"
        )
    _check_texts(settings)
    for name in STAGES:
        _check_sampling(getattr(settings, name), name)
    _check_endpoints(settings)


def _check_shares(settings: Settings) -> None:
    if not math.isfinite(settings.yes_bias):
        raise SettingsError(f"yes_bias {settings.yes_bias}: must be a finite number")
    if not 0 <= settings.surplus < float("inf"):
        raise SettingsError(f"surplus {settings.surplus}: must be 0 or more")
    if not 0 <= settings.saturation_bound < 1:
        raise SettingsError(
            f"--saturation-bound {settings.saturation_bound}: must lie in [0, 1); 0 is for never"
        )
    if not 0 < settings.threshold <= 1:
        raise SettingsError(f"--threshold {settings.threshold}: must lie in (0, 1]")


def _check_texts(settings: Settings) -> None:
    if settings.recipe == "backtranslate" and not settings.texts:
        raise SettingsError("--recipe backtranslate: needs --texts FILE, a text in each row")
    if settings.texts and settings.recipe != "backtranslate":
        raise SettingsError(f"--texts: of no use to --recipe {settings.recipe}")
    if settings.language and settings.recipe != "self-instruct":
        raise SettingsError(
            f"--language: --recipe {settings.recipe} asks in English; leave one of them out"
        )


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


_OURS = (EMBEDDED, SIMULATED)
"""What is named instead of a URL."""


def _check_endpoints(settings: Settings) -> None:
    if not settings.endpoint and not settings.endpoints:
        raise SettingsError(
            "no endpoint named: add --endpoint URL, or --endpoint local for the embedded model"
        )
    for url in settings.endpoint:
        if url not in _OURS:
            _check_url(url, "--endpoint")
        elif len(settings.endpoint) > 1 or settings.endpoints:
            raise SettingsError(f"--endpoint {url} cannot be combined with other endpoints")
    for number, entry in enumerate(settings.endpoints, start=1):
        _check_entry(entry, f"[[endpoints]] {number}")
    for lane in () if settings.is_embedded else settings.lanes():
        _check_lane(lane, settings)


def _check_url(url: str, place: str) -> None:
    if re.match(r"\w+://[^/?#]*@", url):
        # Not shown: it may be a password. It would be frozen in the run folder besides.
        raise SettingsError(
            f"{place}: a base URL holds no user or password; put the key into a variable "
            "of the environment and name it with --api-key-env"
        )
    if not _is_base_url(url):
        raise SettingsError(
            f"{place} {url}: not a base URL such as https://HOST/v1, nor 'local' or 'simulated'"
        )


def _check_entry(entry: EndpointSettings, place: str) -> None:
    if entry.url in _OURS:
        raise SettingsError(f"{place}: '{entry.url}' is named alone, by --endpoint {entry.url}")
    _check_url(entry.url, place)
    for name in ("weight", *LIMITS):
        value = getattr(entry, name)
        if value is not None and not 0 < value < math.inf:
            raise SettingsError(f"{place}: {name} {value}: must be a positive number")

    if entry.max_in_flight is not None and entry.max_in_flight < 1:
        raise SettingsError(f"{place}: max_in_flight {entry.max_in_flight}: must be at least 1")
    for name in Price.__struct_fields__ if entry.price is not None else ():
        value = getattr(entry.price, name)
        if value is not None and not 0 <= value < math.inf:
            raise SettingsError(f"{place}: price.{name} {value}: must be 0 or more")


def _check_lane(lane: EndpointSettings, settings: Settings) -> None:
    if not lane.model:
        raise SettingsError("no model named: add --model NAME (as the endpoint knows it)")
    asked = {settings.api, settings.classification_api or settings.api}
    # Prompts are written for one of the two: completions go on with a text, the others converse.
    if (lane.api == "completions") != (settings.api == "completions"):
        raise SettingsError(
            f"{lane.url}: api '{lane.api}' cannot take the prompts of a run by '{settings.api}'"
        )
    if lane.api == "anthropic" and "completions" in asked:
        raise SettingsError(
            f"{lane.url}: api 'anthropic' has no completions, but the run asks them"
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


def dashed(name: str) -> str:
    """Return a setting's name as a flag has it."""
    return name.replace("_", "-")

"""What settings must satisfy; each breach is told in one line."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from asyncgen.errors import SettingsError
from asyncgen.settings.values import EMBEDDED, LIMITS, MAKING, SELF, SIMULATED, Price

if TYPE_CHECKING:
    from asyncgen.records import Sampling
    from asyncgen.settings.values import EndpointSettings, Settings

__all__ = ["STAGES", "check", "dashed"]

STAGES = MAKING
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
    _check_judge(settings)


def _check_judge(settings: Settings) -> None:
    judge, least = settings.judge, settings.min_score
    if least is not None and not 0 <= least <= 1:
        raise SettingsError(f"--min-score {least}: must lie between 0 and 1")
    if judge is None:
        if least is not None:
            raise SettingsError("--min-score: nobody judges; add --judge ENDPOINT")
        return
    if not judge.url:
        raise SettingsError("--judge ENDPOINT: says where the judge is; [judge] needs its url")
    if judge.url not in (*_OURS, SELF):
        _check_url(judge.url, "--judge", "'local', 'simulated' or 'self'")
    if judge.stages:
        raise SettingsError("[judge]: judges alone; stages = […] is for [[endpoints]]")
    _check_numbers(judge, "[judge]")
    _check_sampling(judge.sampling, "judge.sampling")


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
    for lane in settings.lanes():
        if lane.url != EMBEDDED:
            _check_lane(lane, settings)
    _check_stages(settings)


def _check_stages(settings: Settings) -> None:
    """Refuse what would leave a stage to nobody."""
    lanes = settings.lanes()
    for stage in (*MAKING, *(("judging",) if settings.judge else ())):
        if not any(stage in (lane.stages or (stage,)) for lane in lanes):
            raise SettingsError(f"no endpoint serves the stage '{stage}': add it to stages = […]")


def _check_url(url: str, place: str, others: str = "'local' or 'simulated'") -> None:
    if re.match(r"\w+://[^/?#]*@", url):
        # Not shown: it may be a password. It would be frozen in the run folder besides.
        raise SettingsError(
            f"{place}: a base URL holds no user or password; put the key into a variable "
            "of the environment and name it with --api-key-env"
        )
    if not _is_base_url(url):
        raise SettingsError(f"{place} {url}: not a base URL such as https://HOST/v1, nor {others}")


def _check_entry(entry: EndpointSettings, place: str) -> None:
    if entry.url in _OURS:
        raise SettingsError(f"{place}: '{entry.url}' is named alone, by --endpoint {entry.url}")
    _check_url(entry.url, place)
    _check_numbers(entry, place)


def _check_numbers(entry: EndpointSettings, place: str) -> None:
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
        flag = "--judge-model" if lane.stages == ("judging",) else "--model"
        raise SettingsError(f"no model named: add {flag} NAME (as the endpoint knows it)")
    if lane.stages == ("judging",):
        return
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

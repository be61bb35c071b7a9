"""Settings from files and flags, and back to a file."""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from asyncgen.errors import SettingsError
from asyncgen.records import Sampling
from asyncgen.settings.checking import STAGES, check, dashed
from asyncgen.settings.languages import code_of
from asyncgen.settings.recipes import EMBEDDED_RECIPES, RECIPES
from asyncgen.settings.values import (
    CHANGEABLE,
    EMBEDDED,
    EMBEDDED_PRESET,
    LOWERABLE,
    PRESETS,
    SIMULATED,
    EndpointSettings,
    Price,
    Settings,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

__all__ = ["differences", "read_toml", "resolve", "to_toml"]


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

    Endpoints that a flag names stand for all that the file does.

    Raises:
        SettingsError: Naming the setting that is unknown or invalid, and the nearest right one.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    _check_names(from_file, Settings, source)
    merged = {**from_file, **given}
    if "endpoint" in given:
        merged.pop("endpoints", None)
    for name in ("endpoint", "exclude"):
        value = merged.get(name, ())
        merged[name] = [value] if isinstance(value, str) else value
    for name in ("language", "require_language"):
        if isinstance(merged.get(name), str):
            merged[name] = code_of(merged[name], _place(name, source, given))
    if merged.get("language", "") not in ("", "en"):
        # By runs of a-z alone most texts of other languages would not be compared.
        merged.setdefault("tokenizer", "unicode")
    merged = _over(_presets(merged), merged)
    if merged["endpoint"] in ([SIMULATED], (SIMULATED,)):
        merged["model"] = merged.get("model") or SIMULATED
    defaults = {name: msgspec.structs.asdict(getattr(_DEFAULTS, name)) for name in STAGES}
    settings = _convert(_over(defaults, merged), source, given)
    check(settings)
    return settings


def _presets(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the endpoint, the form of the prompts and the recipe bring with them.

    The form counts, not the profile: a run may read by another than the one that it asks by.
    """
    is_embedded = given["endpoint"] in ([EMBEDDED], (EMBEDDED,))
    prompts = given.get("prompts", given.get("profile", "default"))
    # What is no name of one is told later, with its place.
    preset = PRESETS.get(prompts) if isinstance(prompts, str) else None
    below = EMBEDDED_PRESET if is_embedded else {}
    below = dict(below) if preset is None else {**_over(below, preset), "prompts": prompts}
    recipe = given.get("recipe", "self-instruct")
    if not (isinstance(recipe, str) and recipe in RECIPES):
        return below
    below = _over(below, RECIPES[recipe])
    return _over(below, EMBEDDED_RECIPES[recipe]) if is_embedded else below


def to_toml(settings: Settings) -> str:
    """Write settings as TOML that :func:`read_toml` and :func:`resolve` read back unchanged."""
    import tomli_w

    return tomli_w.dumps(_table(settings))


def differences(
    frozen: Settings, wanted: Settings, *, passing_over: Collection[str] = CHANGEABLE
) -> list[str]:
    """Name the settings in which two runs differ, as ``name: frozen → wanted``.

    Those that make up a run's identity, unless others are to be passed over. One that may be
    lowered does not count then if it is.
    """
    lowered = LOWERABLE if passing_over else ()
    return [
        _difference(name, frozen, wanted)
        for name in Settings.__struct_fields__
        if name not in passing_over
        # The same texts may lie elsewhere: their hash decides.
        and name not in {"seeds", "exclude", "texts"}
        and getattr(frozen, name) != getattr(wanted, name)
        and not (name in lowered and getattr(wanted, name) < getattr(frozen, name))
    ]


def _difference(name: str, frozen: Settings, wanted: Settings) -> str:
    if name == "exclude_sha256":
        return f"exclude: {_excluded(frozen)} → {_excluded(wanted)}"
    return f"{name}: {getattr(frozen, name)!r} → {getattr(wanted, name)!r}"


def _excluded(settings: Settings) -> str:
    files = zip(settings.exclude, settings.exclude_sha256, strict=False)
    return ", ".join(f"{name} (sha256 {digest[:8]}…)" for name, digest in files) or "nothing"


_DEFAULTS = Settings()


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        if isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = {**merged[name], **value}
        else:
            merged[name] = value

    return merged


def _table(struct: Struct) -> dict[str, Any]:
    """Return all fields that say something, defaults as well: a stage has others of its own."""
    plain = {name: _plain(value) for name, value in msgspec.structs.asdict(struct).items()}
    return {name: value for name, value in plain.items() if value is not None and value != []}


def _plain(value: Any) -> Any:
    if isinstance(value, Struct):
        return _table(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _check_names(table: Mapping[str, Any], struct: type[Struct], source: str) -> None:
    for name, value in table.items():
        if name not in struct.__struct_fields__:
            near = difflib.get_close_matches(name, struct.__struct_fields__, n=1, cutoff=0.4)
            hint = f" (did you mean '{near[0]}'?)" if near else ""
            raise SettingsError(f"{source}: unknown setting '{name}'{hint}")
        if struct is Settings and name in STAGES and isinstance(value, dict):
            _check_names(value, Sampling, f"{source}: [{name}]")
        if struct is Settings and name == "endpoints" and isinstance(value, list):
            for number, entry in enumerate(value, start=1):
                _check_entry(entry, f"{source}: [[endpoints]] {number}")


def _check_entry(entry: Any, source: str) -> None:
    if isinstance(entry, dict):
        _check_names(entry, EndpointSettings, source)
        if isinstance(entry.get("price"), dict):
            _check_names(entry["price"], Price, f"{source}: price")


def _convert(table: Mapping[str, Any], source: str, flags: Mapping[str, Any]) -> Settings:
    try:
        return msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        where = re.search(r"`\$\.(\S+)`", str(error))
        name = where[1] if where else "?"
        problem = str(error).split(" - at ")[0]
        if name.endswith("api"):
            problem += ", it is 'chat', 'completions' or 'anthropic'"
        if name in {"profile", "prompts"}:
            problem += ", it is 'default' or 'paper'"
        if name == "recipe":
            problem += f", it is one of {', '.join(RECIPES)}"
        if name == "tokenizer":
            problem += ", it is 'rouge' or 'unicode'"
        place = _place(name, source, flags)
        raise SettingsError(f"{place}: {problem[0].lower()}{problem[1:]}") from error


def _place(name: str, source: str, flags: Mapping[str, Any]) -> str:
    """Return where a setting was given."""
    return f"--{dashed(name)}" if name in flags else f"{source}: '{name}'"

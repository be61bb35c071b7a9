"""Reading a script of faults: a JSON list, or TOML with ``[[step]]`` tables."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import msgspec

from asyncgen.endpoints.simulated.options import Step
from asyncgen.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_script"]


def read_script(path: Path) -> tuple[Step, ...]:
    """Read a script.

    Raises:
        SettingsError: If it cannot be read, or a step is none; with the place.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return msgspec.convert(_steps_of(content), tuple[Step, ...])
    except (ValueError, tomllib.TOMLDecodeError) as error:  # msgspec's errors are ValueErrors
        raise SettingsError(f"{path}: not a script: {error}") from error


def _steps_of(content: bytes) -> Any:
    if content.lstrip().startswith(b"["):
        try:
            return msgspec.json.decode(content)
        except msgspec.DecodeError:
            if not content.lstrip().startswith(b"[["):
                raise
    table = tomllib.loads(content.decode("utf-8"))
    if set(table) != {"step"}:
        raise ValueError("TOML wants [[step]] tables and nothing else")
    return table["step"]

"""Settings to begin with, and what is said of those that will not do."""

from __future__ import annotations

from typing import Any

import pytest

from asyncgen.errors import SettingsError
from asyncgen.settings import Settings, resolve

__all__ = ["HOSTED", "refusal", "settings_of"]

HOSTED = {"endpoint": "https://llm.example/v1", "model": "m"}


def settings_of(**given: Any) -> Settings:
    return resolve({**HOSTED, **given}, {})


def refusal(from_file: dict[str, Any], flags: dict[str, Any] | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        resolve(from_file, flags or {}, source="run.toml")
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.exit_code == 2
    return str(caught.value)

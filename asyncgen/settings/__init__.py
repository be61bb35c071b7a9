"""Run settings: defaults, then a preset, then a TOML file, then flags; validated once, frozen.

What decides the dataset is the run's *identity*: frozen in the run folder, and
a resume that contradicts it is refused. The rest (:data:`CHANGEABLE`) may differ
from one session to the next.
"""

from __future__ import annotations

from asyncgen.settings.changing import Change, changed
from asyncgen.settings.languages import english_name, primary
from asyncgen.settings.reading import differences, read_toml, resolve, to_toml
from asyncgen.settings.values import (
    CHANGEABLE,
    DERIVING,
    EMBEDDED,
    EMBEDDED_PRESET,
    LOWERABLE,
    SIMULATED,
    EndpointSettings,
    HeaderFamily,
    Price,
    ProfileName,
    RecipeName,
    Settings,
    TokenizerName,
    api_family,
)

__all__ = [
    "CHANGEABLE",
    "DERIVING",
    "EMBEDDED",
    "EMBEDDED_PRESET",
    "LOWERABLE",
    "SIMULATED",
    "Change",
    "EndpointSettings",
    "HeaderFamily",
    "Price",
    "ProfileName",
    "RecipeName",
    "Settings",
    "TokenizerName",
    "api_family",
    "changed",
    "differences",
    "english_name",
    "primary",
    "read_toml",
    "resolve",
    "to_toml",
]

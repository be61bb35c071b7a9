"""How answers become tasks: a profile bundles the plain functions of a run.

``paper`` has every rule of the original as it is, so that results can be compared;
``default`` has them mended. Each is one module with its tables of rules, made of the
rules that stand beside it. How a model is asked is no part of it, but of
:mod:`asyncgen.pipeline.forms` and of the settings' presets, so that answers can be
folded again by another profile than the one that they were asked for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from asyncgen.pipeline.profiles.language import other_than
from asyncgen.pipeline.profiles.mended import mended
from asyncgen.pipeline.profiles.paper import paper

if TYPE_CHECKING:
    from asyncgen.pipeline.profiles.values import InstructionRule, Profile
    from asyncgen.settings import Settings

__all__ = ["profile_of"]


def profile_of(settings: Settings) -> Profile:
    """Return the profile of a run.

    Raises:
        SettingsError: If the edits to its blacklist make no sense, or the language that is
            required cannot be told from others.
        MissingExtraError: If a language is required and the detector is not installed.
    """
    add, remove = settings.blacklist_add, settings.blacklist_remove
    if settings.profile == "paper":
        profile = paper(add, remove)
    else:
        profile = mended(add, remove, settings.tokenizer)
    if not settings.require_language:
        return profile
    rule: InstructionRule = ("wrong_language", other_than(settings.require_language))
    return replace(profile, instruction_rules=(*profile.instruction_rules, rule))

"""The judge's table, however it was given: by flags, as a table, or as an address alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from asyncgen.settings.values import EMBEDDED, SELF, JudgeSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncgen.settings.values import Settings

__all__ = ["JUDGE_FLAGS", "judge_of", "who_judges"]

JUDGE_FLAGS = {"judge": "url", "judge_model": "model", "judge_api_key_env": "api_key_env"}
"""Flags, and the fields of the table that they stand for."""

_USUAL = msgspec.structs.asdict(JudgeSettings(url=SELF).sampling)


def judge_of(
    from_file: Mapping[str, Any], flags: Mapping[str, Any], endpoint: list[str]
) -> Any | None:
    """Return the table as it is to be converted; ``None`` if there is no judge.

    An address that a flag names stands for all that the file says of the judge.

    Args:
        from_file: Settings of a file.
        flags: Those that were given.
        endpoint: What the run itself asks.
    """
    given = {field: flags[name] for name, field in JUDGE_FLAGS.items() if name in flags}
    table = from_file.get("judge", {})
    if isinstance(table, str):
        table = {"url": table}
    if not isinstance(table, dict):
        return table
    merged: dict[str, Any] = given if "url" in given else {**table, **given}
    if not merged:
        return None
    merged.setdefault("url", "")
    if merged["url"] == EMBEDDED and list(endpoint) == [EMBEDDED]:
        # One such model is enough.
        merged["url"] = SELF
    if isinstance(sampling := merged.get("sampling", {}), dict):
        merged["sampling"] = {**_USUAL, **sampling}
    return merged


def who_judges(settings: Settings) -> str | None:
    """Return what tells one judge from another in the data: its model; ``None`` without one."""
    if settings.judge is None:
        return None
    if settings.judge.url == SELF:
        return SELF
    return settings.judge.model or settings.model or settings.judge.url

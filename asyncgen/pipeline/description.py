"""What may be told of a run to those who get its dataset."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import msgspec

from asyncgen.settings import CHANGEABLE, SELF, JudgeSettings, Settings, to_toml, who_judges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.records import Task

__all__ = ["models_of", "told_settings"]


def models_of(tasks: Sequence[Task]) -> dict[str, int]:
    """Return the models that wrote the instructions, by their own names, most tasks first."""
    return dict(Counter(task.provenance.model for task in tasks).most_common())


def told_settings(settings: Settings) -> str:
    """Return the settings that decide the data, as TOML.

    Addresses, names of keys, limits and folders are nobody else's business.
    """
    usual = Settings()
    hidden = {name: getattr(usual, name) for name in CHANGEABLE}
    if (judge := settings.judge) is not None:
        where = SELF if judge.url == SELF else ""
        hidden["judge"] = JudgeSettings(
            url=where, model=who_judges(settings) or "", sampling=judge.sampling
        )
    # A name of a model may hold a slash; any other text that does is a file's.
    named = {
        name: _without_folder(getattr(settings, name))
        for name in Settings.__struct_fields__
        if name not in CHANGEABLE and name not in {"model", "judge"}
    }
    lines = to_toml(msgspec.structs.replace(settings, **named, **hidden)).splitlines()
    # At the top level, where stages have no such names.
    return "\n".join(line for line in lines if line.partition(" =")[0] not in CHANGEABLE)


def _without_folder(value: Any) -> Any:
    if isinstance(value, str):
        return PurePath(value).name
    if isinstance(value, tuple):
        parts: tuple[Any, ...] = value
        return tuple(_without_folder(one) for one in parts)
    return value

"""What may be told of a run to those who get its dataset."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING

import msgspec

from asyncgen.settings import CHANGEABLE, Settings, to_toml

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
    told = msgspec.structs.replace(settings, seeds=PurePath(settings.seeds).name, **hidden)
    lines = to_toml(told).splitlines()
    # At the top level, where stages have no such names.
    return "\n".join(line for line in lines if line.partition(" =")[0] not in CHANGEABLE)

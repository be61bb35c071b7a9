"""The processes of one training: accelerate starts one for each GPU."""

from __future__ import annotations

import os

__all__ = ["is_first_process", "processes"]


def is_first_process() -> bool:
    """Whether this is the only one, or the first: it alone writes."""
    return os.environ.get("RANK", "0") == "0"


def processes() -> int:
    """Return how many there are."""
    return int(os.environ.get("WORLD_SIZE", "1"))

"""How often Python looks for garbage while requests are open."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["collecting_seldom"]

_YOUNG = 50_000
"""Objects made and not yet gone, before the young ones are looked at.

A request that is open holds about fifty, all of which go by themselves when it is
answered. By the usual 700 they are looked at again and again meanwhile, and with
them all that was imported: a quarter of the CPU time of a request.
"""


@contextmanager
def collecting_seldom() -> Generator[None]:
    """Raise the collector's first threshold for as long as the block runs."""
    before = gc.get_threshold()
    # 0 means never, which whoever set it will have meant.
    if 0 < before[0] < _YOUNG:
        gc.set_threshold(_YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)

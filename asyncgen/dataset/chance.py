"""Random choices of an export: each follows from the seed and a row's name alone.

So they are the same in every process, and what one row gets does not depend on
how many others there are or in which order they come.
"""

from __future__ import annotations

import random
from hashlib import blake2b

__all__ = ["generator", "rank"]


def generator(seed: int, purpose: str, name: str) -> random.Random:
    """Return the generator of one row's choices."""
    return random.Random(f"{purpose}:{seed}:{name}")  # noqa: S311 - no secret


def rank(seed: int, purpose: str, name: str) -> bytes:
    """Return what to sort by: a random order that each row keeps, whatever the others are."""
    return blake2b(f"{purpose}:{seed}:{name}".encode(), digest_size=16).digest()

"""Numbers that look random and follow from a request's content: the same run, the same numbers."""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncgen.endpoints.simulated.options import Latency

__all__ = ["content_key", "delay_of", "mixed", "uniform"]

_MASK = (1 << 64) - 1


def content_key(path: str, body: bytes) -> int:
    """Return the 64-bit key of what a request says."""
    return int.from_bytes(blake2b(body, digest_size=8, person=path.encode()[-16:]).digest())


def mixed(key: int, salt: int) -> int:
    """Return 64 well-mixed bits of a key and a salt (the finaliser of SplitMix64)."""
    bits = (key + (salt + 1) * 0x9E3779B97F4A7C15) & _MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
    return bits ^ (bits >> 31)


def uniform(key: int, salt: int) -> float:
    """Return a number in [0, 1)."""
    return (mixed(key, salt) >> 11) / (1 << 53)


def delay_of(latency: Latency, tokens: int, key: int) -> float:
    """Return the seconds that an answer of so many tokens takes."""
    plain = latency.first + latency.per_token * tokens
    if latency.spread == "fixed":
        return plain
    first = uniform(key, _FIRST)
    if latency.spread == "uniform":
        return plain * (1 + latency.width * (2 * first - 1))
    # Box and Muller; 1 - x is never 0.
    normal = math.sqrt(-2 * math.log(1 - first)) * math.cos(2 * math.pi * uniform(key, _SECOND))
    return plain * math.exp(latency.width * normal)


_FIRST, _SECOND = 101, 102  # salts

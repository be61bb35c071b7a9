"""How long a program waits for the kernels, the first time on a machine and later."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import NamedTuple

__all__ = ["Start", "measured_start"]

_PROGRAM = """
import time
begun = time.perf_counter()
import asyncgen_kernels
asyncgen_kernels.warm_up()
print(time.perf_counter() - begun)
"""
_CACHED_RUNS = 3
_LONGEST = 600


class Start(NamedTuple):
    """Seconds for importing and warming up in a fresh interpreter.

    Attributes:
        cold: With an empty cache: all kernels are compiled.
        cached: With what that run left in the cache; the quickest of three.
    """

    cold: float
    cached: float


def measured_start() -> Start:
    """Start fresh interpreters with a cache folder of their own."""
    with tempfile.TemporaryDirectory(prefix="asyncgen-bench-") as cache:
        cold = _run(cache)
        return Start(cold, min(_run(cache) for _ in range(_CACHED_RUNS)))


def _run(cache: str) -> float:
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, "NUMBA_CACHE_DIR": cache},
        stdout=subprocess.PIPE,
        check=True,
        timeout=_LONGEST,
    )
    return float(done.stdout)

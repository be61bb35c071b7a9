"""Compiling in two processes: each does its share, and neither is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="a second process is started only where there is a second processor",
)

_WARM = """
from asyncgen_kernels import is_cached, warm_up
from asyncgen_kernels.search import _decide
from asyncgen_kernels.segments import scatter
warm_up(scan=False)
loaded = scatter.stats.cache_hits.total(), _decide.stats.cache_hits.total()
print(*loaded, is_cached())
"""


def warming(cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WARM],
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_one_process_compiles_what_the_other_loads(tmp_path: Path) -> None:
    said = [warming(tmp_path).communicate(timeout=55)[0].split() for _ in range(2)]

    assert said == [["1", "0", "True"], ["1", "1", "True"]]


def test_the_second_process_goes_with_the_first(tmp_path: Path) -> None:
    with warming(tmp_path) as process:
        helpers = children(process)
        process.kill()
    _, alive = psutil.wait_procs(helpers, timeout=10)

    assert helpers
    assert not alive


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        found: list[psutil.Process] = psutil.Process(process.pid).children()
        if found:
            return found
        time.sleep(0.02)
    return []

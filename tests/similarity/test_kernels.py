"""House rules of everything that Numba compiles."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core.caching import NullCache
from numba.core.registry import CPUDispatcher

import asyncgen_kernels
from asyncgen_kernels import Pool, required_lcs, rouge_l

MODULES = [
    importlib.import_module(f"asyncgen_kernels.{module.name}")
    for module in pkgutil.iter_modules(asyncgen_kernels.__path__)
]
COMPILED: dict[str, Any] = {
    f"{module.__name__}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, CPUDispatcher) and value.py_func.__module__ == module.__name__
}
KERNELS = {
    name: value for name, value in COMPILED.items() if not isinstance(value._cache, NullCache)
}
PARTS = {name: value for name, value in COMPILED.items() if name not in KERNELS}


def test_there_are_kernels_and_parts() -> None:
    assert len(KERNELS) > 10
    assert len(PARTS) > 10


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_code_is_free_of_the_gil_and_strict_about_floats(name: str) -> None:
    assert COMPILED[name].targetoptions["nogil"] is True
    assert "fastmath" not in COMPILED[name].targetoptions


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_are_kept_until_any_source_changes(name: str) -> None:
    """Numba by itself would not notice a change in another file: wrong numbers, and no error."""
    cache = KERNELS[name]._cache

    assert type(cache).__name__ == "FunctionCache"
    assert isinstance(cache._cache_file._source_stamp, bytes)


@pytest.mark.parametrize("name", PARTS)
def test_parts_are_for_kernels_alone(name: str) -> None:
    """They are compiled faster for it; a call from Python would crash."""
    options = PARTS[name].targetoptions

    assert options.get("no_cpython_wrapper") or options.get("inline") == "always"


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_have_one_specialisation(name: str) -> None:
    """After all kinds of use: another set of types would be seconds of compiling."""
    use_everything()

    assert len(KERNELS[name].signatures) == 1


def use_everything() -> None:
    pool = Pool()
    pool.add_many([f"w{number} w{number % 7} b a" for number in range(40)] + ["", "a b " * 50])
    pool.scan("a " * 70)
    pool.admit_many(["a b", "", "c", "a b " * 50])
    pool.similar(["a b", "", "w1 " * 70], k=3, before=[0, 7, 9])
    pool.similar(["a b"] * 50, threads=2)
    pool.scan("a " * 70)
    rouge_l(np.arange(3, dtype=np.int32), np.arange(2, dtype=np.int32))
    required_lcs(0.7, 3, 4)


def test_importing_compiles_nothing_and_warming_up_everything() -> None:
    """In a fresh interpreter; after the warm-up no call has to wait for a compiler."""
    script = """
import asyncgen_kernels as ours
from similarity import test_kernels as rules
kernels = rules.KERNELS.values()
count = lambda: [sum(len(kernel.signatures) for kernel in kernels), len(kernels)]
print(*count())
ours.warm_up()
print(*count())
rules.use_everything()
print(*count())
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=Path(__file__).parents[1],
    )
    first, second, third = (line.split() for line in done.stdout.splitlines())

    assert first[0] == "0"
    assert second == third

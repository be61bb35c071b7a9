"""House rules of the kernels, and the bounds inside the search for the nearest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core.registry import CPUDispatcher
from similarity import reference
from similarity.harness import sentences

from asyncgen_kernels import kernels
from asyncgen_kernels.entries import Entries
from asyncgen_kernels.text import Vocabulary

DISPATCHERS: dict[str, Any] = {
    name: value for name, value in vars(kernels).items() if isinstance(value, CPUDispatcher)
}


@pytest.mark.parametrize("name", DISPATCHERS)
def test_kernels_are_cached_free_of_the_gil_and_strict_about_floats(name: str) -> None:
    kernel = DISPATCHERS[name]

    assert kernel.targetoptions["nogil"] is True
    assert "fastmath" not in kernel.targetoptions
    assert type(kernel._cache).__name__ == "FunctionCache"


def test_everything_compiled_stands_in_one_file() -> None:
    """Numba's cache would not notice a change in another: wrong numbers, and no error."""
    here = Path(kernels.__file__)

    assert [path for path in here.parent.glob("*.py") if "numba" in path.read_text("utf-8")] == [
        here
    ]
    assert all(kernel.py_func.__module__ == kernels.__name__ for kernel in DISPATCHERS.values())


@pytest.mark.parametrize("name", DISPATCHERS)
def test_kernels_have_one_specialisation(name: str) -> None:
    assert len(DISPATCHERS[name].signatures) <= 1


def test_importing_compiles_nothing_and_warming_up_everything() -> None:
    """In a fresh interpreter; after the warm-up no call has to wait for a compiler."""
    script = """
import asyncgen_kernels as ours
from asyncgen_kernels import kernels
entries = ["lcs_pair", "scan_all", "scan_best", "signature"]
count = lambda: [len(getattr(kernels, name).signatures) for name in entries]
print(count())
ours.warm_up()
print(count())
pool = ours.Pool()
pool.admit_many(["a b " * 50, "a b", "", "c"])
pool.scan("a b " * 40)
print(count())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.splitlines() == ["[0, 0, 0, 0]", "[1, 1, 1, 1]", "[1, 1, 1, 1]"]


def test_bounds_are_never_below_the_score_and_spare_most_of_the_work() -> None:
    """A bound too low would lose a neighbour; bounds too high would only cost time, unseen."""
    vocabulary, entries = Vocabulary(), Entries()
    texts = sentences(300, seed=4)
    for text in texts[:250]:
        entries.append(vocabulary.encode(text))
    view = entries.view()
    visited = 0
    for text in texts[250:]:
        query = vocabulary.find(reference.tokens_of(text))
        bounds = kernels._bounds(query, view.offsets, view.signatures)
        scores = np.array([reference.score_of(text, other) for other in texts[:250]])

        assert np.all(bounds / 254 >= scores)
        visited += int(np.count_nonzero(bounds >= 254 * scores.max()))

    assert visited < 0.3 * 50 * 250


def test_entries_are_visited_by_falling_bound_and_rising_age() -> None:
    bounds = np.random.default_rng(0).integers(0, 256, 2000).astype(np.uint8)
    order = kernels._best_first(bounds)

    expected = sorted(np.flatnonzero(bounds), key=lambda entry: (-int(bounds[entry]), entry))
    assert order.tolist() == expected

"""Kernels are compiled once, before any test is timed."""

from __future__ import annotations

from asyncgen_kernels import warm_up


def pytest_collection_finish() -> None:
    """Not in a fixture: the first test's time limit would then be for a compiler on a cold start."""
    warm_up()

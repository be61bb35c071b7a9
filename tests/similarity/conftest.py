"""Kernels are compiled once, before any test is timed."""

from __future__ import annotations

from asyncgen_kernels import warm_up


def pytest_collection_finish() -> None:
    """Not in a fixture: on a cold start it would use up the first test's time limit."""
    warm_up()

"""Kernels are compiled once, before any test is timed."""

from __future__ import annotations

import pytest

from asyncgen_kernels import warm_up


@pytest.fixture(scope="session", autouse=True)
def _warm() -> None:
    warm_up()

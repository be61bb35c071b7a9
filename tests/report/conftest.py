"""Runs that several tests report on, and the kernels that they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from report.material import make_run

from asyncgen.report.measures.measures import measure
from asyncgen.report.reading import read_runs
from asyncgen_kernels import warm_up

if TYPE_CHECKING:
    from pathlib import Path

    from asyncgen.report.measures.measures import Measures
    from asyncgen.report.reading import RunRead


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 120 tasks."""
    warm_up(scan=True)
    return make_run(tmp_path_factory.mktemp("runs") / "small", 120)


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with another seed, another threshold and a limit."""
    warm_up(scan=True)
    folder = tmp_path_factory.mktemp("runs") / "other <b>bold"
    return make_run(folder, 80, seed=7, threshold=0.5, rpm=2000.0)


@pytest.fixture(scope="session")
def small_read(small: Path) -> RunRead:
    return read_runs([small])[0]


@pytest.fixture(scope="session")
def small_measures(small_read: RunRead) -> Measures:
    return measure(small_read)


@pytest.fixture(scope="session")
def both_measures(small_measures: Measures, other: Path) -> list[Measures]:
    return [small_measures, measure(read_runs([other])[0])]

"""What an undisturbed run makes: the same bytes for every test here."""

from __future__ import annotations

import pytest
from ordeal.killing import Killing
from ordeal.provider import Manner
from ordeal.trial import Expected, calm_run

PLAN = Killing(kills=3, target=40, seed=1, manner=Manner(latency=0.1), compiling=0)


@pytest.fixture
def plan() -> Killing:
    return PLAN


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Expected:
    return calm_run(tmp_path_factory.mktemp("calm"), PLAN.target, PLAN.manner)

"""``generate --recipe`` against a real server: one dataset, in flight or killed on the way."""

from __future__ import annotations

import json
import random
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.command import asyncgen, start
from support.server import ModelServer, Reply
from support.simulation import replied

from asyncgen.pipeline.seeds import packaged, read_seed_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TARGET = 24
_SETTINGS = {"alpaca": "tasks_per_request = 2\n", "self-instruct": "decisions_per_request = 4\n"}


def _slowly(body: dict[str, Any], number: int) -> Reply:
    return replied(body, delay=random.Random(number).uniform(0, 0.05))


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(_slowly) as running:
        yield running


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    seeds = read_seed_tasks(packaged("seed_tasks.jsonl"), at_least=8)
    outputs = [one.instances[0].output for one in seeds if len(one.instances[0].output) > 60]
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(json.dumps({"text": text}) for text in outputs), "utf-8")
    return path


def _arguments(
    server: ModelServer, run: Path, recipe: str, texts: Path, in_flight: int
) -> list[str | Path]:
    given: list[str | Path] = ["--texts", texts] if recipe == "backtranslate" else []
    config = run.with_suffix(".toml")
    config.write_text(_SETTINGS.get(recipe, ""), "utf-8")
    return [
        *("generate", run, "--endpoint", server.url, "--model", "test-model", "--config", config),
        *("--recipe", recipe, "--target", str(TARGET), "--max-in-flight", str(in_flight), *given),
    ]


@pytest.mark.parametrize("recipe", ["self-instruct", "alpaca", "evol", "backtranslate"])
def test_the_dataset_is_the_same_at_1_in_flight_and_at_64_and_killed(
    server: ModelServer, tmp_path: Path, texts: Path, recipe: str
) -> None:
    one, many = tmp_path / "one", tmp_path / "many"
    done = asyncgen(*_arguments(server, one, recipe, texts, 1))
    assert done.returncode == 0, done.stderr
    before = len(server.bodies)
    with start(*_arguments(server, many, recipe, texts, 64)) as process:
        while process.poll() is None and len(server.bodies) < before + 6:
            time.sleep(0.002)
        process.kill()
        process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    resumed = asyncgen(*_arguments(server, many, recipe, texts, 64))

    assert resumed.returncode == 0, resumed.stderr
    for name in ("dataset.jsonl", "rejected.jsonl"):
        assert (many / name).read_bytes() == (one / name).read_bytes()
    assert len((one / "dataset.jsonl").read_bytes().splitlines()) == TARGET
    assert asyncgen("verify", many).returncode == 0


def test_texts_used_up_end_the_run_resumable_with_all_that_they_made(
    server: ModelServer, tmp_path: Path, texts: Path
) -> None:
    few = tmp_path / "few.txt"
    few.write_text("Rain fell on the old harbour all night long.\nBees dance to show the way.\n")
    done = asyncgen(*_arguments(server, tmp_path / "run", "backtranslate", few, 4))

    assert done.returncode == 3
    assert "all 2 texts are used up, and made 2 of 24 tasks" in done.stderr
    assert len((tmp_path / "run" / "dataset.jsonl").read_bytes().splitlines()) == 2

"""A whole cycle: a provider that writes and answers, a service that finetunes, both on loopback."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from finetune.api import KEY, MODEL, Api
from support.command import asyncgen, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TASKS = "".join(
    f'{{"id": "t{number}", "motivation_app": "Mail", "instruction": "Answer message {number}.",'
    ' "instances": [{"input": "When do we meet?", "output": "At noon."}]}\n'
    for number in range(4)
)


@pytest.fixture
def provider() -> Iterator[str]:
    """Return the address of a provider that answers at once."""
    with start("serve", "simulated", "--port", "0", "--latency", "0") as process:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        yield next(word for word in words if word.startswith("http")).rstrip(";")
        process.terminate()


def cycle_of(folder: Path, provider: str, api: Api) -> tuple[str, ...]:
    """Write a cycle's files and return its command."""
    folder.mkdir()
    (folder / "tasks.jsonl").write_text(TASKS)
    (folder / "cycle.toml").write_text(
        f"""
        rounds = 2
        tasks = "{folder / "tasks.jsonl"}"
        [generate]
        endpoint = "{provider}"
        model = "{MODEL}"
        target = 12
        [finetune]
        base_url = "{api.url}"
        poll = 0.05
        [evaluate]
        max_output_tokens = 64
        """
    )
    return ("cycle", str(folder / "out"), "--config", str(folder / "cycle.toml"))


def result_of(folder: Path) -> dict[str, Any]:
    """Return what came of a cycle, but for times and the service's own ids."""
    outcome: dict[str, Any] = orjson.loads((folder / "out/cycle.json").read_bytes())
    rounds = [{"tasks": one["tasks"], "rows": one["rows"]} for one in outcome["rounds"]]
    return {"scores": outcome["scores"], "rounds": rounds}


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_cycle_killed_in_each_part_ends_like_an_undisturbed_one(
    tmp_path: Path, provider: str
) -> None:
    with Api() as api:
        command = cycle_of(tmp_path / "whole", provider, api)
        done = asyncgen(*command, OPENAI_API_KEY=KEY)
        assert done.returncode == 0, done.stderr
        assert "## Everyday tasks" in done.stdout
        assert api.orders[0]["model"] == MODEL
        assert api.orders[1]["model"].startswith(f"ft:{MODEL}")
    with Api() as api:
        command = cycle_of(tmp_path / "killed", provider, api)
        for place in ("round 1: finetune", "round 2: tasks"):
            kill_at(place, *command)
        done = asyncgen(*command, OPENAI_API_KEY=KEY)
        assert done.returncode == 0, done.stderr
        assert len(api.orders) == 2
    whole, killed = result_of(tmp_path / "whole"), result_of(tmp_path / "killed")
    assert killed == whole
    assert [one["tasks"] for one in whole["rounds"]] == [12, 12]
    assert [one["model"] for one in whole["scores"]["tasks"]["models"]] == [
        "base",
        "round 1",
        "round 2",
    ]


def kill_at(place: str, *command: str) -> None:
    """Kill a cycle a little after a step has begun."""
    with start(*command, OPENAI_API_KEY=KEY) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if place in line:
                break
        time.sleep(0.4)
        process.kill()


def test_another_plan_for_the_same_folder_is_refused(tmp_path: Path, provider: str) -> None:
    with Api() as api:
        command = cycle_of(tmp_path / "one", provider, api)
        kill_at("round 1: generate", *command)
        refused = asyncgen(*command, "--target", "13", OPENAI_API_KEY=KEY)
    assert refused.returncode == 2
    assert "begun with other settings" in refused.stderr
    assert "Traceback" not in refused.stderr

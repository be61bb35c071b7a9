"""A probe is the beginning of a run, and what it shows is what the run then takes."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING

import anyio
import pytest
from planning.material import settings_for, worked

from asyncgen.journal import JournalReader
from asyncgen.pipeline.folder import RunFolder
from asyncgen.planning.basis import basis_of
from asyncgen.planning.estimate import Estimate, estimate

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from asyncgen.pipeline.run import Run
    from asyncgen.records import Answer, Stage
    from asyncgen.settings import Settings


def _answers(folder: RunFolder) -> list[Answer]:
    return list(JournalReader(folder.journal))


def _work(folder: RunFolder, **given: Any) -> tuple[Run, Settings, int]:
    async def session() -> tuple[Run, Settings, int]:
        run, settings, verdict = await worked(folder, **given)
        assert verdict.duplicates == 0
        return run, settings, verdict.requests

    return anyio.run(session)


def _estimated(settings: Settings, folder: RunFolder) -> Estimate:
    return estimate(basis_of(settings, folder))


@pytest.mark.parametrize("requests", [1, 2, 7, 30])
def test_a_probe_sends_as_many_requests_as_were_asked_for(tmp_path: Path, requests: int) -> None:
    folder = RunFolder(tmp_path / "run")
    _, _, seen = _work(folder, probe=requests, target=300)

    assert seen == requests
    assert len(_answers(folder)) == requests


def test_a_probe_goes_through_all_stages(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    _work(folder, probe=30, target=300)
    stages = Counter(answer.request.stage for answer in _answers(folder))

    assert stages == {"generation": 6, "classification": 12, "instances": 12}


def test_a_probe_larger_than_its_run_ends_with_the_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    run, settings, _ = _work(folder, probe=1000, target=5)

    assert run.agenda.finished
    assert sum(_estimated(settings, folder).requests.values()) == 0


def test_the_run_goes_on_from_its_probe_and_asks_nothing_twice(tmp_path: Path) -> None:
    """The dataset is the one that the run makes without a probe."""
    probed, straight = RunFolder(tmp_path / "probed"), RunFolder(tmp_path / "straight")
    _work(probed, probe=20, target=40)
    before = [answer.request for answer in _answers(probed)]
    run, _, _ = _work(probed, target=40)
    run.write()
    again, _, _ = _work(straight, target=40)
    again.write()
    after = [answer.request for answer in _answers(probed)]

    assert after[:20] == before
    assert len({(one.stage, one.key) for one in after}) == len(after)
    assert _tasks(probed) == _tasks(straight)


def _tasks(folder: RunFolder) -> list[dict[str, Any]]:
    """Return the dataset without the port that the provider happened to have."""
    tasks = [json.loads(line) for line in folder.dataset.read_text("utf-8").splitlines()]
    assert len(tasks) == 40
    return [{**task, "provenance": {**task["provenance"], "endpoint": ""}} for task in tasks]


@pytest.mark.parametrize(
    ("requests", "api", "in_flight", "output"),
    # A dozen answers say of the length of instances only so much.
    [(30, "chat", 64, 0.25), (30, "completions", 8, 0.35), (100, "completions", 8, 0.25)],
)
def test_after_a_probe_an_estimate_is_within_a_quarter_of_what_the_run_takes(
    tmp_path: Path, requests: int, api: str, in_flight: int, output: float
) -> None:
    folder = RunFolder(tmp_path / "run")
    changes = {"target": 300, "api": api, "max_in_flight": in_flight}
    run, settings, _ = _work(folder, probe=requests, **changes)
    outcome = _estimated(settings, folder)
    spent = run.status()
    run, _, _ = _work(folder, **changes)
    took = run.status()
    left: dict[Stage, int] = {
        stage: took.answers[stage] - spent.answers[stage] for stage in took.answers
    }
    shown = took.usage.input_tokens - spent.usage.input_tokens
    made = took.usage.output_tokens - spent.usage.output_tokens
    # Shown by `pytest -rP`.
    sys.stdout.write(
        f"{api}, {in_flight} in flight, probe of {requests}: estimated/took requests "
        f"{sum(outcome.requests.values()) / sum(left.values()):.2f}, "
        f"input {outcome.input_tokens / shown:.2f}, output {outcome.output_tokens / made:.2f}\n"
    )
    assert outcome.assumptions.measured_on == requests
    for stage, count in left.items():
        assert outcome.requests[stage] == pytest.approx(count, rel=0.25)
    assert outcome.input_tokens == pytest.approx(shown, rel=0.25)
    assert outcome.output_tokens == pytest.approx(made, rel=output)


def test_halfway_an_estimate_is_of_what_is_left(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    _, settings, _ = _work(folder, probe=300, target=150)
    outcome = _estimated(settings, folder)
    before = len(_answers(folder))
    _work(folder, target=150)

    assert outcome.tasks > 30
    assert sum(outcome.requests.values()) == pytest.approx(
        len(_answers(folder)) - before, rel=0.25, abs=10
    )


def test_an_estimate_changes_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    first = _estimated(settings_for(target=50), folder)

    assert not folder.path.exists()
    assert first.assumptions.measured_on == 0
    _, settings, _ = _work(folder, probe=5, target=50)
    before = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    _estimated(settings, folder)
    after = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    assert {name for name in after if after[name] != before.get(name)} <= {"journal.db-shm"}


def test_a_judge_s_requests_are_estimated_too(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    changes = {"target": 200, "judge": "self", "min_score": 0.67}
    _, settings, _ = _work(folder, probe=60, **changes)
    before = Counter(answer.request.stage for answer in _answers(folder))
    outcome = _estimated(settings, folder)
    _work(folder, **changes)
    took = Counter(answer.request.stage for answer in _answers(folder))

    assert before["judging"] > 0
    assert outcome.requests["judging"] == pytest.approx(
        took["judging"] - before["judging"], rel=0.3
    )
    assert outcome.stages["judging"].input_tokens > 0

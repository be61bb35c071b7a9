"""The command: from a run to a model, what it says, and what a signal does."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest
from finetune.material import ROWS, write_rows
from support.command import asyncgen, environment, start

from asyncgen.cli.app import run
from asyncgen.finetune.losses import read_losses

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.slow  # a minute of two cores


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a simulated provider."""
    folder = tmp_path_factory.mktemp("run") / "run"
    done = asyncgen("generate", folder, "--endpoint", "simulated", "--target", "12", "--json")
    assert done.returncode == 0, done.stderr
    return folder


def command(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """The command in this process."""
    capsys.readouterr()
    code = run(["finetune", "local", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("form", ["prompt-completion", "chat"])
def test_what_is_learned_of_a_run_is_what_its_export_holds(
    run_folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    out = tmp_path / "tuned"
    options = ["--format", form, "--steps", "2", "--json"]
    code, said, _ = command(capsys, run_folder, "--model", model, "--out", out, *options)
    assert code == 0
    result = orjson.loads(said)
    assert result["outcome"] == "done"
    assert result["steps"] == 2
    assert Path(result["model"]) == out / "model"
    export = ["export", str(run_folder), "--format", form, "--out", str(tmp_path / "rows.jsonl")]
    assert run(export if form == "chat" else [*export, "--end-of-text", ""]) == 0
    assert (out / "data.jsonl").read_bytes() == (tmp_path / "rows.jsonl").read_bytes()
    assert result["examples"] + result["too_long"] == len(
        (tmp_path / "rows.jsonl").read_bytes().splitlines()
    )


def test_an_export_with_gpt3s_end_is_learned_with_the_models_own(
    run_folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "rows.jsonl"
    assert (
        run(["export", str(run_folder), "--format", "prompt-completion", "--out", str(rows)]) == 0
    )
    assert b"<|endoftext|>" in rows.read_bytes()
    code, said, _ = command(
        capsys, rows, "--model", model, "--out", tmp_path / "out", "--steps", "1"
    )
    assert code == 0
    assert "1 steps on" in said
    assert b"<|endoftext|>" not in (tmp_path / "out" / "data.jsonl").read_bytes()


def test_seeds_are_learned_where_they_are_asked_for(
    run_folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--include-seeds", "--steps", "1", "--length", "4096", "--json"]
    code, said, _ = command(
        capsys, run_folder, "--model", model, "--out", tmp_path / "out", *options
    )
    assert code == 0
    assert orjson.loads(said)["examples"] > 175


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--model", "no/where/at/all"], "--model no/where/at/all: no such folder"),
        (["--model", "MODEL", "--batch", "0"], "--batch 0: must be at least 1"),
        (["--model", "MODEL", "--format", "chat"], "holds prompt-completion; leave it out"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    rows: Path,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: Sequence[str],
    named: str,
) -> None:
    given = [str(model) if one == "MODEL" else one for one in arguments]
    code, _, said = command(capsys, rows, "--out", tmp_path / "out", *given)
    assert code == 2
    assert said.startswith("asyncgen: error: ")
    assert named in said
    assert said.count("\n") == 1


@pytest.mark.timeout(300)
def test_ctrl_c_ends_it_after_a_checkpoint_and_it_says_how_to_go_on(
    rows: Path, model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments: list[str | Path] = [
        "finetune",
        "local",
        rows,
        "--model",
        model,
        "--out",
        out,
        "--steps",
        "100000",
    ]
    with start(*arguments, OMP_NUM_THREADS="1") as process:
        try:
            while not read_losses(out / "losses.jsonl"):
                assert process.poll() is None, process.communicate()
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate()
        finally:
            process.kill()
    assert process.returncode == 128 + signal.SIGINT
    assert "nothing is lost, resume with: asyncgen finetune local" in said
    assert "Traceback" not in said
    reached = read_losses(out / "losses.jsonl")[-1].step
    assert (out / "checkpoints" / f"checkpoint-{reached}" / "whole").exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_processes_learn_as_one_with_batches_of_both(model: Path, tmp_path: Path) -> None:
    """As accelerate launch and torchrun start them; each takes half of what one would."""
    # A batch that did not come out even would be filled up with examples seen before.
    rows = write_rows(tmp_path / "rows.jsonl", ROWS[:8])
    options = ["--steps", "8", "--learning-rate", "0.01", "--accumulate", "1", "--json"]
    command = ["finetune", "local", str(rows), "--model", str(model), *options]
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    ours = ["-m", "asyncgen", *command, "--batch", "2", "--out", str(tmp_path / "two")]
    done = subprocess.run(
        [*launch, *ours],
        env=environment(OMP_NUM_THREADS="1"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert orjson.loads(done.stdout)["steps"] == 8
    assert run([*command, "--batch", "4", "--out", str(tmp_path / "one")]) == 0
    losses = [
        [one.loss for one in read_losses(tmp_path / name / "losses.jsonl")]
        for name in ("two", "one")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    """In an environment where torch cannot be found."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['torch'] = None\n")
    done = asyncgen(
        "finetune", "local", "data", "--model", "m", "--out", "o", PYTHONPATH=str(tmp_path)
    )
    assert done.returncode == 2
    assert "pip install 'asyncgen[train]'" in done.stderr

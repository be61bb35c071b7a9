"""A run whose model has little left to say ends with exit 3, its curve and how to go on."""

from __future__ import annotations

import json
import random
import re
import shlex
from typing import TYPE_CHECKING, Any

from support.command import asyncgen
from support.scripts import answer
from support.server import ModelServer, Reply, prompt_of

from asyncgen.cli.app import run as command

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_WORDS = "river stone cloud tiger lamp paper orbit violin garden winter copper silver".split()
_KNOWN = [f"Describe the {' '.join(random.Random(n).sample(_WORDS, 6))}." for n in range(40)]
"""All that the model can think of."""


def _poor(body: dict[str, Any], _number: int) -> Reply:
    prompt = prompt_of(body)
    if (asked := re.search(r"tasks (\d+) to \d+", prompt.splitlines()[-1])) is None:
        return Reply(answer(prompt))
    items = random.Random(prompt).choices(_KNOWN, k=6)
    return Reply("\n".join(f"{int(asked[1]) + n}. {item}" for n, item in enumerate(items)))


def _arguments(server: ModelServer, run: Path, *more: str) -> list[str | Path]:
    return [
        *("generate", run, "--endpoint", server.url, "--model", "test-model", "--target", "500"),
        *("--look-ahead", "6", "--saturation-window", "10", "--saturation-bound", "0.3", *more),
    ]


def _tasks(run: Path) -> list[bytes]:
    return (run / "dataset.jsonl").read_bytes().splitlines()


def test_it_ends_with_the_curve_and_a_command_that_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run, other = tmp_path / "run", tmp_path / "other"
    with ModelServer(_poor) as server:
        done = asyncgen(*_arguments(server, run, "--max-in-flight", "1"))
        assert done.returncode == 3
        assert "go on with a lower bound; nothing is lost" in done.stderr
        again = shlex.split(done.stderr.rsplit("resume with: asyncgen ", 1)[1])
        first, status = _tasks(run), _status(run, capfd)
        in_air = [str(one) for one in _arguments(server, other, "--max-in-flight", "30")]
        assert command(in_air) == 3
        assert _tasks(other) == first
        assert command(again) == 3
        assert _tasks(run)[: len(first)] == first
        assert len(_tasks(run)) > len(first)
        assert command(["verify", str(run)]) == command(["verify", str(other)]) == 0
        raised = [str(one) for one in _arguments(server, run)]
        capfd.readouterr()
        assert command(raised) == 2
        said = capfd.readouterr().err
        assert re.search(r"saturation_bound: 0\.\d+ → 0\.3; give the same again or a lower", said)
    _check_curve(done.stdout, status)


def _check_curve(said: str, status: dict[str, Any]) -> None:
    rows = re.findall(r"^    answers (\d+)-(\d+) +new +(\d+) of (\d+) ", said, re.MULTILINE)
    spans = [[int(number) for number in row] for row in rows]

    assert len(spans) == 10
    assert [span[0] for span in spans] == [1, *(span[1] + 1 for span in spans[:-1])]
    assert spans[-1][1] <= status["answers"]["generation"]
    assert sum(span[2] for span in spans) == status["kept"]
    assert sum(span[3] for span in spans) == status["candidates"]


def _status(run: Path, capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capfd.readouterr()
    assert command(["status", str(run), "--json"]) == 0
    found: dict[str, Any] = json.loads(capfd.readouterr().out)["status"]
    return found


def test_status_and_report_say_that_and_how_it_dried_up(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    with ModelServer(_poor) as server:
        assert command([str(one) for one in _arguments(server, run)]) == 3
    capfd.readouterr()
    assert command(["status", str(run)]) == 0
    said = capfd.readouterr().out
    assert "unfinished; run generate on it again with a lower --saturation-bound to go on" in said
    assert re.search(r"  saturated: \d+ of the last 60 candidates, in 10 answers, were new", said)
    found = _status(run, capfd)["saturation"]
    assert found["of"] == "instructions"
    assert found["recent"]["accepted"] < 0.3 * found["recent"]["offered"] == 0.3 * 60
    assert command(["report", str(run)]) == 0
    assert "wanted, saturated" in (run / "report.html").read_text("utf-8")


def test_a_model_that_never_writes_a_list_dries_up_at_once(tmp_path: Path) -> None:
    with ModelServer(lambda _body, _number: Reply("I would rather not.")) as unwilling:
        done = asyncgen(*_arguments(unwilling, tmp_path / "run"))

    assert done.returncode == 3
    assert "0 of the last 10 candidates, in 10 answers, were new (0.0%" in done.stderr
    assert done.stderr.rstrip().endswith("--saturation-bound 0")


def test_other_rules_may_dry_a_run_up_that_did_not(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run, new = tmp_path / "run", tmp_path / "new"
    with ModelServer(_poor) as server:
        loose = [str(one) for one in _arguments(server, run, "--threshold", "1")]
        assert command([*loose, "--target", "25"]) == 0
        capfd.readouterr()
        given = ["--threshold", "0.5", "--saturation-window", "2", "--saturation-bound", "0.5"]
        assert command(["refilter", str(run), "--out", str(new), *given]) == 0
        said = re.search(
            r"in 2 answers, were new \(.*; (--saturation-bound [\d.]+) takes it",
            capfd.readouterr().out,
        )
        assert said is not None
        assert command(["verify", str(new)]) == 0
        before = _tasks(new)
        assert command(["generate", str(new), *said[1].split()]) == 3
        assert command(["verify", str(new)]) == 0
    assert _tasks(new)[: len(before)] == before

"""``estimate``: what a run would take, for people and programs, without sending anything."""

from __future__ import annotations

import contextlib
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from support.command import asyncgen
from support.scripts import answer
from support.server import ModelServer, Reply, prompt_of

from asyncgen.cli.app import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTED = ["--endpoint", "https://api.openai.com/v1", "--model", "gpt-4o-mini"]
NAMES = [
    *("target", "tasks", "requests", "input_tokens", "output_tokens", "stages", "cost"),
    *("minutes", "limiting_factor", "spent", "max_cost", "assumptions", "probe"),
]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(lambda body, _number: Reply(answer(prompt_of(body)))) as running:
        yield running


def _said(*arguments: str | Path) -> tuple[int, str, str]:
    """Run the command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["estimate", *map(str, arguments)])
    return code, out.getvalue(), err.getvalue()


def _fields(*arguments: str | Path) -> dict[str, Any]:
    code, out, err = _said(*arguments, "--json")
    assert code == 0, err
    assert out.count("\n") == 1
    fields: dict[str, Any] = json.loads(out)
    return fields


def test_a_program_gets_the_same_names_every_time() -> None:
    fields = _fields(*HOSTED, "--target", "1000", "--rpm", "500", "--max-cost", "100")

    assert list(fields) == NAMES
    assert list(fields["requests"]) == ["generation", "classification", "instances"]
    assert list(fields["cost"]) == ["with_caching", "without_caching"]
    assert 0 < fields["cost"]["with_caching"] < fields["cost"]["without_caching"]
    assert fields["limiting_factor"] == "rpm"
    assert fields["max_cost"] == {"dollars": 100.0, "suffices": True, "tasks": 1000}
    assert fields["probe"] is None


def test_a_person_gets_a_table_that_names_the_limit_and_what_the_budget_buys() -> None:
    code, out, _ = _said(*HOSTED, "--target", "10000", "--tpm", "200000", "--max-cost", "1")

    assert code == 0
    assert out.startswith("for 10,000 tasks:\n")
    for stage in ("generation", "classification", "instances", "in all"):
        assert f"\n  {stage} " in out
    assert "limited by tokens per minute (--tpm)" in out
    assert "--max-cost 1 buys about " in out
    assert "--probe N measures it" in out


def test_without_a_price_the_line_says_how_to_give_one() -> None:
    arguments = ["--endpoint", "http://127.0.0.1:9/v1", "--model", "m"]

    assert _fields(*arguments)["cost"] == {"with_caching": None, "without_caching": None}
    assert "give one as price in [[endpoints]]" in _said(*arguments)[1]


def test_a_price_of_ones_own_counts(tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    price = "{input = 1.0, output = 0.0}"
    config.write_text(f'model = "m"\n[[endpoints]]\nurl = "http://127.0.0.1:9/v1"\nprice = {price}')
    fields = _fields("--config", config)

    assert fields["cost"]["without_caching"] == pytest.approx(
        fields["input_tokens"] / 1e6, rel=1e-3
    )


@pytest.mark.parametrize("endpoint", ["local", "simulated"])
def test_what_runs_on_this_machine_costs_nothing(endpoint: str) -> None:
    assert _fields("--endpoint", endpoint)["cost"]["without_caching"] == 0
    assert "cost   none" in _said("--endpoint", endpoint)[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--probe", "5", *HOSTED], "--probe: needs a RUN_DIR"),
        (["--endpoint", "https://api.openai.com/v1"], "no model named"),
        ([], "no endpoint named"),
        ([*HOSTED, "--target", "0"], "--target 0: must be at least 1"),
        ([*HOSTED, "--max-cost", "-1"], "--max-cost -1.0: must be a positive number"),
        ([*HOSTED, "--probe", "0"], "--probe"),
        ([*HOSTED, "--seeds", "absent.jsonl"], "absent.jsonl: cannot be read"),
        ([*HOSTED, "--config", "absent.toml"], "absent.toml: cannot be read"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments: list[str], said: str) -> None:
    code, out, err = _said(*arguments)

    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert said in err


def test_help_shows_an_example() -> None:
    code, out, _ = _said("--help")

    assert code == 0
    assert "Example: asyncgen estimate --endpoint" in out


def test_nothing_is_sent_and_nothing_written(server: ModelServer, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    fields = _fields(folder, "--endpoint", server.url, "--model", "test-model")

    assert fields["tasks"] == 0
    assert server.bodies == []
    assert not folder.exists()


def test_generate_goes_on_from_a_probe_and_asks_none_of_it_again(
    server: ModelServer, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    given = ["--endpoint", server.url, "--model", "test-model", "--target", "24"]
    probed = asyncgen("estimate", folder, *given, "--probe", "10", "--json")
    asked = len(server.bodies)
    done = asyncgen("generate", folder)

    assert probed.returncode == 0, probed.stderr
    fields = json.loads(probed.stdout)
    assert asked == sum(fields["probe"]["requests"].values()) == 10
    assert fields["assumptions"]["measured_on"] == 10
    assert done.returncode == 0, done.stderr
    assert len((folder / "dataset.jsonl").read_text().splitlines()) == 24
    bodies = [json.dumps(body, sort_keys=True) for body in server.bodies]
    assert len(set(bodies)) == len(bodies)
    assert _fields(folder)["requests"] == {"generation": 0, "classification": 0, "instances": 0}
    assert "nothing is left to do" in _said(folder)[1]


def test_a_probe_that_contradicts_its_run_sends_nothing(
    server: ModelServer, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    given = ["--endpoint", server.url, "--model", "test-model"]
    first = asyncgen("estimate", folder, *given, "--target", "24", "--probe", "2")
    code, _, err = _said(folder, *given, "--target", "30", "--probe", "2")

    assert first.returncode == 0, first.stderr
    assert "go on with: asyncgen generate" in first.stdout
    assert code == 2
    assert "target: 24 → 30" in err
    assert len(server.bodies) == 2


def test_a_probe_that_is_refused_says_why(tmp_path: Path) -> None:
    with ModelServer(key="right") as server:
        given = ["--endpoint", server.url, "--model", "test-model", "--probe", "3"]
        refused = asyncgen("estimate", tmp_path / "run", *given, OPENAI_API_KEY="wrong")

    assert refused.returncode == 2
    assert refused.stdout == ""
    assert "OPENAI_API_KEY" in refused.stderr

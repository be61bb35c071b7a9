"""`--max-cost` over whole runs and sessions: what may be spent is never exceeded."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from simulated.test_command import serving
from support.command import asyncgen

from asyncgen.journal import JournalReader

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

PRICE = "{ input = 2.0, output = 10.0 }"
TARGET = 40


@contextmanager
def priced(folder: Path, *flags: str) -> Generator[Path]:
    """Serve a provider and write settings that name it with a price."""
    with serving("--latency", "0.01", *flags) as (_, url):
        config = folder / "run.toml"
        config.write_text(
            f'target = {TARGET}\n[[endpoints]]\nurl = "{url}"\nmodel = "m"\nprice = {PRICE}\n'
        )
        yield config


def spent(run: Path) -> float:
    """Sum what the answers of a run cost, and attempts before them at the worst."""
    answers = [answer.completion for answer in JournalReader(run / "journal.db")]
    assert all(answer.cost is not None for answer in answers)
    return sum((answer.cost or 0.0) + answer.lost_cost for answer in answers)


@pytest.mark.parametrize("faults", ["", "cut-body=0.2,stall=0.05"])
def test_a_run_stops_within_its_budget_and_goes_on_when_it_is_raised(
    tmp_path: Path, faults: str
) -> None:
    """Also where answers that may have been billed are lost."""
    run = tmp_path / "run"
    with priced(tmp_path, *(("--faults", faults) if faults else ())) as config:
        arguments = ("generate", run, "--config", config, "--stall-timeout", "0.5")
        first = asyncgen(*arguments, "--max-cost", "0.12")

        assert first.returncode == 3, first.stderr
        assert re.search(r"spent \$0\.\d+ of the \$0\.12 allowed", first.stderr)
        assert "raise --max-cost" in first.stderr
        assert "resume with: asyncgen generate" in first.stderr
        assert 0.03 < spent(run) <= 0.12

        second = asyncgen(*arguments, "--max-cost", "0.2")
        assert second.returncode == 3, second.stderr
        assert spent(run) <= 0.2

        last = asyncgen(*arguments, "--max-cost", "500", "--json")
        assert last.returncode == 0, last.stderr
        assert json.loads(last.stdout)["status"]["tasks"] == TARGET


def test_a_budget_needs_a_price(tmp_path: Path) -> None:
    with serving() as (_, url):
        done = asyncgen(
            *("generate", tmp_path / "run", "--endpoint", url, "--model", "m"),
            *("--max-cost", "1"),
        )

    assert done.returncode == 2
    assert "price" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1

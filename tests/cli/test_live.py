"""How an engine at work is told, in lines and on the panel."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.command import environment
from support.scripts import answer
from support.server import ModelServer, Reply, prompt_of

from asyncgen.cli.live import budget, duration, is_noteworthy, live
from asyncgen.engine import EngineSnapshot, LaneSnapshot, LimitSnapshot
from asyncgen.pipeline.control import Report
from asyncgen.records import Usage

if TYPE_CHECKING:
    from pathlib import Path

    from asyncgen.engine.snapshot import LaneState


def lane(state: LaneState = "open", until: float | None = None, why: str = "") -> LaneSnapshot:
    return LaneSnapshot(
        name="https://a.example/v1",
        in_flight=3,
        window=8,
        state=state,
        until=until,
        why=why,
        limits=(LimitSnapshot("input_tokens", 90_000, learned=True, left=1200.0, used=0.951),),
        pace=None,
        answered=1200,
        retried=2,
        rate_limited=1,
    )


def engine(*lanes: LaneSnapshot, max_cost: float | None = None) -> EngineSnapshot:
    return EngineSnapshot(
        in_flight=3,
        backing_off=1,
        answered=1200,
        retried=2,
        rate_limited=1,
        recalled=0,
        possibly_billed=2,
        usage=Usage(),
        spent=0.5,
        in_air=0.25,
        lost=0.01,
        max_cost=max_cost,
        lanes=lanes,
    )


def test_all_that_is_known_of_a_run_at_work_is_told() -> None:
    parked = lane("parked", 7200.0, "no credit left")
    report = Report(process=7, seconds=65.0, stopping=False, engine=engine(parked, max_cost=2.0))
    billed = "2 lost answers possibly billed ($0.0100)"

    assert live(report).splitlines() == [
        "process 7 at work, for 1m05s so far",
        "  in flight 3 · backing off 1 · answered 1,200 · retried 2 · rate limited 1",
        f"  cost $0.5000 of $2.00 · in the air $0.2500 at worst · {billed}",
        "  https://a.example/v1: parked 2h00m (no credit left)",
        "    in flight 3 of 8 · answered 1,200 · retried 2 · rate limited 1",
        "    90,000 input tokens/min (as the endpoint says) · 95% used · 1,200 left",
    ]


def test_a_run_whose_endpoints_are_not_open_yet_says_so() -> None:
    report = Report(process=7, seconds=1.0, stopping=True)

    assert live(report) == (
        "process 7 finishing what is in the air, for 1s so far; its endpoints are not open yet"
    )


@pytest.mark.parametrize(
    ("lanes", "noteworthy"),
    [
        ([lane()], False),
        ([lane("waiting", 0.2)], False),
        ([lane("waiting", 12.0)], True),
        ([lane("broken", 0.2)], True),
        ([lane("parked", None)], True),
        ([lane(), lane()], True),
    ],
)
def test_lanes_are_shown_where_there_are_several_or_one_does_not_work(
    lanes: list[LaneSnapshot], *, noteworthy: bool
) -> None:
    assert is_noteworthy(engine(*lanes)) == noteworthy


def test_a_budget_is_told_only_where_there_is_one() -> None:
    assert (budget(engine()), budget(engine(max_cost=3))) == ("", "$0.5000 of $3.00")


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "?"), (0.2, "0s"), (59.7, "1m00s"), (3720, "1h02m")]
)
def test_a_duration_has_two_units_at_most(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_the_panel_shows_each_endpoint_the_budget_and_the_cost_of_a_task(tmp_path: Path) -> None:
    """On a real terminal, as far as the process can tell."""
    config = tmp_path / "run.toml"

    def slowly(body: dict[str, Any], _number: int) -> Reply:
        # Tasks come over seconds: the panel is drawn four times in each.
        return Reply(answer(prompt_of(body)), delay=0.2)

    with ModelServer(slowly) as first, ModelServer(slowly) as second:
        tables = "".join(
            f'[[endpoints]]\nurl = "{one.url}"\nprice = {{ input = 10.0, output = 10.0 }}\n'
            for one in (first, second)
        )
        config.write_text(f'model = "test-model"\n{tables}', "utf-8")
        shown = _on_a_terminal(
            *("generate", str(tmp_path / "run"), "--config", str(config)),
            *("--target", "24", "--max-cost", "50", "--max-in-flight", "4"),
        )

    assert first.url in shown
    assert second.url in shown
    assert " of $50.00 (" in shown
    assert " a task)" in shown


def _on_a_terminal(*arguments: str) -> str:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "asyncgen", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env=environment(TERM="xterm", COLUMNS="160"),
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:
            pass  # how Linux says that a terminal has no other end
        finally:
            os.close(ours)
    assert process.returncode == 0, shown
    return shown.decode()

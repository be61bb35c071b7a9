"""What a cycle runs, in which order, and what it refuses before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncgen.cli.app import parse
from asyncgen.cycle.cycle import check
from asyncgen.cycle.plan import Plan, read_plan
from asyncgen.cycle.steps import steps
from asyncgen.errors import SettingsError

LOCAL = {"endpoint": ["local"], "target": 5}
HOSTED = {"endpoint": ["http://127.0.0.1:9/v1"], "model": "m", "target": 5}
TUNED = {1: "one", 2: "two"}.__getitem__


def test_the_model_is_judged_before_and_after_each_round() -> None:
    plan = Plan(rounds=2, superni="sn", generate=LOCAL)
    assert [step.name for step in steps(Path("c"), plan, TUNED)] == [
        "base: superni",
        "base: tasks",
        "round 1: generate",
        "round 1: report",
        "round 1: export",
        "round 1: finetune",
        "round 1: superni",
        "round 1: tasks",
        "round 2: generate",
        "round 2: report",
        "round 2: export",
        "round 2: finetune",
        "round 2: superni",
        "round 2: tasks",
    ]


@pytest.mark.parametrize(
    ("generate", "before", "after"),
    [
        (LOCAL, {"endpoint": ["local"]}, {"endpoint": ["local"], "model_path": "one"}),
        (HOSTED, {"model": "m"}, {"model": "one"}),
    ],
)
def test_the_tuned_model_writes_the_next_data_and_is_trained_on_it(
    generate: dict[str, object], before: dict[str, object], after: dict[str, object]
) -> None:
    plan = Plan(rounds=2, generate=generate)
    named = {step.name: step for step in steps(Path("c"), plan, TUNED)}
    (first,) = named["round 1: generate"].files.values()
    (second,) = named["round 2: generate"].files.values()
    assert before.items() <= first.items()
    assert after.items() <= second.items()
    assert "exclude" not in first
    assert second["exclude"] == ["c/round-1/run/dataset.jsonl"]
    trained = named["round 2: finetune"].arguments
    assert trained[trained.index("--model") + 1] == "one"


def test_flags_of_a_table_are_handed_on() -> None:
    plan = Plan(
        superni="sn",
        generate=LOCAL,
        finetune={"full": True, "packing": False, "learning_rate": 1e-4, "form": "chat"},
        evaluate={"instances": 3, "max_output_tokens": 9},
    )
    named = {step.name: " ".join(step.arguments) for step in steps(Path("c"), plan, TUNED)}
    assert "--format chat" in named["round 1: export"]
    assert "--full --learning-rate 0.0001" in named["round 1: finetune"]
    assert "--packing" not in named["round 1: finetune"]
    assert "evaluate superni sn" in named["base: superni"]
    assert "--instances 3 --max-output-tokens 9" in named["base: superni"]
    assert "--instances" not in named["base: tasks"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("rounds = 0", "--rounds 0: must be at least 1"),
        ("round = 2", "unknown field `round`"),
        ("generate = 3", "generate: expected a table"),
        ("[generate]\nendpoint = 'http://x/v1'", "a cycle needs --endpoint local"),
        ("[generate]\ntarket = 3", "tarket"),
        ("[finetune]\nbatsh = 3", "asyncgen finetune local: No such option: --batsh"),
        ("[evaluate]\ninstances = 'many'", "'--instances'"),
    ],
)
def test_what_a_later_step_would_refuse_is_refused_first(
    content: str, message: str, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    path = tmp_path / "cycle.toml"
    path.write_text(content)
    given = {"rounds": None, "superni": "sn", "tasks": None}
    writer = {} if "endpoint" in content else {"endpoint": ["local"]}
    with pytest.raises(SettingsError) as told:
        check(tmp_path, read_plan(path, given, writer), parse)
    assert message in str(told.value)

"""``refilter``: another dataset from the answers already paid for."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

import pytest
from cli.material import json_lines
from cli.runs import arguments, contents
from support.command import asyncgen
from support.server import ModelServer, prompt_of

from asyncgen.cli.app import run as command
from asyncgen.cli.refilter import refilter as refilter_command
from asyncgen.journal import JournalReader
from asyncgen.pipeline.folder import RunFolder
from asyncgen.pipeline.run import empty_fold, load_fold
from asyncgen.settings import DERIVING, resolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Refilter = Callable[..., dict[str, Any]]

PRICED = """
look_ahead = 3
target = 40
seed = 5
threshold = {threshold}
[[endpoints]]
url = "{url}"
model = "test-model"
price = {{ input = 1.0, output = 2.0 }}
"""
"""With so short a look ahead most prompts show tasks of the run's own."""


def _grown(folder: Path, threshold: float) -> Path:
    with ModelServer() as server:
        config = folder / "run.toml"
        config.write_text(PRICED.format(url=server.url, threshold=threshold))
        done = asyncgen("generate", folder / "run", "--config", config)
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run that kept nearly everything."""
    return _grown(tmp_path_factory.mktemp("loose"), 0.7)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run that turned many away."""
    return _grown(tmp_path_factory.mktemp("strict"), 0.55)


@pytest.fixture
def refilter(warm: None, capsys: pytest.CaptureFixture[str]) -> Refilter:
    """Return the command, as a function to its JSON; it must not change the old run."""

    def refiltered(run: Path, out: Path, *more: str | Path) -> dict[str, Any]:
        before = contents(run)
        capsys.readouterr()
        code = command(["refilter", str(run), "--out", str(out), *map(str, more), "--json"])
        assert code == 0, capsys.readouterr().err
        assert contents(run) == before
        assert command(["verify", str(out)]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[0])
        return found

    return refiltered


def _kept(run: Path) -> list[tuple[str, str]]:
    _, fold = load_fold(RunFolder(run))
    return [(draft.id, draft.instruction) for draft in fold.drafts]


def _kept_afresh(run: Path, **changes: object) -> list[tuple[str, str]]:
    """Fold a run's lists of instructions from the start under other settings."""
    settings, _ = load_fold(RunFolder(run))
    given = {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "api": settings.api, **changes}
    fold, _ = empty_fold(resolve({}, given), run / "seeds.jsonl")
    for answer in JournalReader(run / "journal.db"):
        if answer.request.stage == "generation":
            fold.commit(answer)
    return [(draft.id, draft.instruction) for draft in fold.drafts]


def test_the_same_settings_give_the_same_bytes(
    loose: Path, tmp_path: Path, refilter: Refilter
) -> None:
    found = refilter(loose, tmp_path / "new")

    for name in ("dataset.jsonl", "rejected.jsonl"):
        assert (tmp_path / "new" / name).read_bytes() == (loose / name).read_bytes()
    assert found["settings"] == []
    assert found["changes"] == {"unchanged": 40, "changed": 0, "dropped": {}, "added": {}}
    assert found["left_out"] == found["lacking"] == 0


@pytest.mark.parametrize(
    "changes",
    [{"threshold": 0.3}, {"threshold": 0.5}, {"profile": "paper"}, {"threshold": 0.9}],
)
def test_what_is_kept_is_what_a_fresh_run_keeps_of_the_same_answers(
    loose: Path, tmp_path: Path, refilter: Refilter, changes: dict[str, Any]
) -> None:
    flags = [part for name, value in changes.items() for part in (f"--{name}", str(value))]
    found = refilter(loose, tmp_path / "new", *flags)

    assert _kept(tmp_path / "new") == _kept_afresh(loose, **changes)
    assert len(found["settings"]) == 1


def test_a_lower_threshold_drops_what_is_similar_and_keeps_the_rest(
    loose: Path, tmp_path: Path, refilter: Refilter
) -> None:
    found = refilter(loose, tmp_path / "new", "--threshold", "0.4")
    changes = found["changes"]

    assert found["settings"] == ["threshold: 0.7 → 0.4"]
    assert changes["dropped"]["similar"] > 3
    assert changes["unchanged"] + changes["changed"] + sum(changes["dropped"].values()) == 40
    assert found["left_out"] > 0
    done = asyncgen("refilter", loose, "--threshold", "0.4", "--out", tmp_path / "again")
    assert f"dropped: similar {changes['dropped']['similar']}" in done.stdout


def test_what_was_never_asked_is_counted_and_generate_asks_it_alone(
    strict: Path, tmp_path: Path, refilter: Refilter
) -> None:
    new = tmp_path / "new"
    found = refilter(strict, new, "--threshold", "0.9")
    answers = list(JournalReader(new / "journal.db"))
    paid = sum(one.completion.cost or 0 for one in answers)

    assert found["lacking"] > 3
    assert found["waiting"] > 0
    assert found["tasks"] < 40
    assert found["paid"] == pytest.approx(paid)
    assert all(one.completion.recalled for one in answers)
    with ModelServer() as server:
        config = tmp_path / "run.toml"
        config.write_text((new / "settings.toml").read_text().replace(_url(new), server.url))
        # Enough for what is missing, not for what the old run paid as well.
        some = ("--config", config, "--max-cost", str(paid))
        done = asyncgen("generate", new, *some, "--json")
        prompts = [prompt_of(body) for body in server.bodies]
    outcome = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert 0 < outcome["status"]["cost"] <= paid
    assert outcome["status"]["recalled"]["answers"] == len(answers)
    assert len(json_lines((new / "dataset.jsonl").read_bytes())) == 40
    known = {one.request.prompt.variable for one in answers if one.request.stage != "generation"}
    assert prompts
    assert not [prompt for prompt in prompts for one in known if prompt.endswith(f"\n{one}")]
    said = asyncgen("verify", new)
    assert said.returncode == 0
    assert "taken over from another run" in said.stdout


def _url(run: Path) -> str:
    return RunFolder(run).read_settings().endpoints[0].url


def test_excluded_texts_go_and_those_excluded_before_stay_so(
    loose: Path, tmp_path: Path, refilter: Refilter
) -> None:
    texts = [task["instruction"] for task in json_lines((loose / "dataset.jsonl").read_bytes())]
    for number, text in enumerate((texts[3], texts[7])):
        (tmp_path / f"{number}.txt").write_text(text)
    first = refilter(loose, tmp_path / "one", "--exclude", tmp_path / "0.txt")
    second = refilter(tmp_path / "one", tmp_path / "two", "--exclude", tmp_path / "1.txt")
    left = {
        task["instruction"]
        for task in json_lines((tmp_path / "two" / "dataset.jsonl").read_bytes())
    }

    assert first["changes"]["dropped"]["excluded"] >= 1
    assert second["changes"]["dropped"]["excluded"] >= 1
    assert not left & {texts[3], texts[7]}


def test_fewer_instances_and_another_target(
    loose: Path, tmp_path: Path, refilter: Refilter
) -> None:
    found = refilter(loose, tmp_path / "new", "--max-instances", "1", "--target", "30")
    tasks = json_lines((tmp_path / "new" / "dataset.jsonl").read_bytes())

    assert found["settings"] == ["target: 40 → 30", "max_instances: 5 → 1"]
    assert found["changes"]["dropped"] == {"not_reached": 10}
    assert len(tasks) == 30
    assert {len(task["instances"]) for task in tasks} == {1}


def test_every_setting_that_changes_only_what_follows_is_a_flag() -> None:
    others = {"run_dir", "out", "as_json"}

    assert set(inspect.signature(refilter_command).parameters) - others == set(DERIVING)


def test_what_cannot_be_done_is_one_line_and_leaves_nothing_behind(
    loose: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "notes.txt").write_text("mine")
    cases: list[tuple[list[str | Path], str]] = [
        ([loose, "--out", full], f"{full}: not empty; choose another folder"),
        ([loose, "--out", loose], f"{loose}: not empty"),
        ([loose, "--out", full / "notes.txt" / "new"], "cannot be made (Not a directory)"),
        ([tmp_path / "none", "--out", tmp_path / "new"], "no run here"),
        ([loose, "--out", tmp_path / "new", "--threshold", "7"], "must lie in (0, 1]"),
        ([loose, "--out", tmp_path / "new", "--target", "0"], "--target 0: must be at least 1"),
        ([loose, "--out", tmp_path / "new", "--exclude", tmp_path / "no"], "cannot be read"),
        ([loose, "--out", tmp_path / "new", "--seed", "3"], "--seed"),
        ([loose], "--out"),
    ]
    for given, said in cases:
        capsys.readouterr()
        assert command(["refilter", *map(str, given)]) == 2
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        assert said in line
        assert {one.name for one in tmp_path.iterdir()} == {"full"}
    assert (full / "notes.txt").read_text() == "mine"


def test_a_run_that_is_not_finished_can_be_refiltered(tmp_path: Path, refilter: Refilter) -> None:
    run = tmp_path / "run"
    with ModelServer() as server:
        done = asyncgen("estimate", *arguments(server, run)[1:], "--probe", "20")
        assert done.returncode == 0, done.stderr
        found = refilter(run, tmp_path / "new", "--threshold", "0.6")
        assert found["tasks"] < found["target"]
        assert asyncgen("generate", tmp_path / "new").returncode == 0
    assert command(["verify", str(tmp_path / "new")]) == 0

"""Finetuning by a service with OpenAI's interface, on loopback."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import orjson
import pytest
from finetune.api import ENDED, KEY, MODEL, Api, Fault
from finetune.material import write_rows
from support.command import start

from asyncgen.cli.app import run
from asyncgen.errors import (
    CorpusError,
    EndpointRefusedError,
    ExportError,
    RunFolderError,
    RunPausedError,
    SettingsError,
    TrainingError,
)
from asyncgen.finetune.hosted import tune_hosted
from asyncgen.finetune.hosting import Hosted, Hosting, Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS: list[dict[str, Any]] = [
    {
        "messages": [
            {"role": "user", "content": f"How much is {number} and {number}?"},
            {"role": "assistant", "content": str(2 * number)},
        ]
    }
    for number in range(12)
]


@pytest.fixture
def chats(tmp_path: Path) -> Path:
    """A file of twelve examples."""
    return write_rows(tmp_path / "chats.jsonl", ROWS)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def wanted(api: Api, chats: Path, **changes: Any) -> Hosting:
    settings = Hosting(
        data=str(chats), model=MODEL, out=str(chats.parent / "out"), base_url=api.url, poll=0.01
    )
    return msgspec.structs.replace(settings, **changes)


def events_of(hosted: Hosted) -> list[str]:
    lines = Path(hosted.events).read_bytes().splitlines()
    return [orjson.loads(line)["message"] for line in lines]


def ledger_of(hosting: Hosting) -> Ledger:
    return msgspec.json.decode((Path(hosting.out) / "job.json").read_bytes(), type=Ledger)


EVENTS = [
    "Created fine-tuning job",
    "Fine-tuning job started",
    "Step 1: training loss=0.50",
    "Step 2: training loss=0.40",
    "Step 3: training loss=0.33",
    "The job has successfully completed",
]


def test_a_job_is_made_and_followed_to_the_models_name(chats: Path) -> None:
    said: list[str] = []
    with Api() as api:
        hosted = tune_hosted(wanted(api, chats, suffix="mine"), said.append)
    assert hosted.model == f"ft:{MODEL}:org-test::2"
    assert hosted.trained_tokens == 1234
    assert hosted.examples == len(ROWS)
    assert events_of(hosted) == EVENTS
    assert [one for one in said if one in EVENTS] == EVENTS
    assert [file["content"] for file in api.files.values()] == [chats.read_bytes()]
    (order,) = api.orders
    assert order["suffix"] == "mine"
    assert order["seed"] == 42
    hyperparameters = {"hyperparameters": {"n_epochs": 2}}
    assert order["method"] == {"type": "supervised", "supervised": hyperparameters}


def test_a_job_that_is_done_is_not_asked_for_again(chats: Path) -> None:
    with Api() as api:
        hosting = wanted(api, chats)
        hosted = tune_hosted(hosting)
        count = len(api.requests)
        assert tune_hosted(hosting) == hosted
        assert len(api.requests) == count


def test_the_server_is_one_that_openais_own_client_understands(chats: Path) -> None:
    """What these tests rest on, looked at by the library of those who make the interface."""
    import openai

    with Api() as api, openai.OpenAI(base_url=api.url, api_key=KEY, max_retries=0) as client:
        file = client.files.create(file=(chats.name, chats.read_bytes()), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(
            model=MODEL, training_file=file.id, metadata={"asyncgen": "x"}
        )
        while client.fine_tuning.jobs.retrieve(job.id).status != "succeeded":
            pass
        assert client.fine_tuning.jobs.retrieve(job.id).fine_tuned_model
        told = [event.message for event in client.fine_tuning.jobs.list_events(job.id, limit=2)]
        assert told == EVENTS[::-1]
        assert [one.id for one in client.fine_tuning.jobs.list(metadata={"asyncgen": "x"})] == [
            job.id
        ]
        assert not list(client.fine_tuning.jobs.list(metadata={"asyncgen": "y"}))
        with pytest.raises(openai.NotFoundError):
            client.fine_tuning.jobs.create(model="gpt-0", training_file=file.id)


def on(method: str, path: str, fault: Fault, times: int = 1) -> Callable[..., Fault | None]:
    """Return a fault of the first requests of a kind."""
    left = [times]

    def decide(asked: str, where: str, _: int) -> Fault | None:
        if asked == method and where.endswith(path) and left[0]:
            left[0] -= 1
            return fault
        return None

    return decide


@pytest.mark.parametrize("forgets", [0, 2])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(503),
        Fault(0, after=True),
        Fault(429, headers={"retry-after": "0"}),
        Fault(504, after=True),
    ],
)
@pytest.mark.parametrize("path", ["/files", "/fine_tuning/jobs"])
def test_a_lost_answer_makes_no_second_file_and_no_second_job(
    chats: Path, path: str, fault: Fault, forgets: int
) -> None:
    """Also where the list of jobs does not show the newest at once."""
    with Api(on("POST", path, fault), forgets=forgets) as api:
        hosted = tune_hosted(wanted(api, chats))
    assert len(api.files) == 1
    assert len(api.jobs) == 1
    assert hosted.job in api.jobs


@pytest.mark.parametrize("status", [500, 502, 503, 429, 0])
def test_what_fails_in_passing_is_asked_again(chats: Path, status: int) -> None:
    def every_fourth(_method: str, _path: str, number: int) -> Fault | None:
        return Fault(status) if number % 4 == 1 else None

    with Api(every_fourth) as api:
        hosted = tune_hosted(wanted(api, chats))
    assert len(api.jobs) == 1
    assert events_of(hosted) == EVENTS


def test_a_service_that_stays_away_leaves_a_job_to_be_followed_later(chats: Path) -> None:
    faults: list[Fault] = []

    def gone(method: str, path: str, _: int) -> Fault | None:
        return faults[0] if faults and "ftjob" in path else None

    with Api(gone, waits=True) as api:
        hosting = wanted(api, chats, poll=0.002)
        faults.append(Fault(500))
        with pytest.raises(RunPausedError, match="HTTP 500") as caught:
            tune_hosted(hosting)
        assert caught.value.exit_code == 3
        faults.clear()
        api.let_go()
        assert events_of(tune_hosted(hosting)) == EVENTS
    assert len(api.jobs) == 1


def test_no_credit_is_a_pause(chats: Path) -> None:
    fault = Fault(429, code="insufficient_quota")
    with Api(on("POST", "/jobs", fault)) as api:
        with pytest.raises(RunPausedError, match="no credit"):
            tune_hosted(wanted(api, chats))
        assert tune_hosted(wanted(api, chats)).model.startswith("ft:")
    assert len(api.files) == len(api.jobs) == 1


@pytest.mark.parametrize(
    ("knows", "left"),
    [
        (frozenset({"method", "seed"}), {"method", "seed"}),
        (frozenset({"seed", "metadata"}), {"hyperparameters", "seed", "metadata"}),
        (frozenset[str](), {"hyperparameters"}),
    ],
)
def test_a_service_that_knows_less_is_asked_for_less(
    chats: Path, knows: frozenset[str], left: set[str]
) -> None:
    """And a job without its mark is found by its file."""
    with Api(on("POST", "/jobs", Fault(500, after=True)), knows=knows) as api:
        tune_hosted(wanted(api, chats))
    assert len(api.jobs) == 1
    (order,) = api.orders
    assert set(order) == {"model", "training_file"} | left


def test_a_failed_job_is_told_with_its_reason(chats: Path) -> None:
    with Api(ends="failed") as api:
        with pytest.raises(TrainingError, match="failed: The job failed due to an invalid"):
            tune_hosted(wanted(api, chats))
        with pytest.raises(TrainingError, match="failed"):
            tune_hosted(wanted(api, chats))
    assert len(api.jobs) == 1


def test_a_job_can_be_cancelled(chats: Path) -> None:
    with Api(waits=True) as api:
        with pytest.raises(TrainingError, match="was cancelled"):
            tune_hosted(wanted(api, chats), cancel=True)
        assert [job["status"] for job in api.jobs.values()] == ["cancelled"]


def test_refusals_say_what_to_mend_and_do_not_quote_the_key(
    chats: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Api() as api:
        with pytest.raises(EndpointRefusedError, match="'gpt-0' does not exist"):
            tune_hosted(wanted(api, chats, model="gpt-0", out=str(chats.parent / "other")))
        monkeypatch.setenv("OTHER_KEY", "sk-wrong-and-secret")
        with pytest.raises(EndpointRefusedError, match=r"the key in \$OTHER_KEY") as caught:
            tune_hosted(wanted(api, chats, api_key_env="OTHER_KEY"))
        assert "secret" not in str(caught.value)
        monkeypatch.delenv("OTHER_KEY")
        with pytest.raises(EndpointRefusedError, match=r"no key in \$OTHER_KEY"):
            tune_hosted(wanted(api, chats, api_key_env="OTHER_KEY"))


def test_data_that_openai_would_refuse_is_refused_before_anything_is_sent(chats: Path) -> None:
    with Api() as api:
        few = write_rows(chats.parent / "few.jsonl", ROWS[:9])
        with pytest.raises(ExportError, match="9 examples, and OpenAI trains on 10 or more"):
            tune_hosted(wanted(api, few))
        empty = {"messages": [ROWS[0]["messages"][0], {"role": "assistant", "content": " "}]}
        bad = write_rows(chats.parent / "bad.jsonl", [*ROWS, empty])
        with pytest.raises(CorpusError, match=r"bad\.jsonl:13: empty content"):
            tune_hosted(wanted(api, bad))
        with pytest.raises(SettingsError, match="--base-url"):
            tune_hosted(wanted(api, chats, base_url="api.openai.com"))
        assert not api.requests


def test_other_settings_are_refused_and_named(chats: Path) -> None:
    with Api(waits=True) as api:
        hosting = wanted(api, chats)
        with pytest.raises(TrainingError):
            tune_hosted(hosting, cancel=True)
        with pytest.raises(RunFolderError, match="epochs: 2 → 3"):
            tune_hosted(msgspec.structs.replace(hosting, epochs=3))


@pytest.mark.timeout(180)
def test_killed_again_and_again_it_follows_one_job_to_its_end(chats: Path) -> None:
    """SIGKILL to real processes at every request that one makes until its job runs."""
    with Api(waits=True) as api:
        hosting = wanted(api, chats)
        arguments: list[str | Path] = [
            "finetune",
            "openai",
            chats,
            "--model",
            MODEL,
            "--out",
            hosting.out,
        ]
        options = ["--base-url", api.url, "--poll", "0.01"]
        for kills in range(1, 5):
            already = len(api.requests)
            with start(*arguments, *options, OPENAI_API_KEY=KEY) as process:
                try:
                    while len(api.requests) < already + 2 * kills:
                        assert process.poll() is None, process.communicate()
                        time.sleep(0.001)
                finally:
                    process.kill()
            assert process.returncode == -signal.SIGKILL
        api.let_go()
        hosted = tune_hosted(hosting)
    assert len(api.files) == 1
    assert len(api.jobs) == 1
    assert len(set(events_of(hosted))) == len(events_of(hosted))
    assert events_of(hosted)[:2] == EVENTS[:2]
    assert ledger_of(hosting).job == hosted.job


@pytest.fixture(params=[signal.default_int_handler, signal.SIG_IGN], ids=["", "in background"])
def ctrl_c(request: pytest.FixtureRequest) -> Iterator[None]:
    """A script's children behind it ignore Ctrl-C from their start."""
    before = signal.signal(signal.SIGINT, request.param)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.timeout(120)
def test_ctrl_c_leaves_the_job_and_says_how_to_follow_it(chats: Path) -> None:
    with Api(waits=True) as api:
        hosting = wanted(api, chats)
        arguments: list[str | Path] = [
            "finetune",
            "openai",
            chats,
            "--model",
            MODEL,
            "--out",
            hosting.out,
        ]
        options = ["--base-url", api.url, "--poll", "0.01"]
        with start(*arguments, *options, OPENAI_API_KEY=KEY) as process:
            try:
                while not any(path.endswith("/events") for _, path in api.requests):
                    assert process.poll() is None, process.communicate()
                    time.sleep(0.001)
                process.send_signal(signal.SIGTERM)
                _, said = process.communicate()
            finally:
                process.kill()
        assert process.returncode == 128 + signal.SIGTERM
        assert "follow it with: asyncgen finetune openai" in said
        assert "Traceback" not in said
        assert KEY not in said
        assert [job["status"] in ENDED for job in api.jobs.values()] == [False]


def test_the_command_prints_the_models_name(
    chats: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Api() as api:
        command = ["finetune", "openai", str(chats), "--model", MODEL, "--base-url", api.url]
        command += ["--poll", "0.01", "--out", str(chats.parent / "out")]
        assert run(command) == 0
        assert capsys.readouterr().out == f"ft:{MODEL}:org-test::2\n"
        assert run([*command, "--json"]) == 0
        told = orjson.loads(capsys.readouterr().out)
        assert told["model"] == f"ft:{MODEL}:org-test::2"
        assert told["outcome"] == "done"

"""SuperNI is asked as Tk-Instruct asks it, and an evaluation survives whatever ends it."""

from __future__ import annotations

import json
import random
import signal
import time
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import pytest
from evaluate.material import SUPERNI
from seeds.material import lines_of, needs_paper
from support.command import start
from support.server import ModelServer, Reply, prompt_of

from asyncgen.cli.app import run
from asyncgen.errors import CorpusError
from asyncgen.evaluate.question import requests_for
from asyncgen.evaluate.superni import chosen_names, questions_of, read_tasks
from asyncgen.records import Sampling

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Evaluate: TypeAlias = "Callable[..., tuple[int, str, str]]"

TASKS: dict[str, dict[str, Any]] = {
    "task1_sizes": {
        "Categories": ["Word Analogy"],
        "Definition": ["Name the opposite of the size"],
        "Positive Examples": [
            {"input": "small", "output": "large", "explanation": "they are opposites"},
            {"input": "wide!", "output": "narrow.", "explanation": ""},
        ],
        "Instances": [
            {"id": f"size-{number}", "input": f"size {number} ", "output": ["Tall", "big"]}
            for number in range(8)
        ],
    },
    "task2_titles": {
        "Categories": ["Title Generation"],
        "Definition": ["Give the text a title."],
        "Positive Examples": [],
        "Instances": [
            {"id": f"title-{number}", "input": f"text {number}", "output": ["the running dogs"]}
            for number in range(8)
        ],
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "tasks"
    made.mkdir()
    for name, task in TASKS.items():
        (made / f"{name}.json").write_text(json.dumps(task), "utf-8")
    return made


def _answered(body: dict[str, Any]) -> str:
    """Return the right size in other letters, and every other title half right."""
    prompt = prompt_of(body)
    if "size" in prompt:
        return " BIG! "
    return "a runner and a dog" if int(prompt.split("text ")[-1].split(".")[0]) % 2 else "dogs"


def _model(body: dict[str, Any], _number: int) -> Reply:
    return Reply(_answered(body))


def _slowly(body: dict[str, Any], number: int) -> Reply:
    return Reply(_answered(body), delay=random.Random(number).uniform(0.05, 0.15))


def _command(server: ModelServer, folder: Path, out: Path, *more: str) -> list[str | Path]:
    asked = ("evaluate", "superni", folder, "--endpoint", server.url, "--model", "test-model")
    return [*asked, "--out", out, *more]


@pytest.fixture
def evaluate(capsys: pytest.CaptureFixture[str]) -> Evaluate:
    """Return the command in this process, as a function to exit code, output and errors."""

    def command(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([str(one) for one in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def _files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("*") if path.stem in _RESULTS}


_RESULTS = {"predictions", "scores"}


def test_a_prompt_is_tk_instruct_s_text(folder: Path) -> None:
    """Full stops where there is no punctuation, its odd blanks, and nothing after "Output:"."""
    tasks = read_tasks(folder, ["task1_sizes"])

    (zero_shot, *_), (shown, *_) = (
        questions_of(tasks, examples=count, instances=1) for count in (0, 2)
    )

    last = "Now complete the following example -\nInput: size 0.\nOutput:"
    assert zero_shot.shared + zero_shot.own == (
        f"Definition: Name the opposite of the size.\n\n{last}"
    )
    assert shown.shared + shown.own == (
        "Definition: Name the opposite of the size.\n\n"
        " Positive Example 1 -\nInput: small.\n Output: large.\n\n"
        " Positive Example 2 -\nInput: wide!\n Output: narrow.\n\n" + last
    )
    assert shown.references == ("Tall", "big")


def test_completions_share_a_beginning_and_others_get_one_message(folder: Path) -> None:
    questions = questions_of(read_tasks(folder), examples=0, instances=2)
    sampling = Sampling(temperature=0.0)
    completions = requests_for(questions, "completions", sampling)
    chats = requests_for(questions, "chat", sampling)

    for completion, chat in zip(completions, chats, strict=True):
        assert completion.prompt.fixed + completion.prompt.variable == chat.prompt.variable
        assert not chat.prompt.fixed
    assert len({one.prompt.fixed for one in completions}) == 2


def test_tasks_are_chosen_by_a_list_or_a_file_and_what_is_no_task_is_named(
    folder: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "test_tasks.txt"
    listed.write_text("task2_titles\n\ntask1_sizes.json\n", "utf-8")

    assert chosen_names("task1_sizes,task2_titles") == ["task1_sizes", "task2_titles"]
    assert chosen_names(str(listed)) == ["task2_titles", "task1_sizes"]
    with pytest.raises(CorpusError, match="absent"):
        read_tasks(folder, ["absent"])
    with pytest.raises(CorpusError, match="has 0 positive examples, not 1"):
        questions_of(read_tasks(folder, ["task2_titles"]), examples=1, instances=1)
    (folder / "other.json").write_text('{"Definition": "x"}', "utf-8")
    with pytest.raises(CorpusError, match=r"other\.json: not a SuperNI task"):
        read_tasks(folder)


@needs_paper
def test_real_tasks_are_read_and_begin_with_those_for_tests() -> None:
    tasks = read_tasks(SUPERNI)
    questions = questions_of(tasks, examples=0, instances=100)

    assert [one.category for one in tasks] == [
        "Cause Effect Classification",
        "Data to Text",
        "Coreference Resolution",
        "Data to Text",
    ]
    assert len(questions) == 400
    assert all(one.references for one in questions)


def test_scores_are_means_over_answers_by_the_metric_of_each_category(
    evaluate: Evaluate, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with ModelServer(_model) as server:
        code, said, _ = evaluate(*_command(server, folder, out, "--json"))

    assert code == 0
    assert all(body["temperature"] == 0 for body in server.bodies)
    assert all(body["max_tokens"] == 128 for body in server.bodies)
    (found,) = msgspec.json.decode(said)["models"]
    groups = {(one["kind"], one["name"]): one for one in found["groups"]}
    # "BIG!" equals "big"; stems run, dog of "the running dogs": "dogs" 2·1/(1+3), the other
    # "a runner and a dog", whose "runner" is no "run", 2·1/(5+3).
    titles = (0.5 + 0.25) / 2
    assert groups["category", "Word Analogy"]["metric"] == "exact_match"
    assert groups["category", "Word Analogy"]["exact_match"] == 1.0
    assert groups["task", "task2_titles"]["metric"] == "rouge_l"
    assert groups["task", "task2_titles"]["rouge_l"] == pytest.approx(titles)
    assert groups["all", ""]["rouge_l"] == pytest.approx((1 + titles) / 2)
    interval = groups["all", ""]["rouge_l_interval"]
    assert interval["low"] < groups["all", ""]["rouge_l"] < interval["high"]
    assert (out / "scores.svg").read_text("utf-8").count("<circle") == 5
    assert "| **all** | 16 | ROUGE-L | 68.8 [" in (out / "scores.md").read_text("utf-8")
    rows = lines_of(out / "predictions.jsonl")
    assert [row["id"] for row in rows] == [
        one["id"] for task in TASKS.values() for one in task["Instances"]
    ]
    assert rows[0]["prediction"] == "BIG!"


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_killed_in_the_middle_it_goes_on_to_the_same_scores_and_asks_nothing_twice(
    evaluate: Evaluate, folder: Path, tmp_path: Path
) -> None:
    out, undisturbed = tmp_path / "out", tmp_path / "undisturbed"
    with ModelServer(_slowly) as server:
        command = _command(server, folder, out, "--max-in-flight", "2")
        with start(*command) as process:
            _wait_until(lambda: len(server.bodies) >= 8)
            process.send_signal(signal.SIGKILL)
        assert not (out / "predictions.jsonl").exists()
        resumed, _, _ = evaluate(*command)
        asked = [prompt_of(body) for body in server.bodies]
        again, _, _ = evaluate(*command)
        asked_again = len(server.bodies) - len(asked)
        whole, _, _ = evaluate(*_command(server, folder, undisturbed))

    assert resumed == again == whole == 0
    assert asked_again == 0
    assert len(set(asked)) == 16
    # What was in the air at the kill was never written down.
    assert len(asked) <= 16 + 2
    assert len(_files(out)) >= 5
    assert _files(out) == _files(undisturbed)


def test_interrupted_it_says_how_to_go_on_and_writes_no_score(
    evaluate: Evaluate, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with ModelServer(_slowly) as server:
        command = _command(server, folder, out, "--max-in-flight", "2")
        with start(*command) as process:
            _wait_until(lambda: len(server.bodies) >= 4)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=40)
        asked = len(server.bodies)
        resumed, _, _ = evaluate(*command)

    assert process.returncode == 130
    assert "resume with: asyncgen evaluate superni" in said
    assert resumed == 0
    assert asked < len(server.bodies) == 16


def test_a_folder_of_other_terms_or_questions_is_refused(
    evaluate: Evaluate, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with ModelServer(_model) as server:
        first, _, _ = evaluate(*_command(server, folder, out))
        otherwise = evaluate(*_command(server, folder, out, "--instances", "3"))
        changed = json.loads((folder / "task1_sizes.json").read_text("utf-8"))
        changed["Instances"][0]["input"] = "another size"
        (folder / "task1_sizes.json").write_text(json.dumps(changed), "utf-8")
        other_file = evaluate(*_command(server, folder, out))
        asked = len(server.bodies)

    assert (first, otherwise[0], other_file[0]) == (0, 2, 2)
    assert "instances: 100 → 3" in otherwise[2]
    assert "questions_sha256" in other_file[2]
    assert asked == 16


def test_answers_of_a_shared_cache_are_not_asked_for_again(
    evaluate: Evaluate, folder: Path, tmp_path: Path
) -> None:
    cache = str(tmp_path / "cache")
    with ModelServer(_model) as server:
        first, _, _ = evaluate(*_command(server, folder, tmp_path / "one", "--cache", cache))
        second, _, _ = evaluate(*_command(server, folder, tmp_path / "two", "--cache", cache))

    assert first == second == 0
    assert len(server.bodies) == 16
    assert _files(tmp_path / "one") == _files(tmp_path / "two")


def test_what_a_model_will_never_answer_counts_as_an_empty_answer(
    evaluate: Evaluate, folder: Path, tmp_path: Path
) -> None:
    too_long = {"error": {"code": "context_length_exceeded", "message": "too long"}}

    def refusing(body: dict[str, Any], number: int) -> Reply:
        if "size 3" in prompt_of(body):
            return Reply(status=400, body=json.dumps(too_long).encode())
        return _model(body, number)

    with ModelServer(refusing) as server:
        code, said, _ = evaluate(*_command(server, folder, tmp_path / "out", "--json"))

    assert code == 0
    (found,) = msgspec.json.decode(said)["models"]
    assert found["failed"] == 1
    assert found["groups"][2]["exact_match"] == pytest.approx(7 / 8)


def test_what_refuses_for_good_ends_it_with_one_line(
    evaluate: Evaluate, folder: Path, tmp_path: Path
) -> None:
    with ModelServer(_model, model="another") as server:
        code, _, said = evaluate(*_command(server, folder, tmp_path / "out"))
    absent, _, why = evaluate("evaluate", "superni", tmp_path / "absent", "--endpoint", "simulated")

    assert code == absent == 2
    assert said.count("\n") == why.count("\n") == 1
    assert "unknown model 'test-model'" in said
    assert "not a folder of SuperNI tasks" in why


def test_endpoints_of_several_models_are_no_one_model(
    evaluate: Evaluate, folder: Path, tmp_path: Path
) -> None:
    config = tmp_path / "two.toml"
    config.write_text(
        """
        [[endpoints]]
        url = "http://127.0.0.1:1/v1"
        model = "one"
        [[endpoints]]
        url = "http://127.0.0.1:2/v1"
        model = "other"
        """,
        "utf-8",
    )

    code, _, said = evaluate("evaluate", "superni", folder, "--config", config)

    assert code == 2
    assert "one evaluation is of one model, not of one, other" in said

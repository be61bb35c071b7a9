"""Our everyday tasks keep what their README promises, and are asked as the paper asks its own."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
import re
import sqlite3
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from evaluate.material import PREDICTIONS, USER_TASKS
from rapidfuzz.distance import LCSseq
from seeds.material import SEEDS, lines_of, needs_paper, paper_texts
from support.server import ModelServer, Reply, prompt_of

from asyncgen.cli.app import run
from asyncgen.errors import CorpusError
from asyncgen.evaluate.usertasks import OWN_TASKS, ask_tasks, read_user_tasks

if TYPE_CHECKING:
    from pathlib import Path

ROWS = lines_of(SEEDS / OWN_TASKS)
BY_APP = {row["motivation_app"]: row for row in ROWS}


def given(app: str) -> str:
    return str(BY_APP[app]["instances"][0]["input"])


def expected(app: str) -> str:
    return str(BY_APP[app]["instances"][0]["output"])


def tokens_of(text: str) -> list[str]:
    return re.findall("[a-z0-9]+", text.lower())


def too_alike(one: list[str], other: list[str]) -> bool:
    return 2 * LCSseq.similarity(one, other) > 0.7 * (len(one) + len(other))


def test_there_are_more_than_a_hundred_for_more_than_sixty_applications() -> None:
    assert len(ROWS) >= 100
    assert len({row["motivation_app"] for row in ROWS}) >= 60
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert list(row) == ["id", "motivation_app", "instruction", "instances"]
        (instance,) = row["instances"]
        assert list(instance) == ["input", "output"]
        assert all(text == text.strip() for text in (row["instruction"], *instance.values()))
        assert instance["output"]
        assert row["instruction"]


def test_none_resembles_another_or_a_task_that_runs_start_from() -> None:
    ours = [tokens_of(row["instruction"]) for row in ROWS]
    files = ("seed_tasks", "classification_decisions", "input_first", "output_first")
    shown = [
        tokens_of(row["instruction"]) for name in files for row in lines_of(SEEDS / f"{name}.jsonl")
    ]

    assert not any(too_alike(one, other) for one, other in combinations(ours, 2))
    assert not any(too_alike(one, other) for one in ours for other in shown)


@needs_paper
def test_none_resembles_a_task_of_the_paper() -> None:
    instructions, _ = paper_texts()
    theirs = [tokens_of(text) for text in instructions]

    assert len(theirs) == 175 + 252
    assert not any(
        too_alike(tokens_of(row["instruction"]), other) for row in ROWS for other in theirs
    )


def test_outputs_have_many_forms() -> None:
    def form(text: str) -> str:
        for name, pattern in (
            ("table", r"^\| "),
            ("json", r"^[\[{]"),
            ("list", r"^(- |\d[.)] )"),
            ("code", r"[;{}\\]|^ {2,}\w"),
            ("lines", r"\n"),
        ):
            if re.search(pattern, text, re.MULTILINE):
                return name
        return "sentence"

    counts = Counter(form(row["instances"][0]["output"]) for row in ROWS)

    assert set(counts) == {"table", "json", "list", "code", "lines", "sentence"}
    assert max(counts.values()) < 0.5 * len(ROWS)


def test_queries_give_what_was_asked_for() -> None:
    database = sqlite3.connect(":memory:")
    database.executescript(given("DBeaver"))
    database.executemany(
        "INSERT INTO loans VALUES (?, ?, ?, '2026-01-01', ?)",
        [
            (1, "B", "x", None),
            (2, "A", "y", None),
            (3, "A", "z", None),
            (4, "C", "x", "2026-02-01"),
        ],
    )
    assert database.execute(expected("DBeaver")).fetchall() == [("A", 2), ("B", 1)]
    database.executescript(
        "CREATE TABLE departments (id, name); CREATE TABLE employees (id, name, department_id);"
        "INSERT INTO departments VALUES (1, 'IT'), (2, 'Ops');"
        "INSERT INTO employees VALUES (1, 'Ana', 1);"
    )
    assert database.execute(expected("Metabase")).fetchall() == [("Ops",)]
    database.close()


def test_numbers_dates_and_codes_are_right() -> None:
    clock = re.compile(expected("regex101"))
    times = [f"{hour:02d}:{minute:02d}" for hour in range(100) for minute in range(100)]
    days = dt.date(2026, 3, 30) - dt.date(2025, 11, 17)
    network = ipaddress.ip_network("192.168.4.0/22")

    assert sum(bool(clock.search(one)) for one in times) == 24 * 60
    assert expected("Countdown timer") == f"{days.days} days; Monday"
    assert dt.date(2026, 3, 30).strftime("%A") == "Monday"
    assert base64.b64decode(given("CyberChef")).decode()[::-1] == expected("CyberChef")
    assert f"First host: {network[1]}, last host: {network[-2]}" in expected("Wireshark")
    assert expected("Bank calculator").endswith(f"{1200 * 1.03**2:,.2f}")
    assert json.loads(expected("Airtable"))[2]["Due"] == "2026-05-02"
    assert json.loads(expected("LinkedIn Recruiter"))["years"] == 4
    assert json.loads(expected("Swagger"))["required"] == ["name", "age", "tags"]
    assert len(expected("GitHub")) <= 50
    assert len(expected("Stack Exchange")) <= 70
    assert len(expected("Hemingway Editor").split()) <= 25
    assert len(expected("Outlook").split()) <= 60
    assert all(len(line) < 40 for line in expected("Mailchimp").splitlines())
    assert all(len(line) <= 32 for line in expected("Netflix Subtitles").splitlines())


def _seconds(mark: str) -> float:
    hours, minutes, seconds = mark.replace(",", ".").split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def test_subtitles_are_shifted_by_as_much_as_was_asked_for() -> None:
    marks = [re.findall(r"\d\d:\d\d:\d\d,\d{3}", text("VLC")) for text in (given, expected)]

    assert len(marks[0]) == 4
    for before, after in zip(*marks, strict=True):
        assert _seconds(after) - _seconds(before) == pytest.approx(1.5)


@needs_paper
def test_the_paper_s_tasks_are_asked_as_its_published_answers_say() -> None:
    """Each prompt is that of the predictions, letter by letter but for blanks at the ends."""
    _, questions = ask_tasks(USER_TASKS)
    published = [row["prompt"] for row in lines_of(PREDICTIONS[0])]

    assert len(questions) == 252
    assert sum("\n\nInput: " in one.own for one in questions) == 208
    assert sum(_even(one.own) in map(_even, published) for one in questions) == 252


def _even(prompt: str) -> str:
    return re.sub(r"\s+", " ", prompt).strip()


def test_answers_are_written_as_raters_read_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    def reply(body: dict[str, Any], _number: int) -> Reply:
        return Reply(f" said of {len(prompt_of(body))} ")

    with ModelServer(reply) as server:
        command = ["evaluate", "tasks", "--endpoint", server.url, "--model", "test-model"]
        assert run([*command, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    rows = lines_of(out / "responses.jsonl")
    prompts = {prompt_of(body) for body in server.bodies}

    assert all(body["max_tokens"] == 1024 for body in server.bodies)
    assert [row["id"] for row in rows] == [row["id"] for row in ROWS]
    assert list(rows[0]) == [
        *("id", "motivation_app", "instruction", "input", "reference", "model", "response")
    ]
    for row, task in zip(rows, ROWS, strict=True):
        between = f"\n\nInput: {row['input']}\n" if row["input"] else "\n"
        prompt = f"{row['instruction']}{between}Output:"
        assert prompt in prompts
        assert row["response"] == f"said of {len(prompt)}"
        assert row["reference"] == task["instances"][0]["output"]
        assert row["model"] == "test-model"
    assert f"| **all** | {len(ROWS)} | ROUGE-L |" in said


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"id": "a", "instruction": "x"}', "not a task"),
        ('{"id": "a", "instruction": " ", "instances": []}', "the instruction is empty"),
        ('{"id": "a", "instruction": "x", "instances": []}', "no instance with an output"),
        ("", "holds no task"),
    ],
)
def test_a_file_of_no_tasks_is_refused(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text(line + "\n", "utf-8")

    with pytest.raises(CorpusError, match=problem):
        read_user_tasks(path)

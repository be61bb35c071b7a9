"""What OpenAI documents of its training data, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tiktoken
from dataset.material import AWKWARD, example_task, many

from asyncgen.dataset.bundle import Plan, arrange
from asyncgen.dataset.export import write_files
from asyncgen.dataset.formats import FORMATS
from asyncgen.dataset.openai import MOST_BYTES, offence_in_file, offence_in_row
from asyncgen.errors import ExportError

if TYPE_CHECKING:
    from pathlib import Path

USER = {"role": "user", "content": "Name a river."}
ASSISTANT = {"role": "assistant", "content": "The Rhine."}


@pytest.mark.parametrize(
    ("messages", "rule"),
    [
        ([USER, ASSISTANT], None),
        ([{"role": "system", "content": "s"}, USER, ASSISTANT], None),
        ([], "no messages"),
        (None, "no messages"),
        ([USER], "last message is not the assistant's"),
        ([USER, ASSISTANT, USER], "last message is not the assistant's"),
        ([USER, {"role": "assistant", "content": " \n"}], "empty content"),
        ([{"role": "user", "content": ""}, ASSISTANT], "empty content"),
        ([USER, {"role": "assistant", "content": None}], "empty content"),
        ([{"role": "human", "content": "x"}, ASSISTANT], "unknown role"),
        ([{"role": "user"}, ASSISTANT], "message without role and content, or with more"),
        ([{**USER, "id": "1"}, ASSISTANT], "message without role and content, or with more"),
        (
            [USER, {"role": "assistant", "content": "x" * 1000}],
            "may have more than 1,000 tokens",
        ),
    ],
)
def test_rules_of_an_example(messages: Any, rule: str | None) -> None:
    assert offence_in_row({"messages": messages}, 1000) == rule


@pytest.mark.parametrize(
    ("name", "rows", "size", "rule"),
    [
        ("a.jsonl", 10, MOST_BYTES, None),
        ("a.jsonl", 9, 100, "9 examples, and OpenAI trains on 10 or more"),
        ("a.json", 10, 100, "OpenAI takes files whose name ends in .jsonl"),
        ("a.jsonl.gz", 10, 100, "OpenAI takes files whose name ends in .jsonl"),
        ("a.jsonl", 10, MOST_BYTES + 1, "512,000,001 bytes, and OpenAI takes 512,000,000"),
    ],
)
def test_rules_of_a_file(name: str, rows: int, size: int, rule: str | None) -> None:
    found = offence_in_file(name, rows, size, for_training=True)

    assert found is None if rule is None else (found or "").startswith(rule)


def test_a_validation_file_may_be_small() -> None:
    assert offence_in_file("a.jsonl", 1, 100, for_training=False) is None


def test_no_tokenizer_makes_more_tokens_than_are_reckoned_with() -> None:
    """The byte-level encoding that every one of OpenAI's falls back to makes the most there are."""
    bytes_only = tiktoken.Encoding(
        "bytes",
        pat_str=r"[\s\S]",
        mergeable_ranks={bytes([n]): n for n in range(256)},
        special_tokens={},
    )
    row = {"messages": [{"role": "user", "content": AWKWARD}, ASSISTANT]}
    tokens = sum(len(bytes_only.encode(message["content"])) for message in row["messages"])

    assert offence_in_row(row, tokens) is not None
    assert offence_in_row(row, tokens + 3 * 8) is None


def test_what_breaks_a_rule_is_left_out_and_counted() -> None:
    tasks = [*many(20), example_task("task_99_0", "Long.", [("", "x" * 2000)] * 1)]
    bundle = arrange(tasks, Plan(FORMATS["openai"], most_tokens=1000))

    assert bundle.dropped == {"may have more than 1,000 tokens": 1}
    assert bundle.rows == sum(len(task.instances) for task in tasks) - 1


def test_too_few_examples_are_refused_with_what_was_left_out(tmp_path: Path) -> None:
    tasks = [example_task(f"task_{n}_0", f"Say {n}.", [("", "x" * 2000)]) for n in range(7)]
    bundle = arrange([*many(4), *tasks], Plan(FORMATS["openai"], most_tokens=1000))
    out = tmp_path / "train.jsonl"
    with pytest.raises(ExportError) as caught:
        write_files(bundle, FORMATS["openai"], out)

    assert str(caught.value) == (
        f"{out}: 7 examples, and OpenAI trains on 10 or more; "
        "left out 7 (may have more than 1,000 tokens)"
    )
    assert list(tmp_path.iterdir()) == []

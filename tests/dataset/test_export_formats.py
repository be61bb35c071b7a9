"""Each format's rows."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from dataset.material import AWKWARD, example_task, many, seed_task

from asyncgen.dataset import json_line
from asyncgen.dataset.bundle import Plan, arrange
from asyncgen.dataset.formats import FORMATS, Style
from asyncgen.dataset.prompt_completion import WITH_INPUT, WITHOUT_INPUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.dataset.examples import Origin

BOTH = example_task(instances=[("of Asia", "The Ob."), ("", "The Rhine.")])


def rows_of(tasks: Sequence[Origin], name: str, **style: Any) -> list[dict[str, Any]]:
    return arrange(tasks, Plan(FORMATS[name], Style(**style))).splits["train"]


def test_jsonl_is_a_task_a_row_as_the_run_writes_it() -> None:
    (row,) = rows_of([BOTH], "jsonl")

    assert json.dumps(row) == json.dumps(json.loads(json_line(BOTH)))


def test_a_seed_has_the_fields_of_a_task_and_says_nothing_in_some() -> None:
    row, seed = rows_of([BOTH, seed_task()], "jsonl")

    assert list(seed) == list(row)
    assert list(seed["instances"]) == [{"input": "b a", "output": "a b"}]
    assert seed["provenance"] is seed["most_similar"] is None


def test_alpaca_has_its_three_fields_an_instance_a_row() -> None:
    assert rows_of([BOTH], "alpaca") == [
        {"instruction": "Name a river.", "input": "of Asia", "output": "The Ob."},
        {"instruction": "Name a river.", "input": "", "output": "The Rhine."},
    ]


@pytest.mark.parametrize("name", ["chat", "openai"])
def test_chat_says_what_the_system_the_user_and_the_assistant_say(name: str) -> None:
    first, second = rows_of([BOTH], name, system="Be brief.")

    assert first["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Name a river.\n\nof Asia"},
        {"role": "assistant", "content": "The Ob."},
    ]
    assert second["messages"][1]["content"] == "Name a river."
    assert [one["role"] for one in rows_of([BOTH], name)[0]["messages"]] == ["user", "assistant"]


def test_chat_completion_keeps_the_answer_apart() -> None:
    assert rows_of([BOTH], "chat-completion")[0] == {
        "prompt": [{"role": "user", "content": "Name a river.\n\nof Asia"}],
        "completion": [{"role": "assistant", "content": "The Ob."}],
    }


def test_sharegpt_speaks_of_human_and_gpt() -> None:
    assert rows_of([BOTH], "sharegpt", system="Be brief.")[1] == {
        "conversations": [
            {"from": "system", "value": "Be brief."},
            {"from": "human", "value": "Name a river."},
            {"from": "gpt", "value": "The Rhine."},
        ]
    }


def test_columns_tell_the_row_its_task_and_its_origin() -> None:
    rows = rows_of([seed_task(), BOTH], "parquet")

    assert [(row["id"], row["task"], row["is_seed"]) for row in rows] == [
        ("seed_1:0", "seed_1", True),
        ("task_0_0:0", "task_0_0", False),
        ("task_0_0:1", "task_0_0", False),
    ]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_no_character_is_lost_or_changed(name: str) -> None:
    task = example_task(instruction=AWKWARD, instances=[(AWKWARD, AWKWARD)])
    (row,) = rows_of([task], name, templates="plain")

    assert str(json.loads(json.dumps(row))).count(str([AWKWARD])[1:-1][1:-1]) == 3


# The paper's encoding ------------------------------------------------------------------------


def _encoded(*, with_input: bool) -> set[tuple[str, str]]:
    given = "x" if with_input else ""
    task = example_task(instruction="I", instances=[(given, "o")])
    return {
        (row["prompt"], row["completion"])
        for seed in range(300)
        for row in rows_of([task], "prompt-completion", seed=seed)
    }


def test_with_an_input_there_are_the_papers_seven_templates() -> None:
    assert _encoded(with_input=True) == {
        ("I\nInput: x\nOutput:", " o<|endoftext|>"),
        ("I\n\nInput: x\n\nOutput:", " o<|endoftext|>"),
        ("Task: I\nInput: x\nOutput:", " o<|endoftext|>"),
        ("I\n\nx\n\nOutput:", " o<|endoftext|>"),
        ("I\n\nx\n\n", "o<|endoftext|>"),
        ("I\nx\n\n", "o<|endoftext|>"),
        ("Task: I\n\nx\n\n", "o<|endoftext|>"),
    }


def test_without_an_input_there_are_the_papers_six_templates() -> None:
    assert _encoded(with_input=False) == {
        ("I Output:", " o<|endoftext|>"),
        ("I\nOutput:", " o<|endoftext|>"),
        ("I\n\nOutput:", " o<|endoftext|>"),
        ("I\n", "o<|endoftext|>"),
        ("I\n\n", "o<|endoftext|>"),
        ("Task: I\n\n", "o<|endoftext|>"),
    }


def test_every_template_is_drawn_about_as_often() -> None:
    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for number in range(4000):
        given = "x" if number % 2 else ""
        task = example_task(f"task_{number}_0", "I", [(given, "o")])
        (row,) = rows_of([task], "prompt-completion")
        counts[bool(given)][row["prompt"]] += 1

    assert (len(WITH_INPUT), len(WITHOUT_INPUT)) == (7, 6)
    for with_input, expected in ((True, 2000 / 7), (False, 2000 / 6)):
        assert all(abs(count - expected) < 0.25 * expected for count in counts[with_input].values())


@pytest.mark.parametrize(
    ("given", "tidied"),
    [
        ("Text: a river\n\na lake", "a river\na lake"),
        ("Text: a\nText: b", "a\nText: b"),  # one distinct name, twice
        ("City: Bonn\nRiver: Rhine\n\nend", "City: Bonn\nRiver: Rhine\nend"),  # two names
        ("no name\n\nhere", "no name\nhere"),
    ],
)
def test_half_of_the_inputs_lose_a_single_field_name_and_double_line_ends(
    given: str, tidied: str
) -> None:
    seen: Counter[str] = Counter()
    for seed in range(400):
        (row,) = rows_of([example_task(instances=[(given, "o")])], "prompt-completion", seed=seed)
        seen[tidied if given not in row["prompt"] else given] += 1
        assert given in row["prompt"] or tidied in row["prompt"]

    assert abs(seen[given] - 200) < 50


def test_plain_is_one_template_and_no_chance() -> None:
    task = example_task(instances=[("Text: a\n\nb", "o"), ("", "p")])
    rows = {
        json.dumps(rows_of([task], "prompt-completion", templates="plain", end="", seed=seed))
        for seed in range(20)
    }

    assert [json.loads(one) for one in rows] == [
        [
            {"prompt": "Name a river.\n\nText: a\n\nb\n\n", "completion": "o"},
            {"prompt": "Name a river.\n\n\n\n", "completion": "p"},
        ]
    ]


def test_what_a_row_draws_depends_on_its_own_name_alone() -> None:
    tasks = many(40)
    mixed = random.Random(0).sample(tasks, 25)
    apart = [row for task in mixed for row in rows_of([task], "prompt-completion")]

    assert rows_of(mixed, "prompt-completion") == apart
    assert {str(row) for row in apart} <= {str(row) for row in rows_of(tasks, "prompt-completion")}


# Order and duplicates ------------------------------------------------------------------------


def test_shuffling_is_the_seeds_and_changes_the_order_only() -> None:
    tasks = many(50)
    orders = [
        arrange(tasks, Plan(FORMATS["alpaca"], Style(seed=seed), shuffle=True)).splits["train"]
        for seed in (1, 1, 2)
    ]
    plain = rows_of(tasks, "alpaca")

    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != plain
    assert sorted(map(str, orders[0])) == sorted(map(str, plain))


def test_rows_that_remain_keep_their_order_when_others_come() -> None:
    def shuffled(count: int) -> list[dict[str, Any]]:
        return arrange(many(count), Plan(FORMATS["alpaca"], shuffle=True)).splits["train"]

    few = shuffled(30)
    assert [row for row in shuffled(60) if row in few] == few


def test_a_row_that_equals_another_is_left_out_and_counted() -> None:
    tasks = [example_task("task_0_0"), example_task("task_1_0"), example_task("task_2_0", "Else.")]
    bundle = arrange(tasks, Plan(FORMATS["alpaca"]))

    assert (bundle.rows, bundle.duplicates, bundle.tasks) == (2, 1, 3)
    assert arrange(tasks, Plan(FORMATS["parquet"])).duplicates == 0

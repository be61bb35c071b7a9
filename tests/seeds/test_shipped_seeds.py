"""The seeds that ship with the package keep what their README promises."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from rapidfuzz.distance import LCSseq
from seeds.material import SEEDS, lines_of, needs_paper, paper_texts

from asyncgen.pipeline.judging import JudgedInstance
from asyncgen.pipeline.profiles import profile_of
from asyncgen.pipeline.profiles.values import first_offence
from asyncgen.pipeline.recipes.evol import operations
from asyncgen.pipeline.seeds import packaged, read_block, read_few_shot, read_seed_tasks
from asyncgen.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

FILES = (
    *("seed_tasks", "classification_decisions", "input_first", "output_first", "operations"),
    "judgements",
)
TASKS = read_seed_tasks(SEEDS / "seed_tasks.jsonl", at_least=200)
FEW_SHOT = read_few_shot()


def tokens_of(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def alike(one: list[str], other: list[str]) -> bool:
    """Whether two token lists exceed ROUGE-L 0.7 of each other."""
    total = len(one) + len(other)
    if min(len(one), len(other)) * 2 <= 0.7 * total:
        return False
    return 2 * LCSseq.similarity(one, other) > 0.7 * total


def too_alike(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    texts: dict[str, list[str]] = {}

    def tokens(text: str) -> list[str]:
        return texts.setdefault(text, tokens_of(text))

    return [(one, other) for one, other in pairs if alike(tokens(one), tokens(other))]


def test_tasks_have_the_fields_of_the_original_and_a_category() -> None:
    for row in lines_of(SEEDS / "seed_tasks.jsonl"):
        assert set(row) == {
            "id",
            "name",
            "category",
            "instruction",
            "instances",
            "is_classification",
        }
        assert all(set(instance) == {"input", "output"} for instance in row["instances"])


def test_there_are_two_hundred_tasks_or_more_with_one_instance_each() -> None:
    assert len(TASKS) >= 200
    assert {len(task.instances) for task in TASKS} == {1}


def test_ids_and_names_are_unique_and_nothing_is_blank() -> None:
    assert len({task.id for task in TASKS}) == len({task.name for task in TASKS}) == len(TASKS)
    for task in TASKS:
        texts = (task.id, task.name, task.category, task.instruction, task.instances[0].output)
        assert all(text.strip() == text != "" for text in texts), task.id


def test_about_fifteen_percent_are_classification_with_many_labels() -> None:
    labels = [task.instances[0].output for task in TASKS if task.is_classification]

    assert 0.12 <= len(labels) / len(TASKS) <= 0.18
    assert len({label.casefold() for label in labels}) >= 10
    assert max(len(label.split()) for label in labels) <= 4


def test_the_readme_counts_the_tasks_by_category() -> None:
    text = (SEEDS / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| ([^|`]+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    promised = {name.strip(): (int(tasks), int(labelled)) for name, tasks, labelled in rows}
    every = Counter(task.category for task in TASKS)
    labelled = Counter(task.category for task in TASKS if task.is_classification)

    assert promised == {name: (count, labelled[name]) for name, count in every.items()}
    for name in FILES:
        lines = len(lines_of(SEEDS / f"{name}.jsonl"))
        assert f"| `{name}.jsonl` | {lines} |" in text


def test_no_two_instructions_are_alike() -> None:
    assert too_alike(combinations([task.instruction for task in TASKS], 2)) == []


def test_every_instruction_passes_the_rules_for_generated_ones() -> None:
    rules = profile_of(Settings()).instruction_rules

    assert {
        one.id: found for one in TASKS if (found := first_offence(rules, one.instruction))
    } == {}


def test_instructions_begin_with_many_different_words() -> None:
    first = Counter(tokens_of(task.instruction)[0] for task in TASKS)

    assert len(first) >= 60
    assert first.most_common(1)[0][1] <= 0.06 * len(TASKS)


def test_there_are_thirty_decisions_or_more_of_both_kinds() -> None:
    kinds = Counter(one.is_classification for one in FEW_SHOT.decisions)

    assert kinds.total() >= 30
    assert min(kinds.values()) >= 10


def test_there_are_eleven_input_first_tasks_or_more_with_one_to_three_instances() -> None:
    counts = Counter(len(task.instances) for task in FEW_SHOT.input_first)

    assert counts.total() >= 11
    assert set(counts) == {1, 2, 3}


def test_there_are_sixteen_output_first_tasks_or_more_with_several_labels_each() -> None:
    labels = [
        frozenset(instance.output for instance in task.instances) for task in FEW_SHOT.output_first
    ]

    assert len(labels) >= 16
    assert min(map(len, labels)) >= 2
    assert len(set(labels)) >= 5


def test_some_input_first_tasks_need_no_input() -> None:
    assert any(task.instances[0].input == "" for task in FEW_SHOT.input_first)


def test_no_two_few_shot_instructions_are_alike() -> None:
    shown = [one.instruction for one in FEW_SHOT.decisions]
    shown += [one.instruction for one in (*FEW_SHOT.input_first, *FEW_SHOT.output_first)]

    assert too_alike(combinations(shown, 2)) == []


def all_texts() -> list[str]:
    """Return every text of every file."""
    worked = [(one.instruction, one.instances) for one in TASKS]
    for block in (FEW_SHOT.input_first, FEW_SHOT.output_first):
        worked += [(one.instruction, one.instances) for one in block]
    texts = [one.instruction for one in FEW_SHOT.decisions]
    for one in read_block("judgements.jsonl", JudgedInstance):
        texts += [one.instruction, one.input, one.output]
    for way in operations():
        texts.append(way.change)
        texts += [text for one in way.examples for text in (one.instruction, one.rewritten)]
    for instruction, instances in worked:
        texts.append(instruction)
        texts += [text for one in instances for text in (one.input, one.output)]
    return texts


def test_no_value_looks_like_a_field_of_a_prompt() -> None:
    """Parsers split at field names at the beginning of a line."""
    field = re.compile(
        r"^\s*(?:Task|Input|Output|Label|Classification|Example)\s*\d*\s*:",
        re.IGNORECASE | re.MULTILINE,
    )

    assert [text for text in all_texts() if field.search(text)] == []


def test_every_instruction_stands_on_one_line() -> None:
    assert [task.id for task in TASKS if len(task.instruction.splitlines()) != 1] == []


def test_the_package_finds_the_files() -> None:
    for name in FILES:
        assert packaged(f"{name}.jsonl").read_bytes() == (SEEDS / f"{name}.jsonl").read_bytes()


def test_a_file_that_does_not_ship_is_not_found() -> None:
    with pytest.raises(FileNotFoundError, match="no_such"):
        packaged("no_such.jsonl")


@needs_paper
def test_no_instruction_is_alike_to_a_seed_or_an_evaluation_task_of_the_paper() -> None:
    theirs, _ = paper_texts()

    assert len(theirs) == 175 + 252
    assert too_alike((task.instruction, other) for task in TASKS for other in theirs) == []


@needs_paper
def test_no_sentence_of_six_words_or_more_is_taken_from_the_paper() -> None:
    _, texts = paper_texts()
    theirs = " | ".join(" ".join(tokens_of(text)) for text in texts)
    sentences = (
        " ".join(tokens_of(sentence))
        for text in all_texts()
        for sentence in re.split(r"(?<=[.!?:;])\s|\n", text)
    )
    taken = [one for one in sentences if len(one.split()) >= 6 and one in theirs]

    assert taken == []

"""The default profile's rules on what models and people really wrote, and what only looks like it.

That each rule finds its offence stands in ``list_cases`` and ``instance_cases``.
"""

from __future__ import annotations

from typing import Any

import pytest
from seeds.material import PAPER, SEEDS, lines_of, needs_paper

from asyncgen.pipeline.profiles import profile_of
from asyncgen.pipeline.profiles.degeneration import repeats_itself
from asyncgen.pipeline.profiles.instruction_rules import leaked_template, mixed_in_task
from asyncgen.pipeline.profiles.refusals import asks_for_input, declines, speaks_of_itself
from asyncgen.pipeline.profiles.values import first_offence
from asyncgen.records import Instance
from asyncgen.settings import Settings

PROFILE = profile_of(Settings())


def _faults(instance: Instance, instruction: str) -> list[str]:
    rules = PROFILE.instance_rules
    return [reason for reason, rule in rules if rule(instance, instruction) is not None]


@pytest.mark.parametrize(
    "text",
    [
        "Name four long rivers",
        "Name two rivers of Asia twice",
        "Imagine a graphic novel and summarise its profile.",
        "Rewrite a program note for a concert.",
        "Answer with one label: good, bad or mixed.",
        "Say hello, say goodbye, then say hello again in French.",
        "Explain how an AI language model works to a child.",
        "As an AI assistant, how would you calm an angry customer?",
        "Pretend that you are an AI and write a page of your diary.",
        "Reply to: I'm sorry, but I can't make it to the party tonight.",
        "I can't access my bank account since Monday. What should I do?",
        "I don't have access to my locker. Write to the caretaker.",
        "Rank these: 1. Apples. 2. Pears. 3. Plums.",
        "Add 3, 5. Then divide by 2. What is left?",
        "Say what happened in 2016. Use two sentences.",
        "Generate an identifier of the form XXXXXXXX-XXXX-4XXX-YXXX-XXXXXXXXXXXX.",
    ],
)
def test_what_only_looks_like_an_offence_passes(text: str) -> None:
    assert first_offence(PROFILE.instruction_rules, text) is None


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that.",
        "I\u2019m sorry, but I can\u2019t help with that request.",
        "I cannot fulfill this request.",
        "Sorry, I can't help you with that.",
        "Unfortunately, I cannot open links.",
        "I am unable to view images.",
        "I do not have the ability to play audio.",
        "I don't have access to real-time data, so I cannot say.",
        "As an AI language model, I do not have personal preferences.",
        "I'm sorry, but as an AI language model, I cannot browse the internet.",
        "As a large language model, I'm not able to do so.",
        "I am just an AI and cannot eat food.",
        "I won't generate that content.",
    ],
)
def test_refusals_are_known_in_the_wordings_of_models(text: str) -> None:
    assert declines(text) or speaks_of_itself(text)
    assert _faults(Instance("", text), "Do it.") == ["output_refuses"]


@pytest.mark.parametrize(
    "text",
    [
        "I'm so sorry. I can't make it on time.",
        "Dear customer, I cannot help laughing at that.",
        "I cannot provide for my family.",
        "Please provide your email address so that we can send the receipt.",
        "No information.",
    ],
)
def test_people_who_decline_are_no_models_that_refuse(text: str) -> None:
    assert not _faults(Instance("", text), "Do it.")


@pytest.mark.parametrize(
    "text",
    [
        "Please provide the text that you would like me to summarise.",
        "Could you please provide the sentence you want translated?",
        "Sure! Please provide the article so I can summarize it.",
        "I'm sorry, but there is no text provided.",
        "You haven't provided any text.",
    ],
)
def test_asking_for_the_input_is_no_worked_example(text: str) -> None:
    assert asks_for_input(text)
    assert _faults(Instance("", text), "Do it.") == ["output_asks_for_input"]
    assert not _faults(Instance("A customer sends no article.", text), "Do it.")


@pytest.mark.parametrize(
    "text",
    [
        "Name four rivers. 10. Name four lakes.",
        'Name a river called "Don." 10. Name four lakes.',
        "Is it far? 11. Sing a song.",
    ],
)
def test_a_next_task_in_the_same_line_is_found(text: str) -> None:
    found = mixed_in_task(text)

    assert found is not None
    assert found[:2].isdigit()


@pytest.mark.parametrize(
    "text",
    [
        "Name a river.<|im_end|>",
        "[INST] Name a river. [/INST]",
        "Name a river. Output: the Rhine",
        "### Instruction\nName a river.",
        "Continue with tasks 9 to 16 of it.",
    ],
)
def test_a_leaked_template_is_found(text: str) -> None:
    assert leaked_template(text)


def test_letters_in_a_loop_are_found_and_lines_are_not() -> None:
    assert repeats_itself("Well, " + "ha" * 30) == "ha"
    assert repeats_itself("Name\n" + "-" * 60 + "\n" + "_" * 60) is None
    assert repeats_itself("A third is 0.333333333333333333333333.") is None


def test_a_word_found_is_named_as_it_stands() -> None:
    assert first_offence(PROFILE.instruction_rules, "Describe the PICTURE in words.") == (
        "blacklisted",
        "PICTURE",
    )


def _pairs(rows: list[dict[str, Any]]) -> list[tuple[Instance, str]]:
    return [
        (Instance(one["input"].strip(), one["output"].strip()), row["instruction"])
        for row in rows
        for one in row["instances"]
    ]


def test_of_our_own_examples_none_is_faulty() -> None:
    rows = lines_of(SEEDS / "seed_tasks.jsonl") + lines_of(SEEDS / "input_first.jsonl")

    assert [_faults(*pair) for pair in _pairs(rows) if _faults(*pair)] == []


@needs_paper
def test_of_what_people_wrote_hardly_anything_falls_to_the_rules() -> None:
    rows = lines_of(PAPER / "seed_tasks.jsonl")
    pairs = _pairs(rows + lines_of(PAPER / "user_oriented_instructions.jsonl"))
    faults = [fault for pair in pairs for fault in _faults(*pair)]

    assert len(pairs) == 427
    assert sorted(faults) == ["ends_with_colon"] * 4 + ["output_repetitive"]


@needs_paper
def test_of_what_an_untuned_model_ran_on_to_write_hardly_anything_passes() -> None:
    rows = lines_of(PAPER / "predictions" / "davinci_predictions.jsonl")
    pairs = [
        (Instance(row["input"].strip(), row["response"].strip()), row["instruction"])
        for row in rows
    ]

    assert len(pairs) == 252
    assert sum(not _faults(*pair) for pair in pairs) == 2

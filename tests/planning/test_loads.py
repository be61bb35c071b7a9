"""What a request takes: by the real prompts, then by what came back."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

import msgspec
import pytest
from planning.material import settings_for

from asyncgen.pipeline.prompts import PromptBook
from asyncgen.pipeline.seeds import packaged, read_few_shot, read_seed_tasks
from asyncgen.planning.loads import FIRST_TOKEN, KINDS, SPEED, Material, calibrated, loads_of
from asyncgen.planning.tally import Tally, tally_of
from asyncgen.planning.tokens import prompt_tokens, tokens_in
from asyncgen.records import Answer, Completion, Prompt, Request, Usage

if TYPE_CHECKING:
    from asyncgen.settings import Settings

SEEDS = read_seed_tasks(packaged("seed_tasks.jsonl"), at_least=8)
MATERIAL = Material(SEEDS, read_few_shot())


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("abcd" * 10, 10), ("naïf", 1), ("слово", 2.5), ("漢字かな", 4), ("한글 ab", 2.75)],
)
def test_a_token_holds_fewer_characters_of_other_scripts(text: str, tokens: float) -> None:
    assert tokens_in(text) == pytest.approx(tokens)


def test_messages_have_a_frame_and_completions_none() -> None:
    turns = (("a" * 8, "b" * 4),)

    assert prompt_tokens(Prompt("f" * 40, "v" * 4, turns)) == (10 + 2 + 1 + 1 + 4 * 4, 13 + 3 * 4)
    assert prompt_tokens(Prompt("f" * 40, "v" * 4, api="completions")) == (11, 10)


@pytest.mark.parametrize("api", ["chat", "completions", "anthropic"])
def test_the_fixed_part_is_what_all_prompts_of_a_kind_begin_with(api: str) -> None:
    settings = settings_for(api=api)
    loads = loads_of(settings, MATERIAL)
    prompts = PromptBook(settings, MATERIAL.few_shot)
    texts = {
        "classification": [prompts.classification("", one.instruction) for one in SEEDS],
        "input_first": [
            prompts.instances("", one.instruction, is_classification=False) for one in SEEDS
        ],
        "output_first": [
            prompts.instances("", one.instruction, is_classification=True) for one in SEEDS
        ],
    }

    for kind in KINDS[1:4]:
        written = [
            one.prompt.fixed + "".join(map("".join, one.prompt.turns)) + one.prompt.variable
            for one in texts[kind]
        ]
        alike = takewhile(lambda column: len(set(column)) == 1, zip(*written, strict=False))
        common = "".join(column[0] for column in alike).removesuffix("Task: ")
        frames = 0 if api == "completions" else 4 * (1 + 2 * len(texts[kind][0].prompt.turns))
        assert loads[kind].fixed_tokens == pytest.approx(tokens_in(common) + frames, abs=0.5)
        assert loads[kind].input_tokens > loads[kind].fixed_tokens


def test_an_answer_is_never_taken_to_be_longer_than_it_may_be() -> None:
    settings = settings_for()
    short = msgspec.structs.replace(settings.generation, max_output_tokens=50)
    load = loads_of(msgspec.structs.replace(settings, generation=short), MATERIAL)["generation"]

    assert load.output_tokens == 50
    assert load.seconds == FIRST_TOKEN + 50 / SPEED


def test_more_tasks_a_request_make_longer_answers() -> None:
    few, many = (
        loads_of(msgspec.structs.replace(settings_for(), tasks_per_request=count), MATERIAL)
        for count in (4, 8)
    )

    assert many["generation"].output_tokens == pytest.approx(2 * few["generation"].output_tokens)


def _answered(settings: Settings, count: int, usage: Usage, seconds: float) -> list[Answer]:
    prompts = PromptBook(settings, MATERIAL.few_shot)
    requests: list[Request] = [
        prompts.instances(f"task_{number}", SEEDS[number].instruction, is_classification=False)
        for number in range(count)
    ]
    return [
        Answer(one, Completion(text="x", finish_reason="stop", usage=usage, seconds=seconds))
        for one in requests
    ]


def test_without_answers_the_guess_stands() -> None:
    loads = loads_of(settings_for(), MATERIAL)

    assert calibrated(loads, Tally()) == loads


def test_tokens_and_seconds_follow_what_an_endpoint_reports() -> None:
    settings = settings_for()
    loads = loads_of(settings, MATERIAL)
    answers = _answered(settings, 100, Usage(3000, 400), seconds=9.0)
    tally = tally_of(answers, ())
    found = calibrated(loads, tally)
    scale = 300_000 / tally.of("input_first").reckoned_tokens

    for kind in KINDS[:4]:
        # The same tokenizer reads all prompts.
        assert found[kind].input_tokens == pytest.approx(loads[kind].input_tokens * scale)
        assert found[kind].fixed_tokens == pytest.approx(loads[kind].fixed_tokens * scale)
    assert found["input_first"].seconds == 9.0
    assert found["input_first"].output_tokens == pytest.approx(400, rel=0.01)
    slower = 9.0 / loads["input_first"].seconds
    assert found["generation"].seconds == pytest.approx(loads["generation"].seconds * slower)
    # The other kind of its stage is longer too, another stage's answers need not be.
    longer = found["output_first"].output_tokens / loads["output_first"].output_tokens
    assert longer == pytest.approx(400 / loads["input_first"].output_tokens, rel=0.05)
    assert found["generation"].output_tokens == loads["generation"].output_tokens


def test_failures_and_answers_without_usage_are_not_taken_for_measurements() -> None:
    settings = settings_for()
    request = _answered(settings, 1, Usage(), 0.0)[0].request
    answers = [
        Answer(request, Completion(text="no", finish_reason="error", seconds=50.0, lost_cost=0.25)),
        Answer(request, Completion(text="x", finish_reason="stop", seconds=3.0, cost=0.5)),
    ]
    tally = tally_of(answers, ())

    assert tally.answers == 2
    assert tally.cost == 0.75
    assert tally.of("input_first").counted == 0
    assert (tally.of("input_first").timed, tally.of("input_first").seconds) == (1, 3.0)


def test_answers_from_a_cache_tell_tokens_but_neither_time_nor_cost() -> None:
    asked = _answered(settings_for(), 10, Usage(3000, 400), seconds=9.0)
    replace = msgspec.structs.replace
    paid = [replace(one, completion=replace(one.completion, cost=0.5)) for one in asked]
    known = [replace(one, completion=replace(one.completion, recalled=True)) for one in paid]
    sums = tally_of(known, ()).of_all()

    assert (sums.counted, sums.input_tokens, sums.output_tokens) == (10, 30_000, 4000)
    assert (sums.timed, sums.seconds) == (0, 0)
    assert (tally_of(paid, ()).cost, tally_of(known, ()).cost) == (5, 0)


def test_instances_of_classification_tasks_are_told_apart() -> None:
    answers = _answered(settings_for(), 3, Usage(10, 1), 1.0)
    tally = tally_of(answers, {"task_1"})

    assert tally.of("output_first").counted == 1
    assert tally.of("input_first").counted == 2
    assert tally.of_all().input_tokens == 30

"""Answers: the same for the same request, and such that the pipeline can use them."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import Any

import orjson
import pytest
from msgspec import structs
from support.simulation import answered

from asyncgen.endpoints.simulated.answers import answer_to
from asyncgen.endpoints.simulated.buckets import Usage
from asyncgen.endpoints.simulated.chance import mixed
from asyncgen.endpoints.simulated.dialects import Asked, Complaint, answer_body, read_request
from asyncgen.endpoints.simulated.prefixes import PrefixCache
from asyncgen.endpoints.simulated.tasks import instruction
from asyncgen.pipeline.judging import read_verdicts
from asyncgen.pipeline.profiles import profile_of
from asyncgen.pipeline.profiles.pruning import prune
from asyncgen.pipeline.profiles.values import first_offence
from asyncgen.pipeline.prompts import PromptBook
from asyncgen.pipeline.recipes.lists import numbering
from asyncgen.pipeline.seeds import packaged, read_few_shot, read_seed_tasks
from asyncgen.settings import Settings, resolve
from asyncgen_kernels import Pool

SEEDS = read_seed_tasks(packaged("seed_tasks.jsonl"), at_least=8)
FORMS = [
    {"api": "chat"},
    {"api": "completions"},
    {"api": "anthropic"},
    {"api": "chat", "continues": True},
    {"profile": "paper"},
    {"profile": "paper", "api": "chat"},
]


def settings(**changes: Any) -> Settings:
    return resolve({"endpoint": "http://127.0.0.1:1/v1", "model": "m"}, changes)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_generation_request_gets_the_numbers_that_it_asks_for(form: dict[str, Any]) -> None:
    wanted = settings(**form, tasks_per_request=5)
    book, profile = PromptBook(wanted, read_few_shot()), profile_of(wanted)
    completion = answered(book.generation(3, [seed.instruction for seed in SEEDS[:8]]))
    items = profile.split(completion, numbering(wanted))
    texts = [profile.normalise(text) for text in items.texts]

    assert completion.finish_reason == "stop"
    assert len(texts) == 5
    assert len(set(texts)) == 5
    assert [first_offence(profile.instruction_rules, text) for text in texts] == [None] * 5


def test_a_list_that_is_cut_off_says_so() -> None:
    book = PromptBook(settings(), read_few_shot())
    request = book.generation(0, [seed.instruction for seed in SEEDS[:8]])
    shorter = structs.replace(request.sampling, max_output_tokens=20)
    completion = answered(structs.replace(request, sampling=shorter))

    assert completion.finish_reason == "length"
    assert len(completion.text) == 80


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_seeds_are_classified_as_their_authors_did(form: dict[str, Any]) -> None:
    wanted = settings(**form)
    book, profile = PromptBook(wanted, read_few_shot()), profile_of(wanted)
    for seed in SEEDS:
        completion = answered(book.classification("task_1", seed.instruction))
        assert profile.read_decision(completion, 0.0) is seed.is_classification
        assert (completion.choice_logprobs is not None) == (form == {"api": "completions"})


@pytest.mark.parametrize("name", ["default", "paper"])
def test_new_tasks_of_both_kinds_get_instances_that_survive(name: str) -> None:
    wanted, kinds = settings(profile=name), set[bool]()
    book, profile = PromptBook(wanted, read_few_shot()), profile_of(wanted)
    for number in range(300):
        task = instruction(mixed(number, 1))
        decided = profile.read_decision(answered(book.classification("t", task)), 0.0)
        assert decided is not None
        kinds.add(decided)
        completion = answered(book.instances("t", task, is_classification=decided))
        parsed = profile.read_instances(completion, decided)
        kept, _ = prune(profile, parsed, instruction=task, at_most=5, key="")
        assert kept
        assert all(len(kept) > 1 and given.input for given in kept) or not decided
    assert kinds == {True, False}


@pytest.mark.parametrize("names", [("default",) * 2, ("paper",) * 2, ("default", "paper")])
def test_seeds_are_worked_as_in_their_file(names: tuple[str, str]) -> None:
    wanted = settings(profile=names[0], prompts=names[1])
    book, profile = PromptBook(wanted, read_few_shot()), profile_of(wanted)
    for seed in SEEDS[:40]:
        sorts = seed.is_classification
        completion = answered(book.instances("t", seed.instruction, is_classification=sorts))
        parsed = profile.read_instances(completion, sorts)
        assert parsed.instances[0].output == seed.instances[0].output.strip()


def test_the_same_request_gets_the_same_text_in_every_process() -> None:
    program = (
        "from asyncgen.endpoints.simulated.answers import answer_to\n"
        "from asyncgen.endpoints.simulated.dialects import Asked\n"
        "p = '1. Name a river.\\n\\nContinue with tasks 2 to 9.'\n"
        "a = Asked('chat', 'm', p, p, (), None, 5, False)\n"
        "print(answer_to(a, seed=1, usual_tokens=9).text)"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(texts) == 1
    assert b"\n9. " in texts.pop()


def test_another_prompt_another_sampling_seed_and_another_provider_answer_differently() -> None:
    def text(prompt: str, sampling: int, seed: int) -> str:
        asked = Asked("chat", "m", prompt, prompt, (), None, sampling, logprobs=False)
        return answer_to(asked, seed=seed, usual_tokens=50).text

    said = {
        text(*case) for case in itertools.product(("tasks 1 to 8", "tasks 1 to 9"), (0, 1), (0, 1))
    }
    assert len(said) == 8


def test_thousands_of_instructions_pass_the_rules_and_the_filter() -> None:
    pool = Pool(0.7)
    for seed in SEEDS:
        pool.add(seed.instruction)
    texts = [instruction(mixed(number, 3)) for number in range(4000)]
    admitted = sum(pool.admit(text).nearest is None for text in texts)

    rules = profile_of(settings()).instruction_rules
    assert [text for text in texts if first_offence(rules, text)] == []
    assert admitted >= 0.95 * len(texts)


def test_long_prefixes_count_as_cached_when_they_come_again() -> None:
    cache, fixed = PrefixCache(), "All work and no play. " * 300
    first, prefixes = cache.look_up(fixed + "a")
    refused, _ = cache.look_up(fixed + "b")
    cache.keep(prefixes)

    assert (first, refused) == (0, 0)
    assert len(fixed) - 512 < cache.look_up(fixed + "b")[0] <= len(fixed)
    assert cache.look_up(fixed[:5000] + "and then something else")[0] == 4096 + 512
    assert cache.look_up("Other. " + fixed)[0] == 0
    assert cache.look_up("short") == (0, [])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "could not parse the JSON body"),
        (b"[]", "model"),
        (b'{"model": "m"}', "messages"),
        (b'{"model": "m", "messages": [{"role": "user", "content": 5}]}', "messages"),
        (b'{"model": "m", "messages": [3]}', "messages"),
        (b'{"model": "m", "messages": [], "stream": true}', "stream"),
        (b'{"model": "m", "messages": [], "n": [1]}', "several answers"),
        (b'{"model": "m", "messages": [], "max_tokens": 0}', "max_tokens"),
    ],
)
def test_a_request_that_cannot_be_answered_is_told_why(body: bytes, said: str) -> None:
    complaint = read_request("chat", body)

    assert isinstance(complaint, Complaint)
    assert complaint.status == 400
    assert said in complaint.message


def test_messages_need_max_tokens_and_take_text_in_blocks() -> None:
    body: dict[str, Any] = {
        "model": "m",
        "system": [{"type": "text", "text": "Be "}, {"type": "text", "text": "brief."}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello."}]}],
    }
    assert isinstance(read_request("anthropic", orjson.dumps(body)), Complaint)
    asked = read_request("anthropic", orjson.dumps({**body, "max_tokens": 5}))

    assert isinstance(asked, Asked)
    assert asked.prompt == "Be brief.\n\nHello."
    assert asked.last == "Hello."


def test_a_list_asked_for_through_messages_goes_on_with_its_numbers() -> None:
    prompt = PromptBook(settings(), read_few_shot()).generation(1, ["Name a river."] * 8).prompt
    cached = {"type": "text", "text": prompt.fixed, "cache_control": {"type": "ephemeral"}}
    body = {
        "model": "m",
        "max_tokens": 1024,
        "system": [cached],
        "messages": [{"role": "user", "content": prompt.variable}],
    }
    asked = read_request("anthropic", orjson.dumps(body))
    assert isinstance(asked, Asked)
    answer = answer_to(asked, seed=0, usual_tokens=50)
    said = orjson.loads(answer_body(asked, answer, Usage(10, 4, 3), "x"))

    text = said["content"][0]["text"]
    assert [line.split(". ")[0] for line in text.splitlines()] == [*"9", *map(str, range(10, 17))]
    assert said["usage"]["input_tokens"] == 6
    assert said["usage"]["cache_read_input_tokens"] == 4


@pytest.mark.parametrize("api", ["chat", "completions", "anthropic"])
def test_a_judge_s_three_questions_are_answered_with_some_noes(api: str) -> None:
    book = PromptBook(settings(api=api, judge="self"), read_few_shot())
    said = [
        read_verdicts(
            answered(book.judging(f"{task.id}:0", task.instruction, task.instances[0])),
            begun=api == "completions",
        )
        for task in SEEDS
    ]
    yes = [sum(one[place] is True for one in said) / len(said) for place in range(3)]

    assert not any(None in one for one in said)
    assert yes == pytest.approx([0.92, 0.79, 0.58], abs=0.1)

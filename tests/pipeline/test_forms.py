"""What the paper's form asks: prompts and decoding as the original's, on every interface."""

from __future__ import annotations

from typing import Any

import pytest

from asyncgen.pipeline.profiles import profile_of
from asyncgen.pipeline.prompts import PromptBook
from asyncgen.pipeline.seeds import read_few_shot
from asyncgen.records import Completion, Request
from asyncgen.settings import Settings, resolve

FEW_SHOT = read_few_shot()
SHOWN = [f"Do thing {number} well:" for number in range(1, 9)]


def settings(**changes: Any) -> Settings:
    flags = {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "profile": "paper", **changes}
    return resolve({}, flags)


def book(**changes: Any) -> PromptBook:
    return PromptBook(settings(**changes), FEW_SHOT)


def text_of(request: Request) -> str:
    shown = "".join("".join(turn) for turn in request.prompt.turns)
    return request.prompt.fixed + shown + request.prompt.variable


def test_a_list_shows_eight_tasks_without_colons_and_ends_in_the_ninth_number() -> None:
    request = book().generation(0, SHOWN)
    prompt, sampling = request.prompt, request.sampling

    assert prompt.api == "completions"
    assert prompt.variable.startswith("1. Do thing 1 well\n2. Do thing 2 well\n")
    assert prompt.variable.endswith("\n8. Do thing 8 well\n9.")
    assert sampling.stop == ("\n\n", "\n16", "16.", "16 .")
    assert (sampling.max_output_tokens, sampling.temperature) == (1024, 0.7)
    assert (sampling.top_p, sampling.presence_penalty) == (0.5, 2.0)
    assert (sampling.top_k, sampling.repetition_penalty, sampling.choices) == (None, None, ())


def test_a_decision_is_asked_as_free_text_of_three_tokens() -> None:
    request = book().classification("task_0_0", "Name a river.")
    sampling = request.sampling

    assert request.prompt.variable == "Task: Name a river.\nIs it classification?"
    assert request.prompt.fixed.count("\nIs it classification? Yes\n") > 9
    assert request.prompt.fixed.count("\nIs it classification? No\n") > 15
    assert (sampling.max_output_tokens, sampling.temperature) == (3, 0.0)
    assert (sampling.stop, sampling.choices) == (("\n", "Task"), ())


@pytest.mark.parametrize(("is_classification", "most"), [(False, 350), (True, 300)])
def test_instances_are_asked_in_the_form_that_its_parser_reads(
    is_classification: bool,  # noqa: FBT001 - a row of the table
    most: int,
) -> None:
    run = settings()
    prompts, profile = PromptBook(run, FEW_SHOT), profile_of(run)
    request = prompts.instances("t", "Name a river.", is_classification=is_classification)
    sampling = request.sampling
    shown = prompts.examples(is_classification=is_classification)
    sources = FEW_SHOT.output_first if is_classification else FEW_SHOT.input_first

    assert request.prompt.variable == "Task: Name a river.\n"
    assert (sampling.max_output_tokens, sampling.temperature) == (most, 0.0)
    assert (sampling.presence_penalty, sampling.stop) == (1.5, ("Example 6", "Task:"))
    for (_, written), source in zip(shown, sources, strict=True):
        answer = Completion(text=written, finish_reason="stop")
        read = profile.read_instances(answer, is_classification).instances
        assert [(one.input.strip(), one.output.strip()) for one in source.instances[:5]] == [
            (one.input, one.output) for one in read
        ]


def test_what_is_said_explicitly_overrides_what_the_profile_brings() -> None:
    table = {"instances": {"max_output_tokens": 200}, "generation": {"stop": ["END"]}}
    run = resolve(
        {"profile": "paper", "max_instances": 3, **table},
        {"endpoint": "local", "api": "chat", "threshold": 0.5},
    )
    prompts = PromptBook(run, FEW_SHOT)
    labelled = prompts.instances("t", "Do it.", is_classification=True).sampling

    assert (run.api, run.threshold, run.generation.temperature) == ("chat", 0.5, 0.7)
    assert (labelled.max_output_tokens, labelled.stop) == (200, ("Example 4", "Task:"))
    assert prompts.generation(0, SHOWN).sampling.stop == ("END",)


@pytest.mark.parametrize("api", ["chat", "anthropic"])
def test_a_conversation_gets_the_same_text_in_two_messages(api: str) -> None:
    for text, chat in zip(_requests(book()), _requests(book(api=api)), strict=True):
        assert chat.prompt.api == api
        assert (chat.prompt.fixed, chat.prompt.turns) == (text.prompt.fixed, ())
        assert text_of(chat) == text_of(text)
        assert chat.sampling == text.sampling


def test_a_chat_endpoint_that_goes_on_with_an_answer_gets_the_list_as_one() -> None:
    prompt = book(api="chat", continues=True).generation(0, SHOWN).prompt

    assert prompt.continues
    assert prompt.variable.endswith("\n9.")
    assert prompt.turns[0][0].endswith("15 different tasks.")


def test_a_chat_endpoint_may_say_the_number_again() -> None:
    run = settings(api="chat")
    numbering = PromptBook(run, FEW_SHOT).numbering
    for text in ("9. Name a river.\n10. Name a lake.", " Name a river.\n10. Name a lake."):
        items = profile_of(run).split(Completion(text=text, finish_reason="stop"), numbering)
        assert [item.strip() for item in items.texts] == ["Name a river.", "Name a lake."]


def test_a_run_can_be_read_by_another_profile_than_it_is_asked_by() -> None:
    assert _requests(book(profile="default", prompts="paper")) == _requests(book())


def _requests(prompts: PromptBook) -> list[Request]:
    return [
        prompts.generation(0, SHOWN),
        prompts.classification("t", "Do it."),
        prompts.instances("t", "Do it.", is_classification=False),
        prompts.instances("t", "Do it.", is_classification=True),
    ]

"""The fake endpoint that ships with the package."""

from __future__ import annotations

import pytest
from endpoints.harness import question
from support.clock import run_virtually

from asyncgen.endpoints.scripted import ScriptedEndpoint
from asyncgen.errors import TransientError
from asyncgen.records import Completion, Usage


def test_text_becomes_an_ordinary_answer_with_words_as_usage() -> None:
    async def main() -> Completion:
        async with ScriptedEndpoint(lambda _request, _attempt: "the Rhine", name="fake") as fake:
            return (await fake.send(question("Be brief.", "Name a river."))).completion

    assert run_virtually(main) == Completion(
        text="the Rhine",
        finish_reason="stop",
        usage=Usage(input_tokens=5, output_tokens=2),
        endpoint="fake",
        model="scripted",
    )


def test_a_completion_is_handed_over_as_it_is() -> None:
    ready = Completion(text="cut", finish_reason="length", choice_logprobs={"a": -1.0})

    async def main() -> Completion:
        fake = ScriptedEndpoint(lambda _request, _attempt: ready)
        return (await fake.send(question())).completion

    assert run_virtually(main) is ready


def test_the_script_sees_the_number_of_the_attempt_and_failures_are_raised() -> None:
    async def main() -> None:
        fake = ScriptedEndpoint(
            lambda _request, attempt: TransientError("busy") if attempt == 1 else f"at {attempt}"
        )
        with pytest.raises(TransientError, match="busy"):
            await fake.send(question())
        assert (await fake.send(question())).completion.text == "at 2"
        assert (len(fake.requests), fake.in_flight, fake.most_in_flight) == (2, 0, 1)

    run_virtually(main)

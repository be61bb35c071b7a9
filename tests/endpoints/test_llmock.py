"""Judged by others: llmock breaks a provider's answers and grades what its client does then.

The real engine asks over the real endpoint. What llmock breaks of streams is left out:
nothing is streamed. Its waits are real, and short.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from asyncgen.endpoints.http import HttpEndpoint
from asyncgen.endpoints.http_options import HttpOptions
from asyncgen.endpoints.transport import Timeouts
from asyncgen.engine import Engine, EngineOptions, Lane, RetryPolicy
from asyncgen.errors import EndpointRefusedError
from asyncgen.records import Prompt, Request, Sampling

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from llmock.pytest_plugin import LLMock
    from llmock.verdict import Verdict

    from asyncgen.records import Answer, Api, Stage

APIS: list[Api] = ["chat", "anthropic"]
PROVIDERS = {"chat": "openai", "anthropic": "anthropic"}
SOON = 0.2  # seconds that a Retry-After names here

pytestmark = pytest.mark.parametrize("api", APIS)


class Questions:
    """So many requests, each of its own content."""

    def __init__(self, total: int) -> None:
        self._left = iter(range(total))
        self._total = total
        self.answers: list[Answer] = []

    @property
    def finished(self) -> bool:
        """Whether all are answered."""
        return len(self.answers) == self._total

    def next_request(self, _stages: Collection[Stage] | None = None, /) -> Request | None:
        """Hand over the next."""
        number = next(self._left, None)
        if number is None:
            return None
        prompt = Prompt("Be brief.", f"Name river number {number}.")
        return Request("generation", str(number), prompt, Sampling(max_output_tokens=64))

    async def deliver(self, answer: Answer) -> None:
        """Keep an answer."""
        self.answers.append(answer)


def run(
    llmock: LLMock, api: Api, total: int = 8, *, in_flight: int = 64, **timeouts: float
) -> Questions:
    """Ask so many questions with the engine, to the end or the error that ends it."""
    questions = Questions(total)

    async def main() -> None:
        options = HttpOptions(
            base_url=llmock.base_url(PROVIDERS[api]),
            model="test-model",
            api=api,
            api_key_env=f"{PROVIDERS[api].upper()}_API_KEY",
            timeouts=Timeouts(**timeouts),
        )
        async with AsyncExitStack() as stack:
            endpoint = await stack.enter_async_context(HttpEndpoint(options))
            engine = Engine(
                [Lane(endpoint)],
                questions.deliver,
                EngineOptions(in_flight, RetryPolicy(base=0.2), rng=random.Random(1)),
            )
            await engine.run(questions)

    asyncio.run(main())
    return questions


def hold(llmock: LLMock, questions: Questions, faults: int) -> None:
    """See that every request was answered once, that faults struck, and what llmock thinks."""
    keys = [answer.request.key for answer in questions.answers]
    assert sorted(keys) == sorted(set(keys))
    assert all(answer.completion.text for answer in questions.answers)
    verdict = llmock.verdict()
    assert verdict.faults == faults
    assert_spotless(verdict)


def assert_spotless(verdict: Verdict) -> None:
    """No FAIL and no WARN."""
    assert not verdict.findings, verdict.render()


def reasons(questions: Questions) -> Sequence[str]:
    """Return why the answers ended."""
    return [answer.completion.finish_reason for answer in questions.answers]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_tried_again_in_time(llmock: LLMock, api: Api, status: int) -> None:
    llmock.fail(status, times=2, retry_after=SOON)
    questions = run(llmock, api)

    assert reasons(questions) == ["stop"] * 8
    hold(llmock, questions, faults=2)


def test_one_request_that_fails_again_and_again_is_backed_off(llmock: LLMock, api: Api) -> None:
    """Without a Retry-After. Full jitter may draw a shorter wait after a longer: not these do."""
    llmock.fail(500, times=3)
    questions = run(llmock, api, total=1)

    assert [answer.completion.attempts for answer in questions.answers] == [4]
    hold(llmock, questions, faults=3)


def test_a_prompt_that_is_too_long_is_asked_once(llmock: LLMock, api: Api) -> None:
    llmock.context_overflow(times=1)
    questions = run(llmock, api)

    assert reasons(questions).count("error") == 1
    hold(llmock, questions, faults=1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_for_good_ends_the_run_without_another_attempt(
    llmock: LLMock, api: Api, status: int
) -> None:
    llmock.fail(status, times=None)
    with pytest.raises(EndpointRefusedError) as caught:
        # What is dropped in the air would be counted with the next test.
        run(llmock, api, in_flight=1)

    assert len(str(caught.value).splitlines()) == 1
    assert llmock.verdict().faults >= 1
    assert_spotless(llmock.verdict())


def test_an_outage_is_sat_out(llmock: LLMock, api: Api) -> None:
    llmock.fail(503, times=20, retry_after=SOON)
    questions = run(llmock, api, total=16)

    hold(llmock, questions, faults=20)


def test_a_slow_answer_is_waited_for(llmock: LLMock, api: Api) -> None:
    llmock.delay(0.5, times=8)
    questions = run(llmock, api)

    hold(llmock, questions, faults=0)


def test_an_answer_that_does_not_come_is_asked_for_again(llmock: LLMock, api: Api) -> None:
    llmock.delay(5.0, times=1)
    questions = run(llmock, api, first_byte=0.3)

    assert reasons(questions) == ["stop"] * 8
    assert_spotless(llmock.verdict())


def test_a_quota_that_nobody_told_is_kept_without_a_complaint(llmock: LLMock, api: Api) -> None:
    """1,200 a minute, the first of them at once: its headers say so."""
    llmock.limits(rpm=1200)
    questions = run(llmock, api, total=40)

    verdict = llmock.verdict()
    assert reasons(questions) == ["stop"] * 40
    assert_spotless(verdict)


def test_one_of_everything(llmock: LLMock, api: Api) -> None:
    for status in (500, 529, 503, 408, 502, 429):
        llmock.fail(status, retry_after=SOON)
    llmock.context_overflow(times=1).delay(0.3, times=3)
    questions = run(llmock, api, total=24)

    assert reasons(questions).count("error") == 1
    hold(llmock, questions, faults=7)

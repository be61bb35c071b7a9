"""What is sent to an OpenAI-compatible service, and what is read from its answer."""

from __future__ import annotations

import asyncio
import math
import random
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from endpoints.harness import error_body, failure, question, saying, send
from support.server import ModelServer, Reply

from asyncgen.endpoints.http import HttpEndpoint
from asyncgen.endpoints.http_options import HttpOptions
from asyncgen.endpoints.prices import fixed_prices
from asyncgen.engine import Engine, EngineOptions, Lane, RetryPolicy
from asyncgen.errors import (
    AsyncgenError,
    BadAnswerError,
    EndpointRefusedError,
    SettingsError,
)
from asyncgen.records import Prompt, Request, Sampling, Usage
from asyncgen.settings import Price

if TYPE_CHECKING:
    from collections.abc import Collection

    from asyncgen.records import Answer, Stage

ALL: dict[str, Any] = {
    "max_output_tokens": 64,
    "temperature": 0.7,
    "top_p": 0.9,
    "top_k": 40,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.2,
    "repetition_penalty": 1.1,
    "stop": ("\n\n", "17."),
    "seed": 7,
}


def test_a_chat_body_holds_fixed_text_as_system_and_the_rest_as_user_message() -> None:
    with saying("Rhine") as server:
        send(server.url, question("Be brief.", "Name a river.", max_output_tokens=16))

    assert server.bodies == [
        {
            "model": "test-model",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Name a river."},
            ],
            "max_tokens": 16,
        }
    ]


def test_a_chat_body_without_fixed_text_has_one_message() -> None:
    with saying("Rhine") as server:
        send(server.url, question("", "Name a river."))

    assert server.bodies[0]["messages"] == [{"role": "user", "content": "Name a river."}]


def test_a_completion_body_holds_both_parts_as_one_prompt() -> None:
    with saying("Rhine") as server:
        send(server.url, question("1. A\n", "2.", max_output_tokens=16), api="completions")

    assert server.bodies == [{"model": "test-model", "prompt": "1. A\n2.", "max_tokens": 16}]


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_every_choice_of_decoding_is_sent_by_its_name(api: str) -> None:
    with saying("Rhine") as server:
        send(server.url, question(**ALL), api=api)

    sent = server.bodies[0]
    expected = ALL | {"max_tokens": 64, "stop": ["\n\n", "17."]}
    del expected["max_output_tokens"]
    assert {name: sent[name] for name in expected} == expected
    assert set(sent) - set(expected) <= {"model", "messages", "prompt"}


def test_no_more_than_four_stop_strings_are_sent() -> None:
    with saying("Rhine") as server:
        send(server.url, question(stop=tuple("abcdef")))

    assert server.bodies[0]["stop"] == ["a", "b", "c", "d"]


def test_log_probabilities_are_asked_for_where_choices_are_given() -> None:
    with saying(" yes") as server:
        asked = question(choices=(" yes", " no"))
        send(server.url, asked, api="completions")
        send(server.url, asked, api="completions", restricts_choices=True)

    assert server.bodies[0]["logprobs"] == 5
    assert "structured_outputs" not in server.bodies[0]
    assert server.bodies[1]["structured_outputs"] == {"choice": [" yes", " no"]}


def test_an_answer_is_read_with_all_that_comes_with_it() -> None:
    reply = Reply(
        "Rhine, 1,230 km.",
        finish_reason="length",
        usage={
            "prompt_tokens": 20,
            "completion_tokens": 9,
            "prompt_tokens_details": {"cached_tokens": 16},
        },
    )
    with ModelServer(lambda _body, _number: reply) as server:
        completion = send(server.url)

    assert completion.text == "Rhine, 1,230 km."
    assert completion.finish_reason == "length"
    assert completion.usage == Usage(input_tokens=20, output_tokens=9, cached_tokens=16)
    assert (completion.endpoint, completion.model) == ("127.0.0.1", "test-model")
    assert completion.cost is None
    assert completion.seconds > 0
    assert completion.started_at > 1.7e9


def test_replicas_on_other_ports_look_the_same_in_a_dataset() -> None:
    with saying("Rhine") as one, saying("Rhine") as other:
        names = {send(server.url).endpoint for server in (one, other)}

    assert names == {"127.0.0.1"}


def test_a_label_and_a_price_are_kept_with_the_answer() -> None:
    async def main(url: str) -> Any:
        options = HttpOptions(base_url=url, model="test-model", label="embedded")
        async with HttpEndpoint(options, prices=fixed_prices(Price(input=1e6, output=0))) as it:
            return (await it.send(question("a b", "c d"))).completion

    with ModelServer(lambda _body, _number: Reply("ok", usage={"prompt_tokens": 5})) as server:
        completion = asyncio.run(main(server.url))

    assert (completion.endpoint, completion.cost) == ("embedded", 5)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        [],
        "none",
        {"prompt_tokens": None, "completion_tokens": None},
        {"prompt_tokens": "many", "completion_tokens": -3},
        {"prompt_tokens": 1e300, "prompt_tokens_details": "none"},
        {"prompt_tokens": 2**63, "prompt_tokens_details": {"cached_tokens": None}},
    ],
)
def test_a_usage_that_makes_no_sense_counts_as_none(usage: Any) -> None:
    """The answer itself is good, and paid for."""
    body = {"choices": [{"message": {"content": "Rhine"}}], "usage": usage}
    with ModelServer(lambda _body, _number: Reply(body=orjson.dumps(body))) as server:
        completion = send(server.url)

    assert (completion.text, completion.usage) == ("Rhine", Usage())


@pytest.mark.parametrize("reason", [None, "tool_calls", {}, 3])
def test_an_unknown_reason_to_finish_is_an_ordinary_end(reason: Any) -> None:
    with ModelServer(lambda _body, _number: Reply("Rhine", finish_reason=reason)) as server:
        assert send(server.url).finish_reason == "stop"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param(b'"half of it \\ud83d"', "half of it \ufffd", id="escaped, cut in two"),
        pytest.param(b'"half of it \xf0\x9f\x98"', "half of it \ufffd", id="bytes, cut short"),
        pytest.param(b'"all of it \\ud83d\\ude00"', "all of it \U0001f600", id="escaped, whole"),
        pytest.param('"all of it \U0001f600"'.encode(), "all of it \U0001f600", id="whole"),
    ],
)
def test_an_emoji_that_the_model_was_cut_off_in_does_not_cost_the_answer(
    raw: bytes, text: str
) -> None:
    body = b'{"choices": [{"message": {"content": ' + raw + b"}}]}"
    with ModelServer(lambda _body, _number: Reply(body=body)) as server:
        assert send(server.url).text == text


def test_choice_log_probabilities_are_read() -> None:
    """Variants of a token count together: with and without blank, in other case, cut short."""
    top = {" yes": -1.0, "Yes": -2.0, " Y": -3.0, " no": -1.5, "maybe": -0.1}
    reply = Reply(" yes", choice={"logprobs": {"top_logprobs": [top, {"\n": 0.0}]}})
    with ModelServer(lambda _body, _number: reply) as server:
        completion = send(server.url, question(choices=(" yes", " no")), api="completions")

    assert completion.choice_logprobs == pytest.approx(
        {" yes": math.log(math.exp(-1) + math.exp(-2) + math.exp(-3)), " no": -1.5}
    )


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("unsupported_parameter", "temperature"),
        ("unsupported_value", "temperature"),
        ("unknown_parameter", "top_k"),
        ("unsupported_parameter", "stop"),
        ("unsupported_parameter", "seed"),
    ],
)
def test_a_parameter_that_is_refused_by_name_is_left_out_from_then_on(code: str, name: str) -> None:
    def reply(body: dict[str, Any], _number: int) -> Reply:
        if name in body:
            return Reply(status=400, body=error_body("no", code=code, param=name))
        return Reply("Rhine")

    async def main(url: str) -> None:
        async with HttpEndpoint(HttpOptions(base_url=url, model="test-model")) as endpoint:
            for _ in range(3):
                assert (await endpoint.send(question(**ALL))).completion.text == "Rhine"

    with ModelServer(reply) as server:
        asyncio.run(main(server.url))

    assert [name in body for body in server.bodies] == [True, False, False, False]
    assert set(server.bodies[0]) - set(server.bodies[1]) == {name}


def test_a_reasoning_model_gets_the_limit_by_its_newer_name() -> None:
    def reply(body: dict[str, Any], _number: int) -> Reply:
        for name in ("max_tokens", "temperature"):
            if name in body:
                refusal = error_body("no", code="unsupported_parameter", param=name)
                return Reply(status=400, body=refusal)
        return Reply("Rhine")

    with ModelServer(reply) as server:
        assert send(server.url, question(max_output_tokens=9, temperature=1.0)).text == "Rhine"

    assert server.bodies[-1]["max_completion_tokens"] == 9
    assert "max_tokens" not in server.bodies[-1]
    assert len(server.bodies) == 3


def test_requests_that_are_refused_at_the_same_time_all_adapt() -> None:
    """What one learns while another is under way must not look like a refusal for good."""

    def reply(body: dict[str, Any], _number: int) -> Reply:
        for name in ("temperature", "max_tokens", "seed"):
            if name in body:
                refusal = error_body("no", code="unsupported_parameter", param=name)
                return Reply(status=400, body=refusal, delay=0.002)
        return Reply("Rhine")

    async def main(url: str) -> list[str]:
        async with HttpEndpoint(HttpOptions(base_url=url, model="test-model")) as endpoint:
            answers = await asyncio.gather(*(endpoint.send(question(**ALL)) for _ in range(20)))
        return [answer.completion.text for answer in answers]

    with ModelServer(reply) as server:
        assert asyncio.run(main(server.url)) == ["Rhine"] * 20


def test_a_parameter_that_is_still_refused_when_it_is_left_out_ends_in_a_refusal() -> None:
    refusal = Reply(
        status=400, body=error_body("no way", code="unsupported_parameter", param="temperature")
    )
    with ModelServer(lambda _body, _number: refusal) as server:
        error = failure(server.url, EndpointRefusedError, question(temperature=0.5))

    assert "no way" in str(error)
    assert len(server.bodies) == 2


# Keys come from the environment and go to the service, nowhere else.


KEY = "sk-secret-0123456789"


def test_the_key_is_sent_from_the_named_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", f" {KEY}\n")
    with ModelServer(lambda _b, _n: Reply("ok"), key=KEY) as server:
        send(server.url, api_key_env="MY_KEY")

    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_without_a_key_no_header_is_sent() -> None:
    with saying("Rhine") as server:
        send(server.url)

    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 429, 500])
def test_the_key_is_in_no_error_even_if_the_service_quotes_it(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    reply = Reply(status=status, body=error_body(f"key {KEY} is not good"))
    with (
        ModelServer(lambda _body, _number: reply) as server,
        pytest.raises(AsyncgenError) as caught,
    ):
        send(server.url)

    assert KEY not in str(caught.value)
    assert KEY not in repr(caught.value)
    assert "is not good" in str(caught.value)


@pytest.mark.parametrize("body", [error_body(f"key {KEY} is odd"), f"<html>{KEY} is odd".encode()])
def test_the_key_is_in_no_error_that_comes_as_a_success(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ModelServer(lambda _body, _number: Reply(body=body)) as server:
        error = failure(server.url, BadAnswerError)

    assert KEY not in repr(error)
    assert "is odd" in str(error)


def test_the_key_is_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    options = HttpOptions(base_url="http://127.0.0.1:1/v1", model="m")
    endpoint = HttpEndpoint(options)

    assert KEY not in repr(options) + repr(endpoint) + repr(vars(endpoint))


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines", "tab\tin it"])
def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    error = failure("http://127.0.0.1:1/v1", SettingsError)

    assert str(error) == "$OPENAI_API_KEY: the key holds characters that no header can"


def test_outside_its_context_manager_an_endpoint_is_of_no_use() -> None:
    endpoint = HttpEndpoint(HttpOptions(base_url="http://127.0.0.1:1/v1", model="m"))

    with pytest.raises(RuntimeError, match="context manager"):
        asyncio.run(endpoint.send(question()))


def test_hundreds_of_requests_are_in_flight_at_a_time() -> None:
    """No limit of the client's own stands below the engine's."""

    async def main(url: str) -> None:
        async with HttpEndpoint(HttpOptions(base_url=url, model="test-model")) as endpoint:
            await asyncio.gather(*(endpoint.send(question()) for _ in range(150)))

    with ModelServer(lambda _body, _number: Reply("ok", delay=2.0)) as server:
        asyncio.run(main(server.url))

    assert server.most_in_flight == 150


def test_a_rough_server_costs_no_request() -> None:
    """Engine and endpoint against overload, lost connections, cut bodies and waits asked for."""
    rng = random.Random(3)
    troubles = [
        Reply(status=503, body=error_body("overloaded")),
        Reply(status=429, body=error_body("slow"), headers={"retry-after-ms": "3"}),
        Reply(reset=True),
        Reply(cut=True),
        Reply(body=b"<html>"),
    ]

    def reply(body: dict[str, Any], _number: int) -> Reply:
        if rng.random() < 0.4:
            return rng.choice(troubles)
        return Reply(f"answer to {body['messages'][-1]['content']}")

    requests = [
        Request("generation", str(key), Prompt("f", f"question {key}"), Sampling())
        for key in range(80)
    ]
    answers: list[Answer] = []

    class Source:
        @property
        def finished(self) -> bool:
            return len(answers) == 80

        def next_request(self, _stages: Collection[Stage] | None = None, /) -> Request | None:
            return requests.pop() if requests else None

    async def deliver(answer: Answer) -> None:
        answers.append(answer)

    async def main(url: str) -> None:
        async with HttpEndpoint(HttpOptions(base_url=url, model="test-model")) as endpoint:
            options = EngineOptions(
                max_in_flight=16, retry=RetryPolicy(max_attempts=50, base=0.002, cap=0.01)
            )
            await Engine([Lane(endpoint)], deliver, options).run(Source())

    with ModelServer(reply) as server:
        asyncio.run(main(server.url))

    texts = {answer.request.key: answer.completion.text for answer in answers}
    assert texts == {str(key): f"answer to question {key}" for key in range(80)}

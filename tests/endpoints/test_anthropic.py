"""Anthropic's messages: what is sent, what is read, what a refusal says."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from endpoints.harness import failure, question, send
from support.server import ModelServer, Reply

from asyncgen.errors import (
    AsyncgenError,
    EndpointRefusedError,
    OverloadedError,
    QuotaError,
    RateLimitedError,
)
from asyncgen.records import Prompt, Request, Sampling, Usage

KEY = "sk-ant-0123456789"


def ask(
    server: ModelServer, request: Request | None = None, *, url: str = "", **options: Any
) -> Any:
    return send(url or server.url, request, api="anthropic", **options)


def sent(prompt: Prompt | None = None, **sampling: Any) -> dict[str, Any]:
    """Return the body in which a prompt reaches the service."""
    prompt = prompt or Prompt("Be brief.", "Name a river.")
    with ModelServer(lambda _b, _n: Reply("Rhine", finish_reason="end_turn")) as server:
        ask(server, Request("generation", "0", prompt, Sampling(**sampling)))
    return server.bodies[0]


def test_a_body_holds_fixed_text_as_system_and_the_rest_as_turns() -> None:
    body = sent(Prompt("Be brief.", "Name a river.", (("A lake?", "Como"),)), max_output_tokens=16)

    assert body == {
        "model": "test-model",
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "A lake?"},
            {"role": "assistant", "content": "Como"},
            {"role": "user", "content": "Name a river."},
        ],
        "max_tokens": 16,
    }


def test_a_body_without_fixed_text_has_no_system() -> None:
    assert "system" not in sent(Prompt("", "Name a river."))


def test_choices_of_decoding_are_sent_as_far_as_they_are_known() -> None:
    body = sent(
        temperature=0.7, top_p=0.9, top_k=40, seed=7, presence_penalty=0.1, stop=("\n\n", "\n17.")
    )

    assert {name: body[name] for name in body if name not in {"model", "messages", "system"}} == {
        "max_tokens": 256,
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 40,
        # One of blanks alone is refused.
        "stop_sequences": ["\n17."],
    }


def test_a_temperature_above_its_scale_is_the_highest() -> None:
    assert sent(temperature=1.7)["temperature"] == 1.0


CACHED = {"type": "ephemeral"}
LONG = "word " * 1000


def cached(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text, "cache_control": CACHED}]


def test_a_long_fixed_part_is_marked_for_the_cache_where_it_ends() -> None:
    body = sent(Prompt("Be brief.", "Name a river.", (("A lake?", "Como"), ("A sea?", LONG))))

    assert body["system"] == "Be brief."
    assert [message["content"] for message in body["messages"]] == [
        "A lake?",
        "Como",
        "A sea?",
        cached(LONG),
        "Name a river.",
    ]


def test_a_long_system_text_is_marked_for_the_cache_by_itself() -> None:
    body = sent(Prompt(LONG, "Name a river.", (("A lake?", "Como"),)))

    assert body["system"] == cached(LONG)
    assert body["messages"][1]["content"] == cached("Como")


def test_a_long_variable_part_is_not_marked() -> None:
    assert b"cache_control" not in orjson.dumps(sent(Prompt("Be brief.", LONG)))


def test_an_answer_that_was_begun_is_prefilled_without_a_blank_at_its_end() -> None:
    prompt = Prompt("Be brief.", "1. Rhine\n2. ", (("Name rivers.", ""),), continues=True)

    assert sent(prompt)["messages"] == [
        {"role": "user", "content": "Name rivers."},
        {"role": "assistant", "content": "1. Rhine\n2."},
    ]


def test_an_answer_is_read_with_all_that_comes_with_it() -> None:
    blocks = [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "Rhine, "},
        {"type": "text", "text": "1,230 km."},
    ]
    usage = {
        "input_tokens": 20,
        "output_tokens": 9,
        "cache_read_input_tokens": 1000,
        "cache_creation_input_tokens": 300,
    }
    reply = Reply(finish_reason="end_turn", usage=usage, choice={"content": blocks})
    with ModelServer(lambda _b, _n: reply) as server:
        completion = ask(server)

    assert completion.text == "Rhine, 1,230 km."
    assert completion.finish_reason == "stop"
    assert completion.usage == Usage(1320, 9, cached_tokens=1000, cache_write_tokens=300)
    assert (completion.endpoint, completion.model) == ("127.0.0.1", "test-model")


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("something_new", "stop"),
        (None, "stop"),
    ],
)
def test_the_reason_to_finish_is_told_in_our_words(reason: Any, ours: str) -> None:
    with ModelServer(lambda _b, _n: Reply("Rhine", finish_reason=reason)) as server:
        assert ask(server).finish_reason == ours


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_the_base_url_may_end_in_the_version_or_not(suffix: str) -> None:
    with ModelServer(lambda _b, _n: Reply("Rhine")) as server:
        url = server.url.removesuffix("/v1") + suffix
        assert ask(server, url=url).text == "Rhine"


def test_the_key_and_the_version_go_in_headers_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with ModelServer(lambda _b, _n: Reply("Rhine"), key=KEY) as server:
        ask(server, api_key_env="MY_KEY")

    headers = {name.lower(): value for name, value in server.headers[0].items()}
    assert headers["x-api-key"] == KEY
    assert headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in headers


# Refusals and failures in Anthropic's own form.


def error(kind: str, message: str = "m") -> bytes:
    return orjson.dumps({"type": "error", "error": {"type": kind, "message": message}})


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("`temperature` and `top_p` cannot both be specified for this model", "top_p"),
        ("`temperature` is deprecated for this model", "temperature"),
        ("top_k: this model does not support it", "top_k"),
        ("stop_sequences: Extra inputs are not permitted", "stop_sequences"),
    ],
)
def test_a_parameter_that_is_refused_in_words_is_left_out(message: str, name: str) -> None:
    def reply(body: dict[str, Any], _number: int) -> Reply:
        if name in body:
            return Reply(status=400, body=error("invalid_request_error", message))
        return Reply("Rhine")

    asked = question(temperature=0.7, top_p=0.9, top_k=4, stop=("x",))
    with ModelServer(reply) as server:
        assert ask(server, asked).text == "Rhine"

    assert set(server.bodies[0]) - set(server.bodies[1]) == {name}


def test_a_request_of_a_form_that_it_does_not_know_is_refused() -> None:
    said = "messages.0: all messages must have non-empty content"
    reply = Reply(status=400, body=error("invalid_request_error", said))
    with ModelServer(lambda _b, _n: reply) as server:
        caught = failure(server.url, EndpointRefusedError, api="anthropic")

    assert str(caught) == f"{server.url}: HTTP 400, the request is not accepted: {said}"


def test_a_refusal_names_a_wrong_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with ModelServer(key="right") as server:
        caught = failure(
            server.url, EndpointRefusedError, api="anthropic", api_key_env="ANTHROPIC_API_KEY"
        )

    assert "HTTP 401, the key in $ANTHROPIC_API_KEY is not accepted" in str(caught)
    assert KEY not in str(caught)


def test_a_refusal_names_an_unknown_model_with_those_that_are_served() -> None:
    with ModelServer(model="claude-a") as server:
        url = server.url.removesuffix("/v1")
        caught = failure(url, EndpointRefusedError, api="anthropic", model="claude-b")

    assert str(caught) == f"{url}: HTTP 404, unknown model 'claude-b'; it serves: claude-a"


def test_a_refusal_names_a_wrong_path() -> None:
    with ModelServer() as server:
        caught = failure(f"{server.url}/nowhere", EndpointRefusedError, api="anthropic")

    assert "wrong path: there is no /v1/messages below it (" in str(caught)


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (429, "rate_limit_error", RateLimitedError),
        (529, "overloaded_error", OverloadedError),
        (402, "billing_error", QuotaError),
    ],
)
def test_a_failure_has_its_class(status: int, kind: str, expected: type[AsyncgenError]) -> None:
    with ModelServer(lambda _b, _n: Reply(status=status, body=error(kind))) as server:
        failure(server.url, expected, api="anthropic")

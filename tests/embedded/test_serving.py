"""The embedded server over real HTTP, on both runtimes."""

from __future__ import annotations

import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from embedded.client import MODEL, call, complete

if TYPE_CHECKING:
    from asyncgen.endpoints.embedded import EmbeddedServer

PROMPT = "The capital of France is"


@pytest.fixture(params=["openvino", "llamacpp"])
def server(request: pytest.FixtureRequest) -> EmbeddedServer:
    """Each of the two runtimes in turn."""
    found: EmbeddedServer = request.getfixturevalue(request.param)
    return found


def test_completion_has_openais_shape(server: EmbeddedServer) -> None:
    answer = complete(server.base_url, PROMPT, max_tokens=4, model=MODEL)

    assert answer["object"] == "text_completion"
    assert answer["model"] == MODEL
    assert answer["choices"][0]["text"].startswith(" Paris")
    assert answer["choices"][0]["finish_reason"] == "length"
    usage = answer["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (5, 4)


def test_chat_completion_applies_the_template(server: EmbeddedServer) -> None:
    body = {
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
        "max_completion_tokens": 20,
        "temperature": 0,
        "logprobs": True,
    }
    status, answer = call(f"{server.base_url}/chat/completions", body)

    assert status == 200
    message = answer["choices"][0]["message"]
    assert message["role"] == "assistant"
    assert message["content"]
    # The template adds a system message: more tokens than the words alone.
    assert answer["usage"]["prompt_tokens"] > 25
    assert all(entry["logprob"] <= 0 for entry in answer["choices"][0]["logprobs"]["content"])


def test_stop_text_ends_the_answer_and_is_not_in_it(server: EmbeddedServer) -> None:
    free = complete(server.base_url, PROMPT, max_tokens=24)["choices"][0]["text"]
    stop = free[10:15]
    cut = complete(server.base_url, PROMPT, max_tokens=24, stop=[stop])["choices"][0]

    assert cut["text"] == free[: free.index(stop)]
    assert cut["finish_reason"] == "stop"


def test_logprobs_come_with_their_tokens(server: EmbeddedServer) -> None:
    answer = complete(server.base_url, PROMPT, max_tokens=3, logprobs=1)["choices"][0]
    logprobs = answer["logprobs"]

    assert "".join(logprobs["tokens"]) == answer["text"]
    assert len(logprobs["token_logprobs"]) == 3
    assert logprobs["top_logprobs"][0] == {" Paris": logprobs["token_logprobs"][0]}


def test_same_seed_same_answer(server: EmbeddedServer) -> None:
    texts = [
        complete(server.base_url, PROMPT, temperature=1, seed=seed, max_tokens=12)["choices"][0][
            "text"
        ]
        for seed in (7, 7, 8)
    ]

    assert texts[0] == texts[1] != texts[2]


SCHEMA = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0, "maximum": 99}},
    "required": ["age"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("form", "pattern"),
    [
        ({"structured_outputs": {"regex": "[0-9]{3}/[a-c]{2}"}}, r"[0-9]{3}/[a-c]{2}"),
        ({"structured_outputs": {"grammar": 'root ::= "ab" | "cd"'}}, "ab|cd"),
        ({"structured_outputs": {"json": SCHEMA}}, r'\{\s*"age"\s*:\s*\d{1,2}\s*\}'),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}},
            r'\{\s*"age"\s*:\s*\d{1,2}\s*\}',
        ),
    ],
    ids=["regex", "grammar", "json", "response_format"],
)
def test_answer_keeps_to_the_form(
    server: EmbeddedServer, form: dict[str, Any], pattern: str
) -> None:
    text = complete(server.base_url, "Answer: ", max_tokens=60, **form)["choices"][0]["text"]

    assert re.fullmatch(pattern, text)


def test_malformed_form_is_refused_and_hurts_nobody_else(openvino: EmbeddedServer) -> None:
    """A form that cannot be compiled breaks the pipeline; it is rebuilt, and work goes on."""
    with ThreadPoolExecutor() as pool:
        other = pool.submit(complete, openvino.base_url, PROMPT, max_tokens=40)
        body = {"prompt": "x", "structured_outputs": {"regex": "("}}
        status, answer = call(f"{openvino.base_url}/completions", body)

        assert status == 400
        assert "parenthesis" in answer["error"]["message"]
        assert other.result()["choices"][0]["text"].startswith(" Paris")


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        (b"{", 400, None, None),
        ({"prompt": "x", "stream": True}, 400, "stream", None),
        ({"prompt": "x", "temperature": -1}, 400, "temperature", None),
        ({"prompt": "x", "model": "gpt-4"}, 404, "model", "model_not_found"),
        ({"prompt": "x", "max_tokens": 8192}, 400, "max_tokens", "context_length_exceeded"),
        ({"prompt": "x " * 9000}, 400, "max_tokens", "context_length_exceeded"),
        ({"prompt": "x", "echo": True, "logprobs": 1}, 400, None, None),
    ],
)
def test_bad_request_is_answered_like_openai(
    server: EmbeddedServer,
    body: dict[str, Any] | bytes,
    status: int,
    param: str | None,
    code: str | None,
) -> None:
    found, answer = call(f"{server.base_url}/completions", body)

    assert found == status
    assert set(answer["error"]) == {"message", "type", "param", "code"}
    assert answer["error"]["param"] == param
    assert answer["error"]["code"] == code


def test_unknown_path_is_404_in_json(openvino: EmbeddedServer) -> None:
    status, answer = call(f"{openvino.base_url}/embeddings")

    assert status == 404
    assert "/v1/embeddings" in answer["error"]["message"]


def test_models_and_health(server: EmbeddedServer) -> None:
    assert call(f"{server.base_url}/models")[1]["data"][0]["id"] == MODEL
    assert call(f"{server.base_url.removesuffix('/v1')}/health") == (200, {"status": "ok"})


def test_more_requests_than_slots_are_all_answered(openvino: EmbeddedServer) -> None:
    def one(number: int) -> int:
        answer = complete(openvino.base_url, f"Task {number}:", max_tokens=8, temperature=1)
        count: int = answer["usage"]["completion_tokens"]
        return count

    with ThreadPoolExecutor(48) as pool:
        counts = list(pool.map(one, range(48)))

    assert len(counts) == 48
    assert sum(counts) > 48


def test_request_of_a_client_that_hung_up_is_dropped(uncached: EmbeddedServer) -> None:
    """The server has one slot: the long request must leave it for the short one."""
    address = urlsplit(uncached.base_url)
    body = json.dumps({"prompt": PROMPT, "max_tokens": 8000, "temperature": 1}).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((str(address.hostname), address.port or 0)) as connection:
        connection.sendall(head.encode() + body)
        # The short request must not overtake it.
        time.sleep(0.5)

    started = time.monotonic()
    complete(uncached.base_url, PROMPT, max_tokens=2)
    assert time.monotonic() - started < 20


def test_answers_do_not_depend_on_load_or_cache(
    openvino: EmbeddedServer, uncached: EmbeddedServer
) -> None:
    """Same request, same answer: alone without a cache, or among others and out of the cache."""
    fixed = "Decide what kind of task it is.\n" + "Task: Name a river.\nKind: generation\n" * 12
    prompts = [f"{fixed}Task: {task}\nKind:" for task in ("Sort.", "Count it.", "Explain.")]

    def one(base_url: str, number: int) -> str:
        prompt = prompts[number % len(prompts)]
        answer = complete(base_url, prompt, temperature=0.8, seed=number, max_tokens=10)
        text: str = answer["choices"][0]["text"]
        return text

    alone = [one(uncached.base_url, number) for number in range(3)]
    with ThreadPoolExecutor(12) as pool:
        crowded = list(pool.map(one, [openvino.base_url] * 12, range(12)))

    assert crowded[:3] == alone

"""Which answers are answers, and what they used."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from asyncgen.endpoints import anthropic_wire, bodies, openai_answers
from asyncgen.errors import BadAnswerError
from asyncgen.records import Sampling, Usage


def chat(message: dict[str, Any], reason: str | None = "stop", **body: Any) -> dict[str, Any]:
    return {"choices": [{"message": message, "finish_reason": reason}], **body}


def completion(text: Any, reason: str = "stop", **body: Any) -> dict[str, Any]:
    return {"choices": [{"text": text, "finish_reason": reason}], **body}


def claude(*blocks: dict[str, Any], reason: str = "end_turn", output: int = 0) -> dict[str, Any]:
    return {"content": list(blocks), "stop_reason": reason, "usage": {"output_tokens": output}}


NOTHING: dict[str, Any] = {"usage": {"prompt_tokens": 9, "completion_tokens": 0}}
ONE_TOKEN: dict[str, Any] = {"usage": {"prompt_tokens": 9, "completion_tokens": 1}}


@pytest.mark.parametrize(
    "body",
    [
        chat({"content": ""}, **NOTHING),
        chat({"content": None}, **NOTHING),
        chat({}, **NOTHING),
        chat({"content": None}, reason=None, **NOTHING),
        chat({"content": None}),
        chat({}),
        completion("", **NOTHING),
        completion(None),
    ],
)
def test_an_answer_for_which_no_token_was_made_is_none(body: dict[str, Any]) -> None:
    with pytest.raises(BadAnswerError, match="the answer is empty") as caught:
        openai_answers.read(body, Sampling())
    assert caught.value.possibly_billed


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(chat({"content": ""}, **ONE_TOKEN), id="ended at once"),
        pytest.param(chat({"content": None}, **ONE_TOKEN), id="ended at once, null"),
        pytest.param(chat({"content": ""}), id="not counted"),
        pytest.param(completion(""), id="not counted, completion"),
        pytest.param(chat({"content": None}, "length", **NOTHING), id="cut off"),
        pytest.param(chat({"content": None}, "content_filter", **NOTHING), id="filtered"),
        pytest.param(chat({"content": None, "tool_calls": [{}]}, **NOTHING), id="a tool"),
        pytest.param(chat({"content": None, "refusal": "no"}, **NOTHING), id="a refusal"),
    ],
)
def test_an_answer_without_text_may_be_one(body: dict[str, Any]) -> None:
    assert openai_answers.read(body, Sampling()).text == ""


def test_an_answer_that_failed_behind_a_gateway_is_none() -> None:
    body = chat({"content": "half of"}, "error")
    body["choices"][0]["error"] = {"message": "upstream died"}

    with pytest.raises(BadAnswerError, match="upstream died"):
        openai_answers.read(body, Sampling())


def test_an_answer_of_claude_for_which_no_token_was_made_is_none() -> None:
    for body in (claude(), claude({"type": "text", "text": ""})):
        with pytest.raises(BadAnswerError, match="the answer is empty"):
            anthropic_wire.read(body, Sampling())


@pytest.mark.parametrize(
    "body",
    [
        claude(output=3),
        claude(reason="refusal"),
        claude(reason="max_tokens"),
        claude({"type": "tool_use"}, reason="tool_use"),
    ],
)
def test_an_answer_of_claude_without_text_may_be_one(body: dict[str, Any]) -> None:
    assert anthropic_wire.read(body, Sampling()).text == ""


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        pytest.param(
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "total_tokens": 150,
                "prompt_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 8},
                "completion_tokens_details": {"reasoning_tokens": 40},
            },
            Usage(100, 50, 64, 8, 40),
            id="reasoning within the answer",
        ),
        pytest.param(
            {
                "prompt_tokens": 100,
                "completion_tokens": 10,
                "total_tokens": 150,
                "completion_tokens_details": {"reasoning_tokens": 40},
            },
            Usage(100, 50, 0, 0, 40),
            id="reasoning beside it",
        ),
        pytest.param(
            {"prompt_tokens": 100, "completion_tokens": 10, "prompt_cache_hit_tokens": 64},
            Usage(100, 10, 64),
            id="DeepSeek",
        ),
    ],
)
def test_usage_is_read_in_the_forms_that_it_comes_in(
    usage: dict[str, Any], expected: Usage
) -> None:
    assert openai_answers.read(chat({"content": "a"}, usage=usage), Sampling()).usage == expected


USUAL = orjson.dumps(
    chat(
        {"role": "assistant", "content": "Rhine", "refusal": None},
        model="m-1",
        usage={
            "prompt_tokens": 9,
            "completion_tokens": 2,
            "total_tokens": 11,
            "prompt_tokens_details": {"cached_tokens": 8},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    )
)
TWISTS = [
    (b"", b""),
    (b"Rhine", "Rhône\u2028".encode()),
    (b"Rhine", b"\\ud83d\\ude00"),
    (b"Rhine", b"\\ud83d"),
    (b"Rhine", b"Rh\xff"),
    (b"m-1", b"m\xff"),
    (b'"m-1"', b"null"),
    (b'"stop"', b'"length"'),
    (b'"stop"', b'"eos"'),
    (b'"stop"', b"null"),
    (b'"prompt_tokens":9', b'"prompt_tokens":9.0'),
    (b'"prompt_tokens":9', b'"prompt_tokens":-9'),
    (b'"prompt_tokens":9', b'"prompt_tokens":true'),
    (b'"prompt_tokens":9', b'"prompt_tokens":9007199254740993'),
    (b'"prompt_tokens":9', b'"prompt_tokens":9,"prompt_tokens":7'),
    (b'"cached_tokens":8', b'"cached_tokens":null'),
    (b'{"cached_tokens":8}', b"null"),
    (b'{"cached_tokens":8}', b'{},"prompt_cache_hit_tokens":4'),
    (b'"reasoning_tokens":0', b'"reasoning_tokens":3'),
    (b'{"reasoning_tokens":0}', b"[]"),
    (b'"usage":', b'"spent":'),
    (b'"usage":', b'"error":null,"usage":'),
    (b'"usage":', b'"error":{},"usage":'),
    (b'"usage":', b'"usage":null,"usage":'),
    (b'[{"message"', b'[{"text":"no","message"'),
    (b'"content":"Rhine"', b'"content":"Rhine","content":"Rhone"'),
]


@pytest.mark.parametrize(("old", "new"), TWISTS)
def test_what_is_seen_at_a_glance_is_what_a_closer_look_would_find(old: bytes, new: bytes) -> None:
    content = USUAL.replace(old, new)
    seen = openai_answers.glance(content)

    assert seen in (None, openai_answers.read(bodies.parsed(content), Sampling()))


def test_a_glance_is_enough_for_a_usual_answer_only() -> None:
    looked_at = [openai_answers.glance(USUAL.replace(old, new)) is None for old, new in TWISTS]

    assert not looked_at[0]
    assert any(looked_at)
    for odd in (b"", b"<html>", b"[]", b"null", b'{"error": {"message": "no"}}', b"[" * 100_000):
        assert openai_answers.glance(odd) is None

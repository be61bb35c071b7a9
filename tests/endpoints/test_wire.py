"""The plain functions between JSON and our values, at their edges."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest

from asyncgen.endpoints import bodies, openai_answers
from asyncgen.endpoints.failures import failure_of
from asyncgen.errors import AsyncgenError, TransientError
from asyncgen.records import Sampling

CHOICES = (" yes", " no")


def logprobs_of(top: Any, choices: tuple[str, ...] = CHOICES) -> dict[str, float] | None:
    body = {"choices": [{"text": " yes", "logprobs": top}]}
    return openai_answers.read(body, Sampling(choices=choices)).choice_logprobs


def first(**tokens: float) -> dict[str, Any]:
    return {"top_logprobs": [tokens]}


@pytest.mark.parametrize("yes", [" yes", "yes", " Yes", "YES", "Y", " y", "ye"])
def test_a_token_that_begins_a_choice_counts_for_it_in_any_case(yes: str) -> None:
    assert logprobs_of({"top_logprobs": [{yes: -1.0, " No": -2.0}]}) == {" yes": -1, " no": -2}


def test_the_case_of_a_choice_itself_does_not_matter_either() -> None:
    assert logprobs_of(first(a=-1.0, B=-2.0), ("A", "b")) == {"A": -1, "b": -2}


def test_a_token_that_begins_several_choices_counts_for_none() -> None:
    found = logprobs_of(
        first(po=-0.01, pos=-0.02, positive=-3.0, possible=-2.0), (" positive", " possible")
    )

    assert found == {" positive": -3, " possible": -2}


@pytest.mark.parametrize("blank", ["", " ", "\n", "\t "])
def test_a_blank_token_counts_for_no_choice(blank: str) -> None:
    found = logprobs_of({"top_logprobs": [{blank: -0.1, " yes": -3.0, " no": -2.0}]})

    assert found == {" yes": -3, " no": -2}


@pytest.mark.parametrize("other", [" yesterday", "no.", " not", "nope"])
def test_a_token_that_goes_beyond_a_choice_does_not_count(other: str) -> None:
    assert logprobs_of({"top_logprobs": [{other: -0.1, " yes": -1.0, " no": -2.0}]}) == {
        " yes": -1,
        " no": -2,
    }


def test_one_missing_choice_makes_the_others_useless() -> None:
    assert logprobs_of(first(yes=-0.1, maybe=-2.0)) is None


def test_an_impossible_choice_has_a_finite_log_probability() -> None:
    found = logprobs_of(first(yes=-0.1, no=-math.inf))

    assert found is not None
    assert -1000 < found[" no"] < -700


@pytest.mark.parametrize(
    "top",
    [
        None,
        [],
        {},
        "none",
        {"top_logprobs": None},
        {"top_logprobs": []},
        {"top_logprobs": {}},
        {"top_logprobs": [None]},
        {"top_logprobs": ["yes"]},
        {"top_logprobs": [{" yes": None, " no": "low"}]},
        {"top_logprobs": [{" yes": math.nan, " no": -1.0}]},
        {"content": [{"token": " yes", "logprob": -0.1, "top_logprobs": []}]},
    ],
)
def test_log_probabilities_of_another_form_are_none(top: Any) -> None:
    assert logprobs_of(top) is None


def test_a_rounding_error_above_certainty_is_certainty() -> None:
    assert logprobs_of(first(yes=1e-7, no=-20.0)) == {" yes": 0, " no": -20}


def test_without_choices_none_are_read() -> None:
    assert logprobs_of(first(yes=-1.0), ()) is None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"error": {"code": "a", "type": "b"}}', "a"),
        (b'{"error": {"code": null, "type": "b"}}', "b"),
        (b'{"error": {"code": 400, "type": "b"}}', "b"),
        (b'{"error": {"code": 400}}', ""),
        (b'{"error": "text"}', ""),
        (b'{"detail": "Not Found"}', ""),
        (b"[1]", ""),
        (b"Bad Gateway", ""),
        (b"", ""),
        (b"\xff\xfe", ""),
    ],
)
def test_a_code_is_a_word(content: bytes, code: str) -> None:
    assert bodies.error_code(content) == code


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"error": {"message": " a\\n b "}}', "a b"),
        (b'{"error": "a"}', "a"),
        (b'{"error": {"message": null}}', '{"error": {"message": null}}'),
        (b'{"error": {"message": ["a"]}}', "['a']"),
        (b'{"detail": "Not Found"}', '{"detail": "Not Found"}'),
        (b"Bad Gateway\r\n", "Bad Gateway"),
        (b"", ""),
        (b"\xff\xfe\x00a", "\ufffd\ufffd a"),
    ],
)
def test_a_message_is_one_line_of_an_error_in_any_form(content: bytes, said: str) -> None:
    assert bodies.error_message(content) == said


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b'{"data": [{"id": "a"}, {"id": "b"}]}', ["a", "b"]),
        (b'{"data": []}', []),
        (b'{"data": null}', None),
        (b'{"data": [1]}', None),
        (b"[]", None),
        (b"<html>", None),
    ],
)
def test_model_names_are_read_where_they_are(content: bytes, names: list[str] | None) -> None:
    assert bodies.model_names(content) == names


@pytest.mark.parametrize("status", [201, 204, 301, 304])
def test_an_unexpected_success_is_tried_again(status: int) -> None:
    error = failure_of(status, {}, b"", where="http://h/v1")

    assert isinstance(error, TransientError)
    assert str(error).startswith(f"http://h/v1: unexpected HTTP {status}")


@pytest.mark.parametrize("content", [b"", b"{}", orjson.dumps({"error": {"code": {}}})])
def test_every_status_has_a_meaning(content: bytes) -> None:
    for status in range(100, 600):
        error = failure_of(status, {"Retry-After": "soon"}, content, where="h")

        assert error is None or isinstance(error, AsyncgenError)

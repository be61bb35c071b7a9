"""The likelihoods of given answers are right, whatever way they are computed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from embedded.client import call, choice_logprobs, complete

if TYPE_CHECKING:
    from asyncgen.endpoints.embedded import EmbeddedServer

QUESTIONS = [
    "Is Paris the capital of France? Answer yes or no:",
    "Task: decide whether a review is positive. Is it a classification task?\nAnswer:",
]
CHOICES = [" Yes", " No", " Perhaps not", " Marseille\n"]


def _by_echo(base_url: str, prompt: str, choice: str) -> float:
    """Score the choice as a part of the prompt, by the runtime's own echo."""
    answer = complete(base_url, prompt + choice, max_tokens=1, logprobs=1, echo=True)
    logprobs = answer["choices"][0]["logprobs"]
    length = sum(offset >= len(prompt) for offset in logprobs["text_offset"]) - 1
    scores: list[float] = logprobs["token_logprobs"][-length - 1 : -1]
    return math.fsum(scores)


@pytest.mark.parametrize("prompt", QUESTIONS)
def test_likelihoods_equal_those_of_echo(
    openvino: EmbeddedServer, uncached: EmbeddedServer, prompt: str
) -> None:
    """With prefix caching and one token at a time, as without and all in one pass."""
    found = choice_logprobs(openvino.base_url, prompt, CHOICES)

    expected = {choice: _by_echo(uncached.base_url, prompt, choice) for choice in CHOICES}
    assert found == pytest.approx(expected, abs=0.01)
    # Asking again uses what the first time left in the cache.
    assert choice_logprobs(openvino.base_url, prompt, CHOICES) == pytest.approx(found, abs=1e-4)


@pytest.mark.parametrize("prompt", QUESTIONS)
def test_both_runtimes_agree(
    openvino: EmbeddedServer, llamacpp: EmbeddedServer, prompt: str
) -> None:
    """Two programs that share no code: also a check that the weights come through."""
    first = choice_logprobs(openvino.base_url, prompt, CHOICES)
    second = choice_logprobs(llamacpp.base_url, prompt, CHOICES)

    # They round activations differently; weights read with a loss would differ by whole nats.
    assert first == pytest.approx(second, abs=1)
    assert first[" Yes"] == pytest.approx(second[" Yes"], abs=0.3)
    assert first[" No"] == pytest.approx(second[" No"], abs=0.3)


def test_greedy_answer_is_the_likeliest(openvino: EmbeddedServer) -> None:
    answer = complete(
        openvino.base_url, QUESTIONS[0], logprobs=1, structured_outputs={"choice": CHOICES}
    )["choices"][0]

    scores = answer["logprobs"]["top_logprobs"][0]
    assert answer["text"] == max(scores, key=scores.__getitem__)
    assert answer["finish_reason"] == "stop"


def test_chat_lists_the_choices_from_the_likeliest(openvino: EmbeddedServer) -> None:
    body = {
        "messages": [{"role": "user", "content": "Is Paris in France?"}],
        "temperature": 0,
        "logprobs": True,
        "structured_outputs": {"choice": ["Yes", "No"]},
    }
    status, answer = call(f"{openvino.base_url}/chat/completions", body)

    assert status == 200
    (entry,) = answer["choices"][0]["logprobs"]["content"]
    scores = [top["logprob"] for top in entry["top_logprobs"]]
    assert scores == sorted(scores, reverse=True)
    assert answer["choices"][0]["message"]["content"] == entry["top_logprobs"][0]["token"]


def test_a_temperature_draws_by_likelihood(openvino: EmbeddedServer) -> None:
    drawn = {
        complete(
            openvino.base_url,
            QUESTIONS[0],
            temperature=50,
            seed=seed,
            structured_outputs={"choice": CHOICES[:2]},
        )["choices"][0]["text"]
        for seed in range(12)
    }

    assert drawn == {" Yes", " No"}

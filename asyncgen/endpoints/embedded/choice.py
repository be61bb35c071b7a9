"""Answer with one of several given texts, by their likelihoods.

A classification wants to know how likely each answer is, not only which one wins.  Each
token of each answer is scored right after what precedes it: for answers of one token, as
"Yes" and "No" are, that is one generated token for each answer.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.endpoints.embedded.generation import GenerationParameters, Runtime

__all__ = ["Choice", "choose"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The answer taken and what all of them were worth.

    Attributes:
        text: The answer taken.
        tokens: Its number of tokens.
        logprobs: The natural log-probability of each answer's tokens together.
    """

    text: str
    tokens: int
    logprobs: dict[str, float]


async def choose(
    runtime: Runtime,
    prompt: tuple[int, ...],
    answers: Sequence[str],
    parameters: GenerationParameters,
) -> Choice:
    """Score the answers and take one: the likeliest, or a random one at a temperature.

    Raises:
        UnservableError: The runtime cannot score one of the answers.
        RuntimeFailedError: The runtime broke down.
    """
    spelled = [await runtime.tokenize(answer, special=False) for answer in answers]
    # One after the other.  All but the first find the prompt in the cache; and OpenVINO lets
    # two requests that go on differently from one cached prompt at the same time write into
    # the same block, which spoils both (measured, benchmarks/LOG.md).
    totals = [
        math.fsum(
            [
                await runtime.score(prompt + tokens[:index], token)
                for index, token in enumerate(tokens)
            ]
        )
        for tokens in spelled
    ]
    taken = _pick(totals, parameters.temperature, parameters.seed)
    return Choice(answers[taken], len(spelled[taken]), dict(zip(answers, totals, strict=True)))


def _pick(logprobs: Sequence[float], temperature: float, seed: int) -> int:
    best = max(logprobs)
    if temperature == 0:
        return logprobs.index(best)
    weights = [math.exp((logprob - best) / temperature) for logprob in logprobs]
    # Not for security: a seeded choice that can be repeated.
    return random.Random(seed).choices(range(len(logprobs)), weights)[0]  # noqa: S311

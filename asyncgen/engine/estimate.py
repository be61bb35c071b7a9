"""How many tokens a request will take: a guess that learns from the usage that comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncgen.engine.limits import Amounts
    from asyncgen.records import Request, Usage

__all__ = ["TokenEstimate"]

_CHARACTERS_PER_TOKEN = 3.0
"""A low start, so that the first estimates err upwards."""

_FIRST_CHARACTERS = 1000.0
"""What that start weighs: the first answer of a usual length outweighs it."""

_MEMORY = 20
"""Answers of a stage over which its output is averaged."""


class TokenEstimate:
    """Guesses what a request takes from each meter; stages are learned apart."""

    __slots__ = ("_characters", "_input_tokens", "_output", "_uncached")

    def __init__(self) -> None:
        self._characters = _FIRST_CHARACTERS
        self._input_tokens = _FIRST_CHARACTERS / _CHARACTERS_PER_TOKEN
        self._uncached = self._input_tokens
        self._output: dict[str, tuple[float, int]] = {}

    def __call__(self, request: Request, characters: int) -> Amounts:
        """Return the amounts to reserve for a request of so many characters."""
        share, _ = self._output.get(request.stage, (1.0, 0))
        output = share * request.sampling.max_output_tokens
        rate = characters / self._characters
        return 1.0, rate * self._input_tokens + output, rate * self._uncached, output

    def learn(self, request: Request, characters: int, usage: Usage) -> None:
        """Take in what one answer really used."""
        if usage.input_tokens > 0:
            # What a provider read from its cache it does not count as input.
            fresh = usage.input_tokens - usage.cached_tokens
            if self._characters > 50 * characters:
                self._characters *= 0.5
                self._input_tokens *= 0.5
                self._uncached *= 0.5
            self._characters += characters
            self._input_tokens += usage.input_tokens
            self._uncached += fresh
        share = min(1.0, usage.output_tokens / request.sampling.max_output_tokens)
        before, known = self._output.get(request.stage, (1.0, 0))
        known = min(known + 1, _MEMORY)
        self._output[request.stage] = before + (share - before) / known, known

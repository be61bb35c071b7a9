"""A fake endpoint that follows a script: answers, delays and failures, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import anyio

from asyncgen.records import Completion, Reply, Usage

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from asyncgen.records import Request

    Script: TypeAlias = Callable[[Request, int], Reply | Completion | str | Exception]

__all__ = ["ScriptedEndpoint"]


class ScriptedEndpoint:
    """Answers each attempt with what a function returns for it.

    Args:
        script: Called with the request and the number of the attempt at it, from
            1. A string is an ordinary answer, an exception is raised.
        delay: Seconds to wait before an attempt is answered.
        paid: Whether requests in the air are waited for at the end.
        worst_cost: What an attempt may cost at most, in US dollars; ``None`` for no price.
        identity: Of the model that it plays.

    Attributes:
        requests: Every attempt so far, in the order of arrival.
        in_flight: Attempts that are open.
        most_in_flight: The largest number of attempts that were open at a time.
    """

    def __init__(
        self,
        script: Script,
        *,
        delay: Callable[[Request, int], float] = lambda _request, _attempt: 0.0,
        name: str = "scripted",
        paid: bool = True,
        worst_cost: float | None = 0.0,
        identity: str = "scripted",
    ) -> None:
        self.name = name
        self.identity = identity
        self.paid = paid
        self.requests: list[Request] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._script = script
        self._delay = delay
        self._worst_cost = worst_cost
        self._attempts: dict[tuple[str, str], int] = {}

    async def send(self, request: Request) -> Reply:
        """Answer by the script; whatever exception it returns is raised."""
        attempt = self._attempts.get((request.stage, request.key), 0) + 1
        self._attempts[request.stage, request.key] = attempt
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await anyio.sleep(self._delay(request, attempt))
        finally:
            self.in_flight -= 1

        return self._answer(request, self._script(request, attempt))

    def worst_cost(self, request: Request) -> float | None:  # noqa: ARG002 - the Protocol's
        """Return what was given."""
        return self._worst_cost

    def _answer(self, request: Request, outcome: Reply | Completion | str | Exception) -> Reply:
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, Reply):
            return outcome
        if isinstance(outcome, Completion):
            return Reply(outcome)
        prompt = request.prompt
        shown = " ".join(" ".join(turn) for turn in prompt.turns)
        words = len(f"{prompt.fixed} {shown} {prompt.variable}".split())
        return Reply(
            Completion(
                text=outcome,
                finish_reason="stop",
                usage=Usage(input_tokens=words, output_tokens=len(outcome.split())),
                endpoint=self.name,
                model="scripted",
            )
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

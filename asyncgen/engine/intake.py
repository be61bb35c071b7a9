"""What comes in: a source's requests, those whose answers are known told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from asyncgen.engine.lane import Ask
from asyncgen.records import Answer

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from asyncgen.engine.team import Team
    from asyncgen.records import Completion, Request, Stage

__all__ = ["Intake", "Memory", "Source"]


class Source(Protocol):
    """Where requests come from."""

    @property
    def finished(self) -> bool:
        """Whether no further request is wanted."""
        ...

    def next_request(self, stages: Collection[Stage] | None = None, /) -> Request | None:
        """Hand over the most urgent request; ``None`` if there is none at present.

        Args:
            stages: Those that may be asked now; ``None`` for any. Only where different lanes
                serve different stages is it ever given.
        """
        ...


class Memory(Protocol):
    """Answers that cost nothing, for they were given before."""

    def recall(self, request: Request, identities: Sequence[str]) -> Completion | None:
        """Return what one of these models answered to the same request; must not wait."""
        ...

    def keep(self, answer: Answer, identity: str) -> None:
        """Take in what a model answered; called when it was delivered."""
        ...


class Intake:
    """Takes requests from a source one at a time, and holds one until it is sent.

    Args:
        source: Where they come from.
        memory: Asked for each before it is held; ``None`` if there is none.
        team: For whose lanes they are.
    """

    def __init__(self, source: Source, memory: Memory | None, team: Team) -> None:
        self._source = source
        self._memory = memory
        self._identities = team.identities
        self._stages = team.stages
        self._held: Ask | None = None

    @property
    def finished(self) -> bool:
        """Whether no further request is wanted."""
        return self._source.finished

    def known(self) -> Answer | None:
        """Return the next request with its answer if that is known; if not, it is held."""
        if self._memory is None or self._held is not None:
            return None
        request = self._next_request()
        if request is None:
            return None
        completion = self._memory.recall(request, self._identities)
        if completion is not None:
            return Answer(request, completion)
        self._hold(request)
        return None

    def next(self) -> Ask | None:
        """Return what is to be sent next, the same until it was."""
        if self._held is None and self._memory is None:
            self._hold(self._next_request())
        return self._held

    def sent(self) -> None:
        """Hold the last no longer."""
        self._held = None

    def _next_request(self) -> Request | None:
        if self._stages is None:
            return self._source.next_request()
        return self._source.next_request(self._stages)

    def _hold(self, request: Request | None) -> None:
        if request is not None:
            self._held = Ask(request, request.prompt.characters)

"""One session of asking: endpoints, shared cache and journal behind one engine."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from asyncgen.cache import Sharing
from asyncgen.engine import Engine, EngineOptions, Lane, Limits, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from asyncgen.cache import AnswerCache
    from asyncgen.endpoints.base import Endpoint
    from asyncgen.engine import EngineSnapshot, Source
    from asyncgen.journal import Journal
    from asyncgen.records import Answer
    from asyncgen.settings import Settings

__all__ = ["Session"]


class Session:
    """Asks what a source has to ask; every answer is on the disk before it is acted on.

    Args:
        journal: Open.
        cache: Of answers that runs share, open; ``None`` for none.
        spent: US dollars that earlier sessions cost.
        act: Awaited with each answer when it is safe.

    Attributes:
        engine: ``None`` before the endpoints are open.
        stopped: Whether nothing more is to be launched.
    """

    def __init__(
        self,
        journal: Journal,
        cache: AnswerCache | None,
        spent: float,
        act: Callable[[Answer], Awaitable[None]],
    ) -> None:
        self._journal = journal
        self._cache = cache
        self._spent = spent
        self._act = act
        self._lost_on_the_way = 0.0
        self.engine: Engine | None = None
        self.stopped = False

    async def work(
        self,
        settings: Settings,
        endpoints: Sequence[Endpoint],
        source: Source,
        say: Callable[[str], None],
    ) -> None:
        """Ask until the source is finished, :meth:`stop` is called or an error ends it.

        Args:
            settings: Limits and budget.
            endpoints: Open, in the order of the settings' lanes.
            source: What to ask.
            say: Told what becomes of an endpoint, for the person who waits.

        Raises:
            EndpointRefusedError: If an endpoint refuses for good.
            RunPausedError: If no answer can be had for now, or none is of use.
            RunFolderError: If an answer could not be written.
        """
        self._journal.keep_room(settings.max_in_flight)
        with ExitStack() as stack:
            memory = stack.enter_context(Sharing(self._cache, say)) if self._cache else None
            options = EngineOptions(
                max_in_flight=settings.max_in_flight,
                retry=RetryPolicy(max_attempts=settings.max_attempts),
                max_cost=settings.max_cost,
                spent=self._spent,
                memory=memory,
                say=say,
            )
            self.engine = engine = Engine(_lanes(settings, endpoints), self._deliver, options)
            if self.stopped:
                return
            try:
                await engine.run(source)
                await self._journal.settle()
            finally:
                # What came before an answer stands with it, the rest with the session.
                self._journal.lose(engine.snapshot().lost - self._lost_on_the_way)

    def stop(self) -> None:
        """Launch nothing more; :meth:`work` returns when the air is clear."""
        self.stopped = True
        if self.engine is not None:
            self.engine.stop()

    def snapshot(self) -> EngineSnapshot | None:
        """Return what the engine is doing, ``None`` before it starts."""
        return None if self.engine is None else self.engine.snapshot()

    async def _deliver(self, answer: Answer) -> None:
        if answer.completion.recalled:
            # Not paid for, so not waited for; what follows from it comes after it in the journal.
            self._journal.note(answer)
        else:
            await self._journal.append(answer)
        self._lost_on_the_way += answer.completion.lost_cost
        await self._act(answer)


def _lanes(settings: Settings, endpoints: Sequence[Endpoint]) -> list[Lane]:
    return [
        Lane(
            endpoint,
            Limits(lane.rpm, lane.tpm, lane.input_tpm, lane.output_tpm, lane.rpd),
            weight=lane.weight,
            max_in_flight=lane.max_in_flight,
        )
        for endpoint, lane in zip(endpoints, settings.lanes(), strict=True)
    ]

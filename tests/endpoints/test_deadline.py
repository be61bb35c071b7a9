"""Time limits of an attempt, in virtual time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from support.clock import VirtualLoop, run_virtually

from asyncgen.endpoints.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asyncgen.errors import Phase

    Work = Callable[[Deadline], Awaitable[None]]


def ended(
    work: Work, *, total: float = 100, first_byte: float | None = None, stall: float | None = None
) -> tuple[float, Phase | None]:
    """Return when work under a deadline ended, in seconds, and what took too long."""

    async def run() -> tuple[float, Phase | None]:
        deadline, late = Deadline(total, first_byte, stall), None
        try:
            await work(deadline)
        except asyncio.CancelledError as error:
            late = deadline.close(error)
            if late is None:
                raise
        else:
            assert deadline.close(None) is None
        return asyncio.get_running_loop().time(), late

    return run_virtually(run)


def pieces(*moments: float) -> Work:
    """Return work that makes progress at moments, and is done at the last."""

    async def work(deadline: Deadline) -> None:
        for moment in moments:
            await asyncio.sleep(moment - asyncio.get_running_loop().time())
            deadline.progress()

    return work


def frozen(begin: float, end: float, done: float) -> Work:
    """Return work that is done at a moment, on a machine that stands still in between."""

    async def work(_deadline: Deadline) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        await asyncio.sleep(begin)
        loop.leap(end - begin)
        await asyncio.sleep(max(0.0, done - end))

    return work


@pytest.mark.parametrize(
    ("work", "limits", "outcome"),
    [
        (pieces(99), {}, (99, None)),
        (pieces(101), {}, (100, "total")),
        (pieces(7), {"first_byte": 8}, (7, None)),
        (pieces(9), {"first_byte": 8}, (8, "first_byte")),
        (pieces(7, 30), {"first_byte": 8}, (30, None)),
        (pieces(7, 10), {"stall": 2}, (9, "stalled")),
        (pieces(50, 51, 52, 53), {"stall": 2}, (53, None)),
        (pieces(50, 51, 60), {"stall": 2, "first_byte": 60}, (53, "stalled")),
        (pieces(*range(1, 200)), {"stall": 2}, (100, "total")),
    ],
)
def test_each_phase_has_its_time(
    work: Work, limits: dict[str, float], outcome: tuple[float, Phase | None]
) -> None:
    assert ended(work, **limits) == outcome


@pytest.mark.parametrize("limits", [{}, {"first_byte": 20.0}])
def test_after_a_standstill_there_is_time_to_read_what_came(limits: dict[str, float]) -> None:
    assert ended(frozen(10, 3600, 3601), **limits) == (3601, None)


def test_after_a_standstill_what_did_not_come_is_not_waited_for_long() -> None:
    assert ended(frozen(10, 3600, 9999)) == (3605, "total")


def test_a_standstill_within_the_limits_changes_nothing() -> None:
    assert ended(frozen(10, 60, 101)) == (100, "total")


def test_a_cancellation_by_somebody_else_goes_on() -> None:
    async def run() -> bool:
        async def work() -> None:
            deadline = Deadline(5, None, None)
            try:
                await asyncio.sleep(9)
            except asyncio.CancelledError as error:
                if deadline.close(error) is None:
                    raise

        task = asyncio.ensure_future(work())
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert run_virtually(run)

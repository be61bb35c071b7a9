"""The clock leaps: the process was stopped, or the machine frozen, for an hour."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from engine.provider import Provider
from engine.trial import Trial, accepted
from support.clock import VirtualLoop

from asyncgen.engine import Limits
from asyncgen.errors import TimedOutError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncgen.engine import Engine
    from asyncgen.records import Reply, Request

BEGIN, END = 10.0, 3610.0


class Interrupted(Provider):
    """What is in the air when the clock leaps fails afterwards, or is answered all the same."""

    failure: Callable[[], Exception] | None = None

    async def send(self, request: Request) -> Reply:
        """Answer; but not over a connection that was cut."""
        now = asyncio.get_running_loop().time
        sent = now()
        reply = await super().send(request)
        if self.failure is not None and sent < BEGIN and now() >= END:
            raise self.failure()
        return reply


async def _leap(_engine: Engine) -> None:
    await asyncio.sleep(BEGIN)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.leap(END - BEGIN)
    await asyncio.Event().wait()


@pytest.mark.parametrize("rpm", [None, 6000.0])
@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(None, id="answers were waiting"),
        pytest.param(
            lambda: TransientError("connection reset", possibly_billed=True), id="connections cut"
        ),
        pytest.param(lambda: TimedOutError("no answer", phase="total"), id="timed out"),
    ],
)
def test_an_hour_of_standing_still_ends_nothing_and_lets_the_rate_be_what_it_was(
    failure: Callable[[], Exception] | None, rpm: float | None
) -> None:
    provider = Interrupted(rpm=rpm, slots=64)
    provider.failure = failure
    trial = Trial([provider], limits=Limits(rpm=rpm), seconds=END + 30, max_in_flight=256)
    trial.meanwhile = _leap
    result = trial.run()

    assert result.error is None
    assert result.said == []
    assert provider.refused == []
    before = accepted(provider, BEGIN - 5, BEGIN)
    assert accepted(provider, END + 5, END + 10) >= 0.9 * before

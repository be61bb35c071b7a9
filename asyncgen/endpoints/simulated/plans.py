"""What to do about one request, and what faults make of it. Plain functions on values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct, structs

from asyncgen.endpoints.simulated.headers import retry_headers
from asyncgen.endpoints.simulated.http import response
from asyncgen.endpoints.simulated.refusals import fault_error

if TYPE_CHECKING:
    from asyncgen.endpoints.simulated.options import Family, Fault, SimulatedOptions

__all__ = ["ANSWERED", "Plan", "struck"]

ANSWERED = "answered"
"""The outcome that counts as success."""

_NOT_JSON = b"<html><body><h1>Upstream connect error</h1></body></html>"
_TELLS_WHEN = frozenset({"429", "slow_down"})


Ending = Literal["keep", "close", "reset", "silence"]

_ENDINGS: dict[Fault, Ending] = {"reset": "reset", "cut-body": "close", "stall": "silence"}


class Plan(Struct, frozen=True):
    """What to do about one request.

    Attributes:
        key: Of its content.
        data: What to send.
        outcome: What the verdict calls it.
        seconds: How long it takes to compute.
        computes: Whether it needs one of the places at the knee meanwhile.
        ending: After the data the connection lives on, is closed in order, is broken off,
            or stays silent for ever.
        told: Seconds that the answer asks the client to wait, if it does.
    """

    key: int
    data: bytes
    outcome: str
    seconds: float = 0.0
    computes: bool = False
    ending: Ending = "keep"
    told: float | None = None


def struck(plan: Plan, fault: Fault, family: Family, options: SimulatedOptions) -> Plan:
    """Return what a fault makes of a plan that would have answered."""
    error = fault_error(fault, family)
    if error is not None:
        status, body = error
        told = options.pause if fault in _TELLS_WHEN else None
        headers = retry_headers(family, told) if told is not None else ""
        return Plan(plan.key, response(status, body, headers), fault, told=told)
    if fault == "hang":
        return Plan(plan.key, b"", fault, ending="silence")
    if fault == "slow":
        return structs.replace(plan, seconds=plan.seconds + options.slow)
    # An empty answer has been written as one already.
    data = plan.data
    if fault == "not-json":
        data = response(200, _NOT_JSON, kind="text/html")
    elif fault in _ENDINGS:
        data = b"" if fault == "reset" else _half(plan.data)
    return structs.replace(plan, data=data, outcome=fault, ending=_ENDINGS.get(fault, "keep"))


def _half(data: bytes) -> bytes:
    """Return a response without the second half of its body."""
    head = data.find(b"\r\n\r\n") + 4
    return data[: head + (len(data) - head) // 2]

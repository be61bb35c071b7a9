"""One endpoint with its limits and counters: what the engine routes over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asyncgen.engine.limits import Cost, RateLimits

if TYPE_CHECKING:
    from asyncgen.endpoints.base import Endpoint
    from asyncgen.records import Request

__all__ = ["Lane", "TokenEstimate", "pick_lane"]

_CHARACTERS_PER_TOKEN = 3.0
"""A low start, so that the first estimates err upwards."""


class TokenEstimate:
    """Guesses a request's tokens before it is sent; learns from usage that comes back."""

    def __init__(self) -> None:
        self._characters = _CHARACTERS_PER_TOKEN * 1000
        self._input_tokens = 1000.0
        self._output_share: dict[str, float] = {}

    def __call__(self, request: Request) -> int:
        """Return the expected input and output tokens together."""
        expected_output = (
            self._output_share.get(request.stage, 1.0) * request.sampling.max_output_tokens
        )
        rate = self._input_tokens / self._characters
        return round(_length(request) * rate + expected_output)

    def learn(self, request: Request, input_tokens: int, output_tokens: int) -> None:
        """Take in what one answer really used."""
        if input_tokens > 0:
            self._characters += _length(request)
            self._input_tokens += input_tokens
        share = min(1.0, output_tokens / request.sampling.max_output_tokens)
        before = self._output_share.get(request.stage, 1.0)
        self._output_share[request.stage] = before + 0.1 * (share - before)


def _length(request: Request) -> int:
    return request.prompt.characters


@dataclass(slots=True, eq=False)
class Lane:
    """An endpoint, its gate and what is known of it.

    Attributes:
        in_flight: Attempts that are open.
        has_answered: Whether it ever answered in this session.
    """

    endpoint: Endpoint
    limits: RateLimits
    estimate: TokenEstimate = field(default_factory=TokenEstimate)
    in_flight: int = 0
    has_answered: bool = False

    def cost_of(self, request: Request) -> Cost:
        """Return what a request will take from the limits, as far as one can know."""
        return Cost(requests=1, tokens=self.estimate(request))


def pick_lane(lanes: list[Lane], request: Request, now: float) -> tuple[Lane, float]:
    """Return the lane that can take a request soonest, the idler of equals, and the wait for it.

    Raises:
        EndpointRefusedError: If the request can never pass a lane's limits.
    """
    waits = [(lane.limits.delay(lane.cost_of(request), now), lane) for lane in lanes]
    delay, lane = min(waits, key=lambda pair: (pair[0], pair[1].in_flight))
    return lane, delay

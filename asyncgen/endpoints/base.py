"""The seam to the world outside: what the engine knows of a language model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from asyncgen.records import Reply, Request

__all__ = ["Endpoint"]


class Endpoint(Protocol):
    """A place that answers requests.

    Attributes:
        name: What messages call it.
        identity: Tells its model from others, wherever they are: an answer of one endpoint may
            stand for that of another with the same identity.
        paid: Whether answers cost money, so that those in the air are waited for.
    """

    name: str
    identity: str
    paid: bool

    async def send(self, request: Request) -> Reply:
        """Make one attempt at a request.

        Raises:
            TransientError: When another attempt may help.
            UnreachableError: When nothing answers at that address.
            QuotaError: When this key's credit, or its day's quota, is used up.
            RequestRejectedError: When this request will never be answered.
            EndpointRefusedError: When no request will be: host, path, key or model is wrong.
        """
        ...

    def worst_cost(self, request: Request) -> float | None:
        """Return the US dollars that one attempt may cost at most; ``None`` without a price."""
        ...

    async def __aenter__(self) -> Self:
        """Open connections."""
        ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close connections."""
        ...

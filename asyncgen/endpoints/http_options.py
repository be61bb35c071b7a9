"""How to talk to a service over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asyncgen.endpoints.transport import Timeouts

if TYPE_CHECKING:
    from asyncgen.records import Api
    from asyncgen.settings import HeaderFamily

__all__ = ["HttpOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """How to talk to a service.

    Attributes:
        base_url: Such as ``https://HOST/v1``, without the last path segment of a method.
        model: The model's name as the service knows it.
        api: ``anthropic`` for Anthropic's messages; of the others each request names its own.
        api_key_env: Environment variable that holds the key; unset means no key is sent.
        timeouts: How long to wait for what.
        name: What messages call it; the base URL by default.
        label: What a dataset's provenance calls the endpoint; the host by default.
        identity: Tells its model from others; by default the interface and the model's name.
        paid: Whether answers cost money.
        headers: Whose rate-limit headers it sends; by its host where that is known.
        restricts_choices: Whether the service decodes under vLLM's
            ``structured_outputs`` and reports the log-probability of every choice.
    """

    base_url: str
    model: str
    api: Api = "chat"
    api_key_env: str = "OPENAI_API_KEY"
    timeouts: Timeouts = field(default_factory=Timeouts)
    name: str = ""
    label: str = ""
    identity: str = ""
    paid: bool = True
    headers: HeaderFamily = "auto"
    restricts_choices: bool = False

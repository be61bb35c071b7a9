"""Why a service refuses for good, and what mends it. Plain functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncgen.errors import EndpointRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.endpoints.http_options import HttpOptions

__all__ = ["Refusal", "explained"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal as it came.

    Attributes:
        said: The message of its body, on one line.
        path: Where the request went, below the base URL.
    """

    status: int
    said: str
    path: str


def explained(
    refusal: Refusal, options: HttpOptions, *, has_key: bool, served: Sequence[str] | None
) -> EndpointRefusedError:
    """Say which of key, path, model and request is wrong.

    Args:
        refusal: What was said.
        options: Of the endpoint.
        has_key: Whether a key was sent.
        served: The models that it serves, ``None`` if it does not tell or was not asked.
    """
    url, status, said = options.base_url, refusal.status, refusal.said
    if status in {401, 403}:
        problem = "the key in" if has_key else "no key in"
        return EndpointRefusedError(
            f"{url}: HTTP {status}, {problem} ${options.api_key_env} is not "
            f"accepted for it: {said}; set ${options.api_key_env}, or name another variable "
            "with --api-key-env"
        )
    if status == 404:
        return EndpointRefusedError(f"{url}: HTTP 404, {_not_found(refusal, options, served)}")
    return EndpointRefusedError(f"{url}: HTTP {status}, the request is not accepted: {said}")


def _not_found(refusal: Refusal, options: HttpOptions, served: Sequence[str] | None) -> str:
    if served is None:
        usual = "" if options.api == "anthropic" else "; the base URL usually ends in /v1"
        return f"wrong path: there is no {refusal.path} below it{usual} ({refusal.said})"
    if options.model not in served:
        listing = ", ".join(served[:8]) + (", …" if len(served) > 8 else "")
        return f"unknown model '{options.model}'; it serves: {listing}"
    other = "completions" if refusal.path.endswith("/chat/completions") else "chat"
    return f"it serves '{options.model}' but not {refusal.path}: try --api {other} ({refusal.said})"

"""The routes for whoever plans or tests: look at the verdict, change limits, make an outage."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import msgspec

from asyncgen.endpoints.simulated.dialects import PATHS, models_body
from asyncgen.endpoints.simulated.http import response
from asyncgen.endpoints.simulated.options import Allowance, Outage
from asyncgen.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncgen.endpoints.simulated.http import HttpRequest
    from asyncgen.endpoints.simulated.provider import Provider

__all__ = ["other_route"]


class _OutageAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seconds: float
    kind: Outage = "503"


def other_route(provider: Provider, request: HttpRequest, now: float) -> bytes:
    """Answer what is no question to the model; changes what the request asks to change."""
    method, path = request.method, request.path
    route = _ROUTES.get((method, path))
    if route is not None:
        return route(provider, request.body, now)
    if path in PATHS or any(path == known for _, known in _ROUTES):
        return _problem(405, f"{path}: {method} is not allowed")
    return _problem(404, f"Invalid URL ({method} {path})")


def _models(provider: Provider, _body: bytes, _now: float) -> bytes:
    return response(200, models_body(provider.options.model))


def _verdict(provider: Provider, _body: bytes, now: float) -> bytes:
    return response(200, msgspec.json.encode(provider.verdict(now)))


def _limits_in_force(provider: Provider, _body: bytes, _now: float) -> bytes:
    return response(200, msgspec.json.encode(provider.allowance))


def _limits(provider: Provider, body: bytes, now: float) -> bytes:
    """Change the limits that are named; null lifts one."""
    try:
        changes = msgspec.json.decode(body, type=dict[str, float | int | None])
        merged = msgspec.structs.asdict(provider.allowance) | changes
        allowance = msgspec.convert(merged, Allowance)
        provider.change_limits(allowance, now)
    except (msgspec.DecodeError, msgspec.ValidationError, SettingsError) as error:
        return _problem(400, str(error))
    return response(200, msgspec.json.encode(allowance))


def _outage(provider: Provider, body: bytes, now: float) -> bytes:
    try:
        asked = msgspec.json.decode(body, type=_OutageAsked)
    except msgspec.DecodeError as error:
        kinds = ", ".join(get_args(Outage))
        return _problem(400, f"{error}; it is {{seconds, kind}} with kind one of {kinds}")
    provider.start_outage(asked.seconds, asked.kind, now)
    return response(200, b"{}")


_ROUTES: dict[tuple[str, str], Callable[[Provider, bytes, float], bytes]] = {
    ("GET", "/v1/models"): _models,
    ("GET", "/simulated/verdict"): _verdict,
    ("GET", "/simulated/limits"): _limits_in_force,
    ("POST", "/simulated/limits"): _limits,
    ("POST", "/simulated/outage"): _outage,
}


def _problem(status: int, message: str) -> bytes:
    code = "not_found" if status == 404 else "invalid_request"
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return response(status, msgspec.json.encode({"error": error}))

"""What is changed of a run's settings while it works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct

from asyncgen.errors import SettingsError
from asyncgen.settings.checking import check
from asyncgen.settings.values import EMBEDDED, LIMITS, SIMULATED, EndpointSettings

if TYPE_CHECKING:
    from asyncgen.settings.values import Settings

__all__ = ["Change", "changed"]

Lifted = Literal["none"]


class Change(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="do",
    tag="adjust",
):
    """A change; what is left out stays as it is, and "none" lifts a limit.

    Attributes:
        endpoint: Base URL of the one that it is for; ``None`` for all, those with settings of
            their own too. ``max_in_flight`` then is the run's.
        rpm, tpm, input_tpm, output_tpm, rpd, max_in_flight, max_cost: As in :class:`Settings`.
    """

    endpoint: str | None = None
    rpm: float | Lifted | None = None
    tpm: float | Lifted | None = None
    input_tpm: float | Lifted | None = None
    output_tpm: float | Lifted | None = None
    rpd: float | Lifted | None = None
    max_in_flight: int | None = None
    max_cost: float | Lifted | None = None

    def given(self) -> dict[str, float | None]:
        """Return what is changed by the names of settings, ``None`` for what is lifted."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return {
            name: None if value == "none" else value
            for name, value in fields.items()
            if value is not None and name != "endpoint"
        }


def changed(settings: Settings, change: Change) -> Settings:
    """Return the settings after a change.

    Raises:
        SettingsError: If a value makes no sense, no endpoint has that URL, or nothing is given.
    """
    given = change.given()
    if not given:
        raise SettingsError("nothing to change is given")
    urls = [lane.url for lane in settings.lanes()]
    if change.endpoint is not None and change.endpoint not in urls:
        names = ", ".join(dict.fromkeys(urls))
        raise SettingsError(
            f"--endpoint {change.endpoint}: the run has none of that URL, but {names}"
        )
    ours = {EMBEDDED, SIMULATED} & set(settings.endpoint)
    if change.endpoint is None or change.endpoint in ours:
        after = _for_all(settings, given, judge_too=change.endpoint is None)
    else:
        after = _for_one(settings, change.endpoint, given)
    check(after)
    return after


def _for_all(settings: Settings, given: dict[str, Any], *, judge_too: bool) -> Settings:
    inherited = dict.fromkeys(LIMITS & given.keys())
    tables = tuple(msgspec.structs.replace(one, **inherited) for one in settings.endpoints)
    limits = {name: value for name, value in given.items() if name in LIMITS}
    judge = settings.judge
    if judge is not None and judge_too:
        judge = msgspec.structs.replace(judge, **limits)
    return msgspec.structs.replace(settings, endpoints=tables, judge=judge, **given)


def _for_one(settings: Settings, url: str, given: dict[str, Any]) -> Settings:
    """Give every endpoint a table, and change those of that URL.

    A table cannot say that there is no limit where the run has one. So a limit that is lifted
    for one endpoint is no longer the run's, but written to each of the others.
    """
    if "max_cost" in given:
        raise SettingsError("--max-cost holds for the whole run: leave --endpoint out")
    run_s = {name: getattr(settings, name) for name, value in given.items() if value is None}

    def table(one: EndpointSettings) -> EndpointSettings:
        own = (
            given
            if one.url == url
            else {name: value for name, value in run_s.items() if getattr(one, name) is None}
        )
        return msgspec.structs.replace(one, **own)

    judge = settings.judge
    if judge is not None and judge.url == url:
        return msgspec.structs.replace(settings, judge=msgspec.structs.replace(judge, **given))
    before = (*(EndpointSettings(url=one) for one in settings.endpoint), *settings.endpoints)
    return msgspec.structs.replace(
        settings,
        endpoint=(),
        endpoints=tuple(table(one) for one in before),
        **dict.fromkeys(run_s),
    )

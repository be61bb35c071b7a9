"""What a run at work can be told, and what it says of itself.

One JSON object a line each way: ``{"do": "status"}``, ``{"do": "stop"}`` or
``{"do": "adjust", "rpm": 300, …}``; back comes a :class:`Report`, or ``{"error": "one line"}``.
"""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from asyncgen.engine import Adjustment, EngineSnapshot
from asyncgen.errors import AsyncgenError, InputError, RunFolderError
from asyncgen.settings import Change, changed

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncgen.pipeline.run import Run
    from asyncgen.settings import Settings

__all__ = ["Command", "Look", "Refusal", "Report", "Stop", "read_reply", "respond"]


class Look(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="status"):
    """Say how everything stands."""


class Stop(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="stop"):
    """Launch nothing more, finish what is in the air and end."""


Command = Look | Change | Stop


class Report(Struct, frozen=True, kw_only=True):
    """How a run at work stands.

    Attributes:
        process: Its process id.
        seconds: Since this session began.
        stopping: Whether it launches nothing more.
        changed: What the command changed, a line each.
        engine: ``None`` before the endpoints are open.
    """

    process: int
    seconds: float
    stopping: bool
    changed: tuple[str, ...] = ()
    engine: EngineSnapshot | None = None


class Refusal(Struct, frozen=True):
    """Why a command was not carried out, in one line."""

    error: str


def respond(line: bytes, run: Run, stop: Callable[[], None]) -> bytes:
    """Carry out a command and return what to reply; whatever it is, the run goes on.

    Args:
        line: The command.
        run: What it is for.
        stop: Does what the first Ctrl-C does.
    """
    try:
        command = _read(line)
        lines: tuple[str, ...] = ()
        if isinstance(command, Change):
            lines = _adjust(run, command)
        elif isinstance(command, Stop):
            stop()
    except AsyncgenError as error:
        return msgspec.json.encode(Refusal(" ".join(str(error).split())))
    return msgspec.json.encode(
        Report(
            process=os.getpid(),
            seconds=time.monotonic() - run.started,
            stopping=run.session.stopped,
            changed=lines,
            engine=run.session.snapshot(),
        )
    )


def read_reply(line: bytes) -> Report:
    """Read what :func:`respond` returned.

    Raises:
        InputError: If the command was refused, or the reply is of another version.
    """
    try:
        reply = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        if "error" in reply:
            raise InputError(msgspec.json.decode(reply["error"], type=str))
        return msgspec.json.decode(line, type=Report)
    except msgspec.MsgspecError as error:
        raise InputError(f"the process at work speaks otherwise ({error})") from error


def _read(line: bytes) -> Command:
    try:
        command: Command = msgspec.json.decode(line, type=Command)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(f"not a command: {error}") from error
    return command


def _adjust(run: Run, change: Change) -> tuple[str, ...]:
    """Change what the engine keeps to, and write it down for later sessions."""
    before, after = run.settings, changed(run.settings, change)
    if run.session.engine is not None:
        run.session.engine.adjust(_adjustment(before, change))
    run.settings, run.adjusted = after, True
    try:
        run.folder.freeze(after)
    except RunFolderError as error:
        raise RunFolderError(
            run.folder.path, f"changed, but for this session only: {error.problem}"
        ) from error
    return _differences(before, after, change)


def _adjustment(settings: Settings, change: Change) -> Adjustment:
    ours = settings.is_embedded or settings.is_simulated
    values = {name: math.inf if value is None else value for name, value in change.given().items()}
    ceiling = change.max_in_flight
    values.pop("max_in_flight", None)
    lane = None if ours else change.endpoint
    return Adjustment(lane=lane, max_in_flight=ceiling, **values)


def _differences(before: Settings, after: Settings, change: Change) -> tuple[str, ...]:
    def of(settings: Settings, name: str) -> str:
        holder = next((one for one in settings.lanes() if one.url == change.endpoint), settings)
        value = getattr(holder, name)
        return "none" if value is None else f"{value:,.10g}"

    where = f"{change.endpoint}: " if change.endpoint else ""
    return tuple(
        f"{where}{name.replace('_', '-')} {of(before, name)} → {of(after, name)}"
        for name in change.given()
    )

"""How a piece of asking ended: its exit code, its name, and how to go on."""

from __future__ import annotations

import shlex
import signal
from typing import TYPE_CHECKING

import typer

from asyncgen.errors import RunPausedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.errors import AsyncgenError

__all__ = ["exit_code", "is_orderly", "outcome_of", "say_how_to_resume"]

_INTERRUPTED = {128 + number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
_RESUMABLE = {3} | _INTERRUPTED


def exit_code(finished: bool, received: int | None, problem: AsyncgenError | None) -> int:  # noqa: FBT001 - said first, as the rest hangs on it
    """Return what to exit with.

    Args:
        finished: Whether all was done.
        received: The signal that ended it early, if one did.
        problem: The error that did.
    """
    if finished:
        return 0
    if problem is not None:
        return problem.exit_code
    return 128 + (received or signal.SIGINT)


def is_orderly(code: int) -> bool:
    """Whether what came of it is worth a summary."""
    return code == 0 or code in _RESUMABLE


def outcome_of(code: int) -> str:
    """Return an exit code in a word: done, paused, interrupted or failed."""
    names = {0: "done", 3: "paused"} | dict.fromkeys(_INTERRUPTED, "interrupted")
    return names.get(code, "failed")


def say_how_to_resume(code: int, problem: AsyncgenError | None, arguments: Sequence[str]) -> None:
    """Print the command that goes on, where there is something to go on with."""
    if code in _RESUMABLE:
        why = f"stopped early: {problem}" if problem else "interrupted"
        told = problem.go_on_with if isinstance(problem, RunPausedError) else ()
        again = shlex.join(["asyncgen", *arguments, *told])
        typer.echo(f"asyncgen: {why}; nothing is lost, resume with: {again}", err=True)

"""One session of asking a survey from the command line: signals, progress, how it ended."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from asyncgen.cli.interruption import until_interrupted
from asyncgen.cli.outcome import exit_code, say_how_to_resume
from asyncgen.cli.progress import Progress
from asyncgen.errors import AsyncgenError, RunPausedError

if TYPE_CHECKING:
    from asyncgen.survey.survey import Survey

__all__ = ["ask_all"]


def ask_all(survey: Survey, *, quiet: bool) -> int:
    """Ask until all is answered, it pauses or is interrupted; return the exit code.

    Where it is not 0, how to go on is printed.

    Raises:
        AsyncgenError: If it failed; what was answered is kept all the same.
    """
    problem: AsyncgenError | None = None
    received: int | None = None
    progress = Progress(survey, enabled=not quiet)
    if not survey.finished:
        try:
            received = until_interrupted(survey.session, lambda: survey.ask(progress.say), progress)
        except AsyncgenError as error:
            problem = error
    code = exit_code(survey.finished, received, problem)
    if code and problem is not None and not isinstance(problem, RunPausedError):
        raise problem
    say_how_to_resume(code, problem, sys.argv[1:])
    return code

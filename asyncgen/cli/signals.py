"""The signals that end a session early."""

from __future__ import annotations

import signal

__all__ = ["ending", "is_impatient"]


def ending() -> tuple[signal.Signals, ...]:
    """Return the signals to watch for: Ctrl-C, SIGTERM, and that the terminal was closed.

    Under ``nohup`` the last is not one of them.
    """
    always = (signal.SIGINT, signal.SIGTERM)
    return always if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (*always, signal.SIGHUP)


def is_impatient(number: int) -> bool:
    """Whether a signal that comes after another means "at once".

    A closed terminal is told two or three times, by the kernel and by the shell.
    """
    return number != signal.SIGHUP

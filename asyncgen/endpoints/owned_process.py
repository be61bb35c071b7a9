"""A server of ours in a child process: both ends of the bond between parent and child.

The parent starts the child with a log file, hears in one line of JSON on the child's standard
output that it is ready or why it is not, and stops it.  The child lives as long as its parent.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import orjson

from asyncgen.errors import LocalServerError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from anyio.abc import Process

__all__ = ["first_report", "live_with_parent", "log_tail", "owned_process", "send_report"]

_STOP_TIMEOUT = 5.0  # seconds between SIGTERM and SIGKILL
_TAIL_BYTES = 2000


@asynccontextmanager
async def owned_process(module: str, argument: str, log_path: Path) -> AsyncGenerator[Process]:
    """Run ``python -m module argument`` for as long as the block runs; also when cancelled.

    At the end the process is terminated, and killed if that does not help.

    Args:
        module: Its main function calls :func:`live_with_parent`.
        argument: What the child is told.
        log_path: File to which the child's standard error is appended.

    Raises:
        LocalServerError: If the log cannot be written.
    """
    try:
        log = log_path.open("ab")
    except OSError as error:
        raise LocalServerError(f"{log_path}: cannot be written: {error.strerror}") from error
    with log:
        process = await anyio.open_process(
            [sys.executable, "-m", module, argument],
            stderr=log,
            # Its own session: signals of the terminal are the parent's business.
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            await _stop(process)


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        with anyio.move_on_after(_STOP_TIMEOUT):
            await process.wait()
    if process.returncode is None:
        process.kill()
    await process.aclose()


async def first_report(process: Process, seconds: float) -> dict[str, Any] | None:
    """Return what the child reports first; ``None`` if it died without a report.

    Raises:
        TimeoutError: If it reports nothing for so long.
    """
    line = b""
    with anyio.fail_after(seconds):
        try:
            while not line.endswith(b"\n"):
                line += await process.stdout.receive() if process.stdout else b"\n"
        except anyio.EndOfStream:
            await process.wait()
            return None
    report: dict[str, Any] = orjson.loads(line)
    return report


def log_tail(log_path: Path) -> str:
    """Return the log's last lines in one, and where it is."""
    try:
        content = log_path.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")
    except OSError as error:
        return f"{log_path} cannot be read: {error.strerror}"
    lines = [line.strip() for line in content.splitlines() if line.strip()]
    return f"{' | '.join(lines[-3:]) or 'no message'} ({log_path})"


def live_with_parent() -> None:
    """In the child: ignore Ctrl-C, and end when the parent does, however that dies."""
    # Ctrl-C reaches every process of the terminal; the parent still has requests to drain.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, name="parent-watch", daemon=True).start()


def _die_with_parent() -> None:
    """Wait for the end of standard input, which comes when the parent is gone, even killed."""
    while os.read(0, 1024):
        pass
    os._exit(0)


def send_report(content: dict[str, Any], channel: int = 1) -> None:
    """In the child: write a report to the descriptor that the parent reads."""
    os.write(channel, orjson.dumps(content) + b"\n")

"""Whoever reads standard output and error may leave before the work is done."""

from __future__ import annotations

import errno
import os
import select
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["heard_or_not", "let_go"]

_GONE = frozenset({errno.EPIPE, errno.EIO})
"""What writing fails with when the reader of a pipe has left, or the terminal was closed."""


@contextmanager
def heard_or_not() -> Generator[None]:
    """Print in the block; where nobody reads any more, what is printed goes nowhere from now on."""
    try:
        yield
    except OSError as error:
        if error.errno not in _GONE:
            raise
        let_go()


def let_go() -> None:
    """Put the null device in the place of standard output and error that have lost their reader."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        if _is_gone(descriptor):
            os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _is_gone(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))

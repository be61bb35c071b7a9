"""The places of a server that computes so many requests side by side; further ones queue."""

from __future__ import annotations

from typing import Generic, TypeVar

__all__ = ["Places"]

T = TypeVar("T")


class Places(Generic[T]):
    """Who computes and who waits, first come, first served.

    Args:
        count: How many compute side by side; ``None`` for all.
    """

    def __init__(self, count: int | None) -> None:
        self._count = count
        self._computing: set[T] = set()
        # A dict for its order: the one who gives up leaves from the middle.
        self._waiting: dict[T, None] = {}

    def enter(self, one: T) -> bool:
        """Return whether a request may start; otherwise it waits."""
        if self._count is None:
            return True
        if len(self._computing) < self._count:
            self._computing.add(one)
            return True
        self._waiting[one] = None
        return False

    def leave(self, one: T) -> T | None:
        """Let a request go that is done, or gave up; return the one that may start instead."""
        if self._count is None:
            return None
        if one in self._waiting:
            del self._waiting[one]
            return None
        self._computing.discard(one)
        if not self._waiting or len(self._computing) >= self._count:
            return None
        following = next(iter(self._waiting))
        del self._waiting[following]
        self._computing.add(following)
        return following
